"""A report document while it is compiled: its entity, its params, and the scopes of its formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trellis.config.phrase import phrase
from trellis.formula.errors import FormulaError
from trellis.formula.formula import Formula, compile_formula, constant
from trellis.formula.reader import Reader
from trellis.formula.rows import RowsScope
from trellis.formula.scope import Scope
from trellis.formula.types import ANY, BOOLEAN, Kind, Type
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.formulas import formula, part
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.reports.groups import key_of
from trellis.model.compile.reports.labels import label_of_part
from trellis.model.compile.reports.sources import call_of, condition_of, source_of
from trellis.model.compile.reports.unions import CommonScope, UnionDraft, entities_of, open_union
from trellis.model.compile.scope import EntityScope
from trellis.model.compile.types import Types
from trellis.model.field import Field
from trellis.model.fields.base import Invalid, said_by
from trellis.model.reports.keys import Key, PeriodKey
from trellis.model.reports.periods import PERIODS
from trellis.model.reports.report import Chart, Column, Condition, Measure, Order, Param
from trellis.model.text import Text

# what the address of a report says beside its params
RESERVED = ("sort", "cols", "chart", "report", "saved", "filter", "stood", "ran", "variant")
OVER = ("running", "share", "change", "rank")


@dataclass
class ReportDraft:
    """One report's document with what its parts are checked against."""

    ctx: Context
    types: Types
    item: Item
    entity: str
    names: Names
    params: dict[str, Param] = field(default_factory=dict)
    variables: dict[str, Type] = field(default_factory=dict)
    faulty: bool = False
    union: UnionDraft | None = None

    @classmethod
    def open(cls, ctx: Context, types: Types, item: Item) -> ReportDraft | None:
        """The draft; None (and a problem) without an entity."""
        names = Names(ctx, types)
        pipeline = item.get("pipeline")
        names.document(pipeline, "pipeline")
        names.roles(item.get("roles"))
        written = item.get("entity")
        union = item.get("union")
        if union is not None:
            names.document(item.get("module"), "module")
            found = entities_of(names, item, union)
            draft = cls(ctx, types, item, found.entities[0], names, union=found) if found is not None else None
            if draft is not None:
                draft.read_params()
                open_union(draft)
            return draft
        entity = names.entity(written)
        if written is None and pipeline is not None:
            document = ctx.configuration.of("pipeline").get(pipeline.text)
            entity = str(document.data.get("entity")) if document is not None else None
        if written is None and pipeline is None:
            ctx.problem("E204", "'entity' is missing", item, at_key=True)
        if entity not in ctx.drafts or entity is None:
            return None
        module = item.get("module")
        if module is not None:
            names.document(module, "module")
        draft = cls(ctx, types, item, entity, names)
        draft.read_params()
        return draft

    @property
    def module(self) -> str:
        """The module of the entity."""
        return self.ctx.drafts[self.entity].item.word("module")

    def scope(self, entity: str | None = None) -> EntityScope:
        """The scope of a formula over a record; of the report's own entity unless another is named."""
        if entity is None and self.union is not None:
            return CommonScope(self.types, self.union.names, self.variables)
        return self.types.scope(entity or self.entity, **self.variables)

    def measure_scope(self, entity: str | None = None) -> Scope:
        """The scope of a formula over a group."""
        return RowsScope(self.scope(entity))

    # ── params ───────────────────────────────────────────────────────────────────────────────────────────

    def read_params(self) -> None:
        """What a reader may choose."""
        found = self.item.get("params")
        for key, each in found.entries() if found is not None else ():
            if not isinstance(each.data, dict):
                continue
            if key in RESERVED:
                self.ctx.problem(
                    "E305",
                    phrase("'{name}' is a reserved name", name=key),
                    each,
                    "call the param otherwise",
                    at_key=True,
                )
            made = self.types.make(each, self.entity, key)
            self.variables[f"param.{key}"] = made.formula_type() if made is not None else ANY
            if made is None:
                continue
            default = self.default(each.get("default"), made)
            label = self.ctx.text(each, "label", humanize(key))
            required = each.flag("required")
            self.params[key] = Param(key, Field(key, made, label, required=required, default=default))

    def default(self, item: Item | None, made: Any) -> Formula | None:
        """What is chosen before anybody chooses: a formula after `=`, or a value."""
        if item is None:
            return None
        if isinstance(item.data, str) and item.text.startswith("=") and not item.text.startswith("=="):
            return formula(self.ctx, item, self.types.scope(None), made.formula_type())
        try:
            value = made.parse(item.data if isinstance(item.data, bool | list | dict) else item.text, Reader())
        except (Invalid, TypeError, ValueError) as error:
            self.ctx.problem("E215", phrase("not a value of this param: {error}", error=said_by(error)), item)
            return None
        return None if value is None else constant(value, made.formula_type())

    # ── formulas ─────────────────────────────────────────────────────────────────────────────────────────

    def formula(self, word: str, *kinds: Kind, entity: str | None = None, item: Item | None = None) -> Formula | None:
        """The formula over a record under a word; of one of some kinds of value."""
        written = (item or self.item).get(word)
        found = formula(self.ctx, written, self.scope(entity))
        if found is not None and written is not None and kinds and found.type.kind not in (*kinds, "any", "blank"):
            wanted = tuple(phrase("a {type}", type=Type(k)) for k in kinds)
            self.ctx.problem(
                "E406", phrase("{wanted} is expected here, not a {type}", wanted=wanted, type=found.type), written
            )
            return None
        return found

    def condition(self, word: str, *, entity: str | None = None, item: Item | None = None) -> Condition | None:
        """A filter; its comparisons with params that are not set are left out when it runs."""
        written = (item or self.item).get(word)
        found = formula(self.ctx, written, self.scope(entity), BOOLEAN)
        return None if found is None else Condition(found, found.source)

    # ── groups ───────────────────────────────────────────────────────────────────────────────────────────

    def keys(self, word: str, *, required: bool = False, entity: str | None = None) -> tuple[Key, ...]:
        """What is grouped by under a word: a formula, a list of them, or a mapping with names."""
        found = self.item.get(word)
        if found is None:
            if required:
                self.ctx.problem("E204", phrase("'{name}' is missing", name=word), self.item, at_key=True)
            return ()
        entries = [(None, i) for i in found.each()] if not isinstance(found.data, dict) else list(found.entries())
        made = [key_of(self, name, each, entity) for name, each in entries]
        return tuple(k for k in made if k is not None)

    def period_key(self) -> Key | None:
        """The report's own date in the periods that it goes by."""
        written = self.item.get("date")
        value = self.formula("date", "date", "datetime")
        if written is None:
            self.ctx.problem("E204", "'date' is missing", self.item, at_key=True)
        if value is None or written is None:
            return None
        unit = PERIODS.get(self.item.word("period", "month"), PERIODS["month"])
        return PeriodKey("period", label_of_part(self, written, "date", value, None), value, unit)

    def bounds(self, word: str, default: tuple[int, ...]) -> tuple[Decimal, ...]:
        """Numbers that go upwards."""
        item = self.item.get(word)
        if item is None:
            return tuple(Decimal(n) for n in default)
        found = [Decimal(str(n.data)) for n in item.each() if isinstance(n.data, int | float | Decimal)]
        if found != sorted(set(found)):
            self.ctx.problem("E214", "the bounds of ranges go upwards", item)
        return tuple(found) or tuple(Decimal(n) for n in default)

    # ── measures ─────────────────────────────────────────────────────────────────────────────────────────

    def measures(self, *, required: bool = True, word: str = "measures") -> tuple[Measure, ...]:
        """What every group is measured by; how many records, where nothing is said."""
        found = self.item.get(word)
        made = [self._measure(k, i) for k, i in (found.entries() if found is not None else ())]
        known = tuple(m for m in made if m is not None)
        if not known and found is None and required:
            return (self.count(),)
        return known

    def count(self) -> Measure:
        """How many records there are."""
        label = self.ctx.translated("Records", "system.reports.count.label")
        return Measure("count", label, compile_formula("count()", self.measure_scope()))

    def measure_of(self, source: str, entity: str) -> Formula:
        """A measure that a kind makes of formulas that are checked already."""
        return compile_formula(source, self.measure_scope(entity))

    def over(self, link: Formula, value: Formula, entity: str, item: Item) -> Formula | None:
        """A field of the report's records, as records that link to them read it: `account.created_at`."""
        try:
            return compile_formula(f"{link.source.strip()}.{value.source.strip()}", self.scope(entity))
        except FormulaError:
            message = phrase(
                "'{link}' does not lead to what has '{value}'", link=link.source.strip(), value=value.source.strip()
            )
            self.ctx.problem("E405", message, item)
            return None

    def _measure(self, key: str, each: Item) -> Measure | None:
        written = each.get("formula") if isinstance(each.data, dict) else each
        if written is None:
            return None
        source, start = source_of(written)
        call, over = call_of(source), None
        if call is not None and call.name in OVER and len(call.args) == 1:
            over, inner = call.name, call.args[0]
            value = part(self.ctx, written, start + inner.start, start + inner.end, self.measure_scope())
        else:
            value = formula(self.ctx, written, self.measure_scope())
        if value is None:
            return None
        if value.node.is_outer:
            hint = "such as count(), sum(amount) or sum(amount) / count()"
            self.ctx.problem("E405", "a measure is made of aggregates", written, hint)
            return None
        scale = each.get("scale") if isinstance(each.data, dict) else None
        return Measure(
            key,
            self._measure_label(each, key),
            value,
            over,
            self.ctx.text(each, "unit") if isinstance(each.data, dict) else Text(""),
            int(scale.data) if scale is not None and isinstance(scale.data, int) else None,
            condition_of(value),
        )

    def _measure_label(self, each: Item, key: str) -> Text:
        if isinstance(each.data, dict):
            return self.ctx.text(each, "label", humanize(key))
        return self.ctx.translated(humanize(key), f"{each.full_path}.label")

    # ── columns, order, chart ────────────────────────────────────────────────────────────────────────────

    def columns(self, word: str = "columns") -> tuple[Column, ...]:
        """The columns of a report that shows records."""
        found = self.item.get(word)
        if found is None:
            return ()
        entries = list(found.entries()) if isinstance(found.data, dict) else [(None, i) for i in found.each()]
        made = []
        for name, each in entries:
            written = each.get("formula") if isinstance(each.data, dict) else each
            value = formula(self.ctx, written, self.scope()) if written is not None else None
            if value is not None:
                source = value.source.strip()
                path = source if self.types.field_at(self.entity, source) is not None else None
                made.append(Column(name or source, label_of_part(self, each, name, value, None), value, path))
        return tuple(made)

    def totals(self, columns: Sequence[Column]) -> dict[str, str]:
        """Totals below the columns of records; `true`: sums of everything that can be added up."""
        found = self.item.get("totals")
        if found is None or found.data is False:
            return {}
        if found.data is True:
            return {c.key: "sum" for c in columns if c.path and c.formula.type.kind in ("number", "money", "duration")}
        known = {c.key for c in columns if c.path}
        for key, each in found.entries():
            if key not in known:
                self.ctx.unknown("column of the report", each.key(key), known, "E319", name=key)
        return {key: each.text for key, each in found.entries() if key in known}

    def sort(self) -> tuple[Order, ...]:
        """What the result is ordered by."""
        found = self.item.get("sort")
        texts = [i.text for i in found.each()] if found is not None else []
        return tuple(Order(t.removeprefix("-"), t.startswith("-")) for t in texts if t)

    def chart(self) -> Chart | None:
        """How it is drawn."""
        found = self.item.get("chart")
        if found is None or not isinstance(found.data, dict):
            return None
        limit, full = found.get("limit"), found.get("full")
        return Chart(
            type=found.word("type", "bar"),
            x=found.word("x") or None,
            y=found.words("y"),
            stack=found.word("stack") or found.word("color") or None,
            horizontal=found.flag("horizontal"),
            percent=found.flag("percent"),
            limit=limit.data if limit is not None and isinstance(limit.data, int) else None,
            full=Decimal(str(full.data)) if full is not None and isinstance(full.data, int | Decimal) else None,
        )

    def limit(self) -> int | None:
        """How many groups or records are shown at most."""
        found = self.item.get("limit")
        return found.data if found is not None and isinstance(found.data, int) else None

    def check_names(self, made: Mapping[str, Any]) -> None:
        """`sort` and `chart` name columns of the result."""
        parts = [*made.get("groups", ()), *made.get("across", ()), *made.get("measures", ()), *made.get("columns", ())]
        known = {p.key for p in parts} | set(made.pop("known", ()) if isinstance(made, dict) else ())
        for word in _NAMED:  # what is faulty itself has a name all the same
            found = self.item.get(word)
            if found is not None:
                known |= {k for k, _ in found.entries()} or {i.text.strip() for i in found.each()}
        chart, sort = self.item.get("chart"), self.item.get("sort")
        wanted = list(sort.each()) if sort is not None else []
        for word in ("x", "y", "stack", "color"):
            if chart is not None and (found := chart.get(word)) is not None:
                wanted += list(found.each())
        for each in wanted:
            name = each.text.removeprefix("-")
            if self.item.word("type") in ("table", "list") and self.types.field_at(self.entity, name) is not None:
                continue  # records are ordered by any of their fields
            if known and name and name not in known:
                self.ctx.unknown("column of the report", each, known, "E319", name=name)


_NAMED = ("group", "rows", "columns", "measures")
