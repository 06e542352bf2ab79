"""Field types, found when they are asked for: a derived field's type may follow from other fields' formulas."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula, constant
from trellis.formula.nodes.aggregate import Aggregate, Ends
from trellis.formula.nodes.paths import path_of
from trellis.formula.reader import Reader
from trellis.formula.types import ANY, BOOLEAN, Type
from trellis.model.compile.choices import field_choices
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.drafts import FieldDraft
from trellis.model.compile.formulas import formula, template
from trellis.model.compile.item import Item
from trellis.model.compile.scope import EntityScope, inverse_type
from trellis.model.field import Field
from trellis.model.fields import FIELD_TYPES, make_type
from trellis.model.fields.base import FieldType, Invalid, said_by
from trellis.model.fields.registry import options_of

TYPE_OF_KIND = {
    "text": "text",
    "number": "decimal",
    "money": "money",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "duration": "duration",
    "list": "list",
    "name": "name",
    "address": "address",
    "location": "location",
    "json": "json",
}
MAX_CHAIN = 30
DERIVING = ("formula", "rollup", "lookup")
_FORMULA = re.compile(r"(me|my_team|[a-z_.]+\(.*\))(\s*[-+*/].*)?\s*\Z", re.DOTALL)


class Types:
    """The types of all fields of a compilation."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.busy: list[FieldDraft] = []  # derived fields whose types follow from others
        self._circular: list[FieldDraft] = []

    def scope(self, entity: str | None, **variables: Type) -> EntityScope:
        """The scope of a formula of an entity."""
        return EntityScope(self, entity, variables)

    def setting(self, key: str) -> Type | None:
        """The type of a setting."""
        setting = self.ctx.settings.get(key)
        if setting is None:
            return None
        return make_type(setting.type).formula_type() if setting.type in FIELD_TYPES else ANY

    def names(self, entity: str) -> Iterable[str]:
        """The fields and inverse lists of an entity."""
        draft = self.ctx.drafts.get(entity)
        return (*draft.fields, *draft.inverses) if draft is not None else ()

    def of(self, entity: str, name: str) -> Type | None:
        """What a formula sees under a name of an entity."""
        draft = self.ctx.drafts.get(entity)
        if draft is None:
            return None
        if (field := draft.fields.get(name)) is not None:
            return self.formula_type(field)
        if (inverse := draft.inverses.get(name)) is not None:
            return inverse_type(inverse.entity, inverse.one)
        return None

    def formula_type(self, field: FieldDraft) -> Type:
        """What a formula sees of a field; `any` where its own definition is faulty."""
        found = self.type_of(field)
        return ANY if found is None else found.formula_type()

    def columns(self, entity: str, name: str) -> Mapping[str, Type]:
        """The columns of a links field's rows, also from its inverse side."""
        draft = self.ctx.drafts.get(entity)
        if draft is None:
            return {}
        field = draft.fields.get(name)
        inverse = draft.inverses.get(name)
        if field is None and inverse is not None and inverse.many:
            field = self.ctx.drafts[inverse.entity].fields.get(inverse.field)
        if field is None or field.type_name != "links":
            return {}
        found = self.type_of(field)
        columns: Mapping[str, Field] = getattr(found, "columns_of_link", {})
        return {key: column.type.formula_type() for key, column in columns.items()}

    def type_of(self, field: FieldDraft) -> FieldType | None:
        """The type of a field; None (and a problem) where it cannot be known."""
        if field.state == "done":
            return field.type
        if field.state == "busy":
            if not field.type_name:
                self._report_cycle(field)
            return field.type
        if len(self.busy) >= MAX_CHAIN and not field.type_name:
            self.ctx.problem(
                "E405",
                phrase("a chain of more than {most} derived fields; write the type of this one", most=MAX_CHAIN),
                field.item,
            )
            return None
        field.state = "busy"
        self.busy.append(field)
        if field.type_name:
            field.type = self._written(field, field.type_name, field.item)
        elif field.is_derived:
            self._derive(field, None)
            field.type = self._inferred(field)
        else:
            self.ctx.problem("E204", "'type' is missing", field.item, at_key=True)
        self.busy.pop()
        field.state = "done"
        return field.type

    def _report_cycle(self, field: FieldDraft) -> None:
        """A field whose type follows from itself is computed from itself."""
        cycle = [*self.busy[self.busy.index(field) :], field]
        shown = " → ".join(f"{f.entity}.{f.key}" for f in cycle)
        where = next((w for word in DERIVING if (w := field.item.get(word)) is not None), field.item)
        self.ctx.problem("E318", phrase("depends on itself: {shown}", shown=shown), where)
        self._circular += cycle

    def derivation(self, field: FieldDraft) -> Formula | None:
        """The formula of a derived field."""
        found = self.type_of(field)
        if field.derivation is None and field.type_name:
            self._derive(field, found)
        if field.derivation is None or found is None:
            return field.derivation
        return _rounded(field.derivation, found)

    def _derive(self, field: FieldDraft, found: FieldType | None) -> None:
        expected = found.formula_type() if found is not None else None
        scope = self.scope(field.entity)
        given = field.given.get("formula")
        if given is not None:
            item = Item(str(given), field.item.place, field.item.path, field.item.root)
            field.derivation = formula(self.ctx, item, scope, expected)
            return
        told = len(self.ctx.problems)
        for word in DERIVING:
            if (written := field.item.get(word)) is not None:
                field.derivation = formula(self.ctx, written, scope, expected)
                break
        if any(f is field for f in self._circular):  # what does not fit because of the cycle is not told, too
            self.ctx.problems[told:] = [p for p in self.ctx.problems[told:] if p.code == "E318"]

    def _inferred(self, field: FieldDraft) -> FieldType | None:
        derived = field.derivation
        if derived is None or any(f is field for f in self._circular):
            return None
        source = self.field_at(field.entity, derived.source.strip()) or self._picked(derived)
        if source is not None:
            return self.type_of(source)
        if derived.type.kind == "record":
            to = derived.type.entities
            return make_type("link", {"to": to[0]}) if len(to) == 1 else make_type("any_link", {"to": to or ("*",)})
        name = TYPE_OF_KIND.get(derived.type.kind)
        if name is None:
            self.ctx.problem(
                "E212",
                phrase("'{field}' needs a type: it cannot be told from {type}", field=field.key, type=derived.type),
                field.item,
                at_key=True,
            )
            return None
        return make_type(name, self._options(FIELD_TYPES[name], field.item, field))

    def field_at(self, entity: str, path: str) -> FieldDraft | None:
        """The field at the end of a dotted path over links."""
        *links, last = path.split(".")
        for name in links:
            draft = self.ctx.drafts.get(entity)
            step = self.of(entity, name) if draft is not None else None
            if step is None or step.kind != "record" or len(step.entities) != 1:
                return None
            entity = step.entities[0]
        draft = self.ctx.drafts.get(entity)
        return draft.fields.get(last) if draft is not None else None

    def _picked(self, derived: Formula) -> FieldDraft | None:
        """The field whose value a formula picks out of a list, as first, last, min and max do."""
        node = derived.node
        if not isinstance(node, Aggregate) or node.of is None:
            return None
        if not isinstance(node, Ends) and node.measure not in ("min", "max"):
            return None
        path = path_of(node.of)
        found = self.field_at(node.listed.entity, path) if path else None
        return None if found is None or found.type_name == "sequence" else found

    def make(self, item: Item, entity: str, key: str) -> FieldType | None:
        """The type of something declared like a field: a column of links, a parameter, a setting."""
        return self.type_of(FieldDraft(entity, key, item))

    def _written(self, field: FieldDraft, name: str, item: Item) -> FieldType | None:
        cls = FIELD_TYPES.get(name)
        if cls is None:
            return None  # the check of shapes has said so
        try:
            return make_type(name, self._options(cls, item, field))
        except (TypeError, ValueError, KeyError) as error:
            if not self.ctx.has_problem_in(item):
                self.ctx.problem(
                    "E214", phrase("the options do not fit together: {error}", error=said_by(error)), item, at_key=True
                )
            return None

    def _options(self, cls: type[FieldType], item: Item, field: FieldDraft) -> dict[str, Any]:
        """The options as the YAML gives them, choices and formulas resolved."""
        options: dict[str, Any] = {}
        for name, declared in options_of(cls).items():
            if name in field.given:
                options[name] = field.given[name]
                continue
            value = item.get(name)
            if value is None:
                continue
            if name == "choices":
                options[name] = field_choices(self.ctx, value)
            elif name == "columns" and cls.name == "links":
                options[name] = self.plain_fields(value, field.entity)
            elif not (declared.metadata.get("formula") or _is_formula(declared, value)):
                options[name] = _plain(value)
        if cls.name == "choice" and field.choices is not None:
            options["choices"] = field.choices
        if cls.name == "choices" and field.choices is not None:
            options["choices"] = field.choices
        return options

    def final_type(self, field: FieldDraft) -> FieldType | None:
        """The type with its formulas (a link's filter), which may themselves need every field's type."""
        found = self.type_of(field)
        if found is None or not field.type_name:
            return found
        compiled: dict[str, Any] = {}
        for name, declared in options_of(type(found)).items():
            item = field.item.get(name)
            if item is None:
                continue
            if _is_formula(declared, item):
                expected = declared.metadata.get("kind") or found.formula_type()
                compiled[declared.name] = formula(self.ctx, item, self.scope(field.entity), expected)
            elif declared.metadata.get("formula") and len(field.targets) == 1:
                scope = self.scope(field.targets[0], this=Type("record", (field.entity,)))
                compiled[declared.name] = formula(self.ctx, item, scope, BOOLEAN)
        return dataclasses.replace(found, **compiled) if compiled else found

    def plain_fields(self, item: Item, entity: str) -> dict[str, Field]:
        """Fields that belong to no entity's table: what is kept with a link, what a button asks for."""
        found: dict[str, Field] = {}
        for key, column in item.entries():
            if (made := self.make(column, entity, key)) is not None:
                label = self.ctx.text(column, "label", humanize(key))
                found[key] = Field(key, made, label, required=column.flag("required"))
        return found

    def default(self, field: FieldDraft, item: Item | None) -> Formula | None:
        """A default: a formula after `=`, else a constant of the field's type."""
        found = self.type_of(field)
        if item is None or found is None:
            return None
        text = item.text
        if isinstance(item.data, str) and text.startswith("="):
            if not text.startswith("=="):
                return formula(self.ctx, item, self.scope(field.entity), found.formula_type())
            return self._constant(found, text[1:], item)
        if isinstance(item.data, str) and "{" in text and found.formula_type().kind == "text" and not found.can_group:
            return template(self.ctx, item, self.scope(field.entity))
        return self._constant(found, _plain(item), item)

    def constant(self, field: FieldDraft, item: Item) -> Formula | None:
        """A plain value that a field is set to, checked as a value of the field."""
        found = self.type_of(field)
        return self._constant(found, _plain(item), item) if found is not None else None

    def _constant(self, found: FieldType, raw: Any, item: Item) -> Formula | None:
        try:
            value = found.parse(raw, Reader())
            faults = list(found.check(value)) if value is not None else []
        except Invalid as error:
            faults = [error]
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            faults = [Invalid("invalid", "{error}", error=str(error))]
        for fault in faults:
            is_formula = isinstance(item.data, str) and _FORMULA.match(item.text)
            hint = phrase("a formula begins with =: ={formula}", formula=item.text) if is_formula else ""
            self.ctx.problem("E215", phrase("not a value of this field: {error}", error=said_by(fault)), item, hint)
        return None if faults or value is None else constant(value, found.formula_type())


def _plain(item: Item) -> Any:
    """Data with texts as they are written: 1.10 stays 1.10."""
    if isinstance(item.data, dict):
        return {key: _plain(value) for key, value in item.entries()}
    if isinstance(item.data, list):
        return [_plain(value) for value in item.each()]
    if isinstance(item.data, bool) or item.data is None or isinstance(item.data, int):
        return item.data if item.place.raw in (None, str(item.data)) or isinstance(item.data, bool) else item.place.raw
    return item.text


def _is_formula(declared: Any, item: Item) -> bool:
    """A limit that is computed: `min: =today()`."""
    schema = declared.metadata.get("schema") or {}
    return schema.get("format") == "formula" and not declared.metadata.get("formula") and item.text.startswith("=")


def _rounded(derived: Formula, found: FieldType) -> Formula:
    scale = getattr(found, "scale", None)
    if found.name == "money":
        return derived.rounded(scale)
    if found.name == "integer":
        return derived.rounded(0)
    if isinstance(scale, int) and found.is_numeric:
        return derived.rounded(scale)
    return derived
