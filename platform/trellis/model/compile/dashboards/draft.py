"""A widget's document while it is compiled: what its kind asks of it, and what its words must name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from trellis.config.phrase import phrase
from trellis.formula.formula import Formula
from trellis.formula.types import BOOLEAN, Kind, Type
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.formulas import formula
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.reports.unions import CommonScope
from trellis.model.compile.scope import EntityScope
from trellis.model.compile.types import Types
from trellis.model.dashboards.dashboard import DashboardFilter, Place, Widget
from trellis.model.dashboards.kinds import KINDS
from trellis.model.dashboards.spans import NAMES
from trellis.model.entity import Entity
from trellis.model.reports.report import Report
from trellis.model.text import NO_TEXT, Text


@dataclass
class WidgetDraft:
    """One widget with what its words are checked against."""

    ctx: Context
    types: Types
    names: Names
    item: Item
    kind: str
    entities_known: Mapping[str, Entity]
    reports: Mapping[str, Report]
    filters: Mapping[str, DashboardFilter]
    report: Report | None = None
    default_label: Text = field(default=NO_TEXT)
    asks_report: bool = False

    # ── what every widget has ────────────────────────────────────────────────────────────────────────────

    def widget(self, key: str, made: Mapping[str, Any]) -> Widget:
        """The widget of what its kind has found."""
        label = self.ctx.text(self.item, "label")
        if not label:
            label = self.default_label or Text(humanize(key))
        self.names.roles(self.item.get("roles"))
        width, height = KINDS[self.kind].size
        common: dict[str, Any] = {
            "label": label,
            "note": self.ctx.text(self.item, "note"),
            "roles": self.item.words("roles"),
            "icon": self.word("icon"),
            "color": self.word("color"),
            "at": Place(0, 0, width, height),
        }
        return Widget(key=key, kind=self.kind, **{**common, **made})

    def problem(self, *args: Any, **more: Any) -> None:
        """Note a problem of the widget."""
        self.ctx.problem(*args, **more)

    def word(self, key: str) -> str:
        """The characters under a key."""
        return self.item.word(key)

    def number(self, key: str) -> int | None:
        """The whole number under a key."""
        found = self.item.get(key)
        return found.data if found is not None and isinstance(found.data, int) else None

    def text(self, key: str) -> Text:
        """The text under a key in every language."""
        return self.ctx.text(self.item, key)

    # ── reports ──────────────────────────────────────────────────────────────────────────────────────────

    def of_report(self, word: str, types: Sequence[str] = (), without: Sequence[str] = ()) -> dict[str, Any]:
        """The report under a word, which is of one of some types; and what narrows it."""
        written, self.asks_report = self.item.get(word), True
        if written is not None and written.text not in self.reports:  # those that people have built are no documents
            self.names.document(written, "report")
        report = self.reports.get(written.text) if written is not None else None
        if report is not None and written is not None:
            self.default_label = report.label
            if (types and report.type not in types) or report.type in without:
                fitting = list(types) or phrase("any but {names}", names=list(without))
                self.problem(
                    "E330",
                    phrase("a {type} is not shown as '{word}'", type=report.type, word=word),
                    written,
                    phrase("reports of type {fitting}", fitting=fitting),
                )
                report = None
        self.report = report
        condition = None
        if report is not None:
            condition = formula(self.ctx, self.item.get("filter"), _scope(self.types, report), BOOLEAN)
            self.check_params(report)
        key = written.text if written is not None and written.text in self.reports else None
        params = self.item.get("params")
        given = {k: v.text for k, v in params.entries()} if params is not None else {}
        return {"report": key, "filter": condition, "takes": self.takes(), "params": given}

    def check_params(self, report: Report) -> None:
        """`params` names params of the report."""
        params = self.item.get("params")
        for key, each in params.entries() if params is not None else ():
            if key not in report.params:
                self.ctx.unknown("param of the report", each.key(key), report.params, "E319", name=key)

    def takes(self) -> tuple[str, ...] | None:
        """Which of the dashboard's filters reach the widget; None when nothing is said."""
        found = self.item.get("filters")
        if found is None:
            return None
        wanted = [i for i in found.each() if i.text != "none"]
        for each in wanted:
            if each.text not in self.filters:
                self.ctx.unknown("filter of the dashboard", each, self.filters, "E316")
        return tuple(i.text for i in wanted)

    def measure(self, word: str) -> str | None:
        """The key of a measure of the report."""
        written = self.item.get(word)
        if written is None or self.report is None:
            return None
        known = {m.key: m for m in self.report.measures}
        if written.text not in known:
            self.ctx.unknown("measure of the report", written, known, "E319")
            return None
        if known[written.text].over is not None and self.kind in ("number", "gauge"):
            hint = "a total is made of aggregates, such as sum(amount)"
            self.problem(
                "E330",
                phrase("'{name}' is computed from the groups around, and has no total", name=written.text),
                written,
                hint,
            )
        return written.text

    def need_date(self, report: Report) -> None:
        """To compare with another period, it has to be known which day a record counts for."""
        if report.date is None and report.type != "trend":
            hint = phrase("`date:` in the report '{name}' says which day a record counts for", name=report.key)
            self.problem("E330", "there is no date to compare by", self.item, hint, at_key=True)

    def report_columns(self) -> tuple[str, ...]:
        """Some of the columns of the report."""
        return self._columns("columns")

    def report_order(self) -> tuple[str, ...]:
        """Columns of the report that its lines are ordered by."""
        return self._columns("sort")

    def _columns(self, word: str) -> tuple[str, ...]:
        written, report = self.item.get(word), self.report
        if written is None or report is None:
            return ()
        known = {m.key for m in report.measures} | {c.key for c in report.columns} | {k.key for k in report.groups}
        for each in written.each():
            if each.text.removeprefix("-") not in known:
                self.ctx.unknown("column of the report", each, known, "E319")
        return self.item.words(word)

    def period(self) -> str | None:
        """A period of the widget's own, which the dashboard's does not change."""
        written = self.item.get("period")
        if written is None:
            return None
        if written.text not in NAMES:
            self.ctx.unknown("period", written, NAMES)
        if self.report is not None:
            self.need_date(self.report)
        return written.text

    def constant(self, word: str, *kinds: Kind) -> Formula | None:
        """A formula that no record is needed for, of one of some kinds of value."""
        written = self.item.get(word)
        found = formula(self.ctx, written, self.types.scope(None))
        if found is not None and written is not None and found.type.kind not in (*kinds, "any"):
            wanted = tuple(phrase("a {type}", type=Type(k)) for k in kinds)
            self.problem(
                "E406", phrase("{wanted} is expected here, not a {type}", wanted=wanted, type=found.type), written
            )
            return None
        return found

    # ── records ──────────────────────────────────────────────────────────────────────────────────────────

    def of_view(self, word: str, type_: str | None = None) -> dict[str, Any]:
        """The entity and view under a word: `deal.open`, or `deal` for all of its records."""
        written = self.item.get(word)
        if written is None or not written.text:
            return {}
        name, _dot, view = written.text.partition(".")
        entity = self.entities_known.get(name)
        if entity is None:
            self.ctx.unknown("entity", written, self.entities_known, name=name)
            return {}
        if view and view not in entity.views:
            self.ctx.unknown("view", written, entity.views, "E316", name=view)
            return {}
        found = entity.views.get(view) if view else None
        if type_ is not None:
            found = found or next((v for v in entity.views.values() if v.type == type_), None)
            if found is None or found.start is None:
                self.problem(
                    "E330",
                    phrase("'{name}' has no {type}", name=name, type=type_),
                    written,
                    phrase("a view of the type {type}, with `start:`", type=type_),
                )
                return {}
        self.default_label = found.label if found is not None and found.label else entity.plural
        condition = formula(self.ctx, self.item.get("filter"), self.types.scope(name), BOOLEAN)
        key = found.key if found is not None else None
        return {"entity": name, "view": key, "filter": condition, "takes": self.takes()}

    def paths(self, word: str) -> tuple[str, ...]:
        """Fields of the entity."""
        written = self.item.get(word)
        entity = self.word(self.kind).partition(".")[0]
        if written is None or entity not in self.ctx.drafts:
            return ()
        self.names.fields(written, entity)
        return self.item.words(word)

    def entities(self, word: str) -> tuple[str, ...]:
        """Entities."""
        written = self.item.get(word)
        found = [name for each in (written.each() if written is not None else ()) if (name := self.names.entity(each))]
        return tuple(found)

    def address(self, word: str) -> str:
        """The address of a page of another site, over TLS."""
        written = self.item.get(word)
        text = written.text if written is not None else ""
        try:
            parts = urlsplit(text)
            host = parts.hostname
        except ValueError:
            host = None
        odd = any(letter.isspace() or letter in ";,'\"" for letter in text)
        if written is not None and (not host or parts.scheme != "https" or odd or parts.username):
            self.problem("E215", "not the address of a page that can be shown in a frame", written, "https://…")
            return ""
        return text


def _scope(types: Types, report: Report) -> EntityScope:
    """What a widget's filter may name: the fields of the report's entity, or what its entities have in common."""
    return CommonScope(types, report.names) if report.union else types.scope(report.entity)
