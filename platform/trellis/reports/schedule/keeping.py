"""How a report stood at the end of each day: kept by the system, shown to those who would have seen all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.jobs import Work, kind
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.codec import freeze, thaw
from trellis.formula.types import Ref, Value
from trellis.model.reports.report import Report
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.reports.asking import Wishes
from trellis.reports.result import Answer, Line
from trellis.reports.run import run
from trellis.reports.schedule.timers import KEEP
from trellis.reports.seen import formulas_of, is_seen
from trellis.reports.unions import is_on

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.storage.tenant import Tenant

MOST_DAYS = 3660


@dataclass(frozen=True)
class Kept:
    """A report's lines at the end of a day."""

    day: date
    lines: tuple[Line, ...]

    @property
    def total(self) -> Line | None:
        """The line of the grand total."""
        return next((line for line in reversed(self.lines) if line.kind == "total"), None)


@kind(KEEP)
def keep(work: Work) -> None:
    """Keep how a report stands; the day is the tenant's own."""
    tenant, report = work.tenant, work.tenant.model.reports.get(work.payload["report"])
    moment = datetime.fromisoformat(work.payload["at"])
    if report is None or not report.snapshot:
        return
    store = Store(tenant, system_of(tenant))
    try:
        lines = lines_to_keep(run(store, report, {}, Wishes()))
    except Refused:  # too many groups, or too slow: a day is missing, and the page says what is wrong
        lines = []
    table = tenant.tables.platform.report_snapshot
    day = moment.astimezone(ZoneInfo(tenant.profile.time_zone)).date()
    values = {"digest": digest_of(tenant, report), "answer": {"lines": lines}, "at": moment}
    with work.finishing() as connection:
        made = insert(table).values(report=report.key, day=day, **values)
        if lines:
            connection.execute(made.on_conflict_do_update(index_elements=[table.c.report, table.c.day], set_=values))


def lines_to_keep(answer: Answer) -> list[Any]:
    """A report's lines as they are kept."""
    return [_frozen(line) for line in answer.lines]


def digest_of(tenant: Tenant, report: Report) -> str:
    """What is asked, in short: with another question the days before cannot be compared."""
    bench = tenant.model.bench
    said = bench.document(report.key) if bench is not None else None
    asked = {k: v for k, v in dict(said or {}).items() if k not in ("label", "description", "icon", "mail", "chart")}
    off = [b.entity for b in report.union if not is_on(tenant, b.entity)]
    if off:  # a day with all of its entities is no day without some of them
        asked["off"] = off
    return hashlib.sha256(orjson.dumps(asked, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def may_look_back(store: Store, report: Report) -> bool:
    """Whether this person would have seen all of what was kept.

    What a day looked like for somebody with fewer rights nobody can say afterwards: so a snapshot is only for those
    who may read every record of every entity that the report asks, and every field. Others see the report as it is.
    """
    permit = store.session.permit
    if not report.snapshot or permit.is_portal or not is_seen(store, report):
        return False
    return all(permit.is_unlimited("read", entity) for entity in set(_entities(store, report)))


def _entities(store: Store, report: Report) -> Iterator[str]:
    """Every entity that the report's formulas go over."""
    for entity, formula in formulas_of(report):
        yield entity
        for path in formula.reads:
            yield from _along(store, (entity,), path)
        yield from _named(formula)


def _along(store: Store, entities: Sequence[str], path: Sequence[str]) -> Iterator[str]:
    model = store.tenant.model
    if not path:
        return
    found: list[str] = []
    for key in entities:
        entity = model.entities.get(key)
        field, inverse = (entity.fields.get(path[0]), entity.inverses.get(path[0])) if entity else (None, None)
        if field is not None:
            found += field.type.formula_type().entities
        elif inverse is not None:
            found.append(inverse.entity)
    yield from found
    yield from _along(store, found, path[1:])


def _named(formula: Formula) -> Sequence[str]:
    return formula.type.entities


def days_of(store: Store, report: Report) -> list[Kept]:
    """The days that are kept of the question as it is asked now, the latest last."""
    table = store.tenant.tables.platform.report_snapshot
    digest = digest_of(store.tenant, report)
    query = sa.select(table.c.day, table.c.answer).where(table.c.report == report.key, table.c.digest == digest)
    with store.transaction() as connection:
        rows = connection.execute(query.order_by(table.c.day.desc()).limit(MOST_DAYS)).all()
    return [Kept(row.day, tuple(_thawed(line) for line in row.answer["lines"])) for row in reversed(rows)]


def as_it_stood(store: Store, answer: Answer, kept: Kept) -> Answer:
    """The report with a day's lines, none of which leads to records: these have changed since."""
    lines = [replace(line, values=tuple(titled(store, v) for v in line.values)) for line in kept.lines]
    width = len(answer.headings)
    shown = tuple(line for line in lines if len(line.values) == width)
    return replace(answer, lines=shown, drawing=None, can_drill=False, notes=(), is_cut=False)


def titled(store: Store, value: Value) -> Value:
    """A record with the name that it has for this person now: what was erased has none."""
    if not isinstance(value, Ref):
        return value
    try:
        return replace(value, title=store.read(value.entity, value.id, fields=()).title)
    except (Missing, Forbidden):
        return value


def _frozen(line: Line) -> list[Any]:
    return [line.kind, line.depth, [freeze(_bare(value)) for value in line.values], line.at]


def _bare(value: Value) -> Value:
    """A text of the platform's own by its words in English."""
    return getattr(value, "source", value)


def _thawed(stored: Any) -> Line:
    line_kind, depth, values, *at = stored  # `at` is younger than what was kept first
    return Line(tuple(thaw(v) for v in values), line_kind, depth, None, at=at[0] if at else None)
