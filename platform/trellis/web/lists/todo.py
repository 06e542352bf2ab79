"""What is to be done by today: records of mine that a view lists by a date, soonest first. The Model says which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from markupsafe import Markup

from trellis.model.view import Sort
from trellis.web.cells.column import column_for
from trellis.web.lists.grid import cell_context, open_day_of

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.entity import Entity
    from trellis.model.view import View
    from trellis.records.record import Record
    from trellis.records.store import Store

MOST = 8
KEPT_FOR_TODAY = 3  # places: an old backlog does not hide what is due today


@dataclass(frozen=True)
class Due:
    """Something of mine with a day to it."""

    entity: Entity
    record: Record
    at: date | datetime
    html: Markup
    is_late: bool = False


@dataclass(frozen=True)
class Rest:
    """A list of all that is to be done by today of one entity, of which not everything is shown."""

    entity: Entity
    query: str


@dataclass(frozen=True)
class Todo:
    """What is to be done by today, the longest overdue first; `late` counts more than is shown, up to a cap."""

    rows: list[Due]
    late: int
    is_more: bool
    rest: tuple[Rest, ...] = ()

    @property
    def ids(self) -> frozenset[object]:
        """The records that are listed."""
        return frozenset(due.record.id for due in self.rows)


def to_do(store: Store, entities: Iterable[Entity]) -> Todo:
    """My records whose day is today or past."""
    found: list[Due] = []
    is_more = False
    lists: dict[str, tuple[Rest, bool]] = {}
    for entity in entities:
        plan = plan_of(entity)
        if plan is None or not may_ask(store, entity, entity.owner_field, plan[1], stage_of(entity)):
            continue
        view, path = plan
        day = _day_of(entity, path)
        where: list[Formula | str] = [f"{entity.owner_field} == me and {day} <= today()"]
        pipeline = entity.pipeline_of(None)
        where += [f'{pipeline.field}_type == "open"'] if pipeline is not None else []
        where += [view.filter] if view.filter is not None else []
        page = store.list(entity.key, columns=[path], where=where, sort=[Sort(path)], limit=MOST)
        is_more = is_more or page.next is not None
        query = urlencode({"view": view.key, "where": f"{entity.owner_field} == me and {day} <= today()"})
        lists[entity.key] = Rest(entity, query), page.next is not None
        found += _rows(store, entity, path, page.rows)
    found.sort(key=lambda due: moment_of(due.at, store))
    late, today = [due for due in found if due.is_late], [due for due in found if not due.is_late]
    late_shown = late[: MOST - min(KEPT_FOR_TODAY, len(today))]
    rows = [*late_shown, *today[: MOST - len(late_shown)]]
    shown = {due.record.id for due in rows}
    hidden = {due.entity.key for due in found if due.record.id not in shown}
    rest = tuple(one for key, (one, goes_on) in lists.items() if goes_on or key in hidden)
    return Todo(rows, len(late), is_more, rest)


def stage_of(entity: Entity) -> str | None:
    """The field that says what is still open."""
    pipeline = entity.pipeline_of(None)
    return pipeline.field if pipeline is not None else None


def may_ask(store: Store, entity: Entity, *names: str | None) -> bool:
    """Whether a filter of this person may name the fields: none of them is kept from them."""
    permit = store.session.permit
    return not any(permit.conceals(entity.key, name) for name in names if name is not None)


def plan_of(entity: Entity) -> tuple[View, str] | None:
    """The list of what is still open, and the day by which it is sorted."""
    if entity.owner_field is None:
        return None
    for view in entity.views.values():
        day = open_day_of(entity, view)
        if day is not None and not view.roles:
            return view, day
    return None


def _day_of(entity: Entity, path: str) -> str:
    return f"date({path})" if entity.fields[path].type.name == "datetime" else path


def _rows(store: Store, entity: Entity, path: str, records: Iterable[Record]) -> Iterable[Due]:
    reader = store.principal.reader
    column = column_for(cell_context(store, entity), path)
    for record in records if column is not None else ():
        at = record[path]
        day = at.astimezone(reader.time_zone).date() if isinstance(at, datetime) else at
        yield Due(entity, record, at, Markup(column.html(at)) if column else Markup(), day < reader.today())


def moment_of(at: date | datetime, store: Store) -> datetime:
    """A day or moment as a moment, to sort by."""
    return at if isinstance(at, datetime) else datetime.combine(at, time(), store.principal.reader.time_zone)
