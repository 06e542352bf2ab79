"""The records themselves, as rows; and a list of their names with a few columns."""

from __future__ import annotations

from typing import ClassVar

from trellis.formula.types import Value, record_of
from trellis.model.reports.report import Column
from trellis.model.text import Text
from trellis.model.view import Sort
from trellis.records.reading.concealed import conceals
from trellis.records.reading.tabulate import Sheet, Wanted
from trellis.reports.asking import Asking
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Behind, Heading, Line

SHOWN = 500  # records on a page; a file has more


@report_kind("table")
class Table:
    """Columns of records, with totals."""

    charts: ClassVar[tuple[str, ...]] = ()

    def answer(self, asking: Asking) -> Answer:
        """The answer."""
        report = asking.report
        columns = self._columns(asking)
        limit = min(report.limit or asking.wishes.limit or SHOWN, asking.wishes.limit or SHOWN)
        sheet = Sheet(
            report.entity,
            tuple(Wanted(c.formula, c.path) for c in columns),
            asking.where,
            _sorts(asking, columns),
            asking.chosen.variables,
            limit,
        )
        rows, is_more = asking.store.tabulate(sheet)
        title = Heading("", asking.store.tenant.model.entities[report.entity].label, _RECORD, "field")
        headings = (title, *(_heading(c, asking) for c in columns))
        lines = [Line((row.record, *row.values), conditions=None, record=row.record) for row in rows]
        totals = self._totals(asking, columns)
        if totals is not None and rows and report.limit is None:
            summed = {h.key: Behind() for h, value in zip(headings[1:], totals, strict=True) if value is not None}
            lines.append(Line((None, *totals), "total", behind=summed))
        note = "Only the first %(count)s records are shown here."
        notes = ((note, {"count": limit}),) if is_more and report.limit is None else ()
        return Answer(
            report,
            asking.chosen,
            headings,
            tuple(lines),
            None,
            asking.condition,
            asking.can_drill,
            notes,
            is_cut=is_more,
        )

    def _columns(self, asking: Asking) -> list[Column]:
        session, wanted = asking.store.session, asking.wishes.columns
        seen = [
            c
            for c in asking.report.columns
            if not conceals(session, asking.report.entity, c.formula, asking.wishes.place)
        ]
        return [c for c in seen if not wanted or c.key in wanted] or seen

    def _totals(self, asking: Asking, columns: list[Column]) -> list[Value] | None:
        """Totals of all records, also of those that are not shown."""
        wanted = {c.path: asking.report.totals[c.key] for c in columns if c.path and c.key in asking.report.totals}
        if not wanted:
            return None
        found = asking.store.totals(asking.report.entity, wanted, where=asking.where, patient=True)
        return [found.get(c.path or "") if c.path in wanted else None for c in columns]


@report_kind("list")
class Listing(Table):
    """The same: a word for short ones, as a dashboard shows them."""


_RECORD = record_of()


def _heading(column: Column, asking: Asking) -> Heading:
    field = asking.store.tenant.model.entities[asking.report.entity].fields.get(column.path or "")
    unit = Text("%") if field is not None and field.type.name == "percent" else None
    return Heading(column.key, column.label, column.formula.type, "field", unit=unit, path=column.path, can_drill=False)


def _sorts(asking: Asking, columns: list[Column]) -> tuple[Sort, ...]:
    paths = {c.key: c.path for c in columns if c.path}
    fields, permit = asking.store.tenant.model.entities[asking.report.entity].fields, asking.store.session.permit
    seen = {key: key for key in fields if not permit.conceals(asking.report.entity, key)}
    paths = {**seen, **paths}
    orders = [o for o in asking.orders if o.key in paths]
    return tuple(Sort(str(paths[o.key]), o.descending) for o in orders) or (Sort("created_at", descending=True),)
