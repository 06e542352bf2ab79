"""Reminders: people are told so long before the moment that a record names, once.

Fields of the type `reminders` say how long before which field. The moments are kept with every save, in its
transaction; a job that waits for the next hour's, and a clock that looks for later ones, tell the owner.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from babel.dates import format_date, format_datetime
from sqlalchemy.dialects.postgresql import insert

from trellis.automation import clocks, notices
from trellis.automation.channels import Recipient, recipients
from trellis.automation.clock import now
from trellis.automation.jobs import Work, defer, defer_many, kind
from trellis.automation.jobs.defer import Job
from trellis.automation.soon import soon
from trellis.automation.workflows.acting import system_of
from trellis.formula.moments import at_zone
from trellis.formula.sql.scope import SqlScope
from trellis.formula.types import Ref
from trellis.model.fields.duration import Reminders
from trellis.model.locales import babel_locale
from trellis.model.model import Model
from trellis.records.draft import Event
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.hooks import Hooks, in_every_save
from trellis.records.kept import kept
from trellis.records.reading.pointing import Linked
from trellis.records.session import Session
from trellis.records.writing.batch import matching
from trellis.storage.hooks import after_apply
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

REMIND, LOOK, SETTLE = "reminders.remind", "reminders.look", "reminders.settle"
AT_ONCE = 200
MORNING = time(9)  # what has no hour is reminded of at nine
JUDGED = frozenset({"created", "updated", "restored", "converted", "merged", "unmerged"})
GONE = frozenset({"deleted", "merged_into", "purged"})


@dataclass(frozen=True)
class Reminded:
    """A field of reminders, and the field with the moment that it is about."""

    field: str
    of: str
    all_day: str | None  # the field that says that only the day counts

    @property
    def reads(self) -> frozenset[str]:
        """The fields whose change moves its moments."""
        return frozenset({self.field, self.of, self.all_day or self.of})


def reminded(model: Model) -> Mapping[str, tuple[Reminded, ...]]:
    """The fields of reminders by their entity."""
    found: Mapping[str, tuple[Reminded, ...]] = kept((model.hash, "reminders"), lambda: dict(_reminded(model)))
    return found


def _reminded(model: Model) -> Iterator[tuple[str, tuple[Reminded, ...]]]:
    for entity in model.entities.values():
        listed = []
        for field in entity.fields.values():
            of = entity.fields.get(field.type.for_ or "") if isinstance(field.type, Reminders) else None
            if of is not None:
                listed.append(Reminded(field.key, of.key, getattr(of.type, "all_day", None)))
        if listed:
            yield entity.key, tuple(listed)


@in_every_save
def _join(session: Session, hooks: Hooks) -> None:
    if reminded(session.model):
        hooks.after.append(lambda events: follow(session, events))


def follow(session: Session, events: Sequence[Event]) -> None:
    """Let the moments of reminders follow what happened to records."""
    of = reminded(session.model)
    moved: dict[str, set[UUID]] = defaultdict(set)
    gone: dict[str, set[UUID]] = defaultdict(set)
    for event in events:
        if event.entity not in of:
            continue
        if event.kind in GONE:
            gone[event.entity].add(event.id)
        elif event.kind in JUDGED and (
            event.kind != "updated" or any(one.reads & event.changed.keys() for one in of[event.entity])
        ):
            moved[event.entity].add(event.id)
    table = session.tables.platform.reminder
    for entity, ids in gone.items():
        session.execute(sa.delete(table).where(table.c.entity == entity, table.c.record.in_(ids)))
    for entity, ids in moved.items():
        _keep(session, entity, sorted(ids))


def _keep(session: Session, entity: str, ids: Sequence[UUID]) -> None:
    """Write the moments to come of some records; those that have passed were told, or never will be."""
    table, moment = session.tables.platform.reminder, session.reader.now
    session.execute(sa.delete(table).where(table.c.entity == entity, table.c.record.in_(ids)))
    zone = ZoneInfo(session.tenant.profile.time_zone)
    rows: list[dict[str, Any]] = []
    for record in StoreGraph(session).load(entity, ids):
        for one in reminded(session.model)[entity] if record.value("deleted_at") is None else ():
            of = _moment(record, one, zone)
            ahead = record.value(one.field) if of is not None else None
            for before in ahead or ():
                if of is not None and of - before > moment:
                    rows.append({"entity": entity, "record": record.id, "field": one.field, "at": of - before})
    if rows:
        session.execute(insert(table).on_conflict_do_nothing(), rows)
        _ask(session.connection, [row["at"] for row in rows])


def _moment(record: LiveRecord, one: Reminded, zone: ZoneInfo) -> datetime | None:
    """The moment that people are reminded of; nine in the morning where only the day counts."""
    value = record.value(one.of)
    if isinstance(value, datetime):
        if one.all_day is None or not record.value(one.all_day):
            return value
        value = value.astimezone(zone).date()
    return at_zone(datetime.combine(value, MORNING), zone) if isinstance(value, date) else None


def _ask(connection: sa.Connection, moments: Sequence[datetime]) -> None:
    defer_many(connection, [Job(REMIND, {"at": at.isoformat()}, at, "reminders") for at in soon(moments)])


@clocks.clock("reminders.look", cron="*/30 * * * *")
def _look(strike: clocks.Strike) -> None:
    strike.defer_for_each_tenant(LOOK)


@kind(LOOK)
def look(work: Work) -> None:
    """Let jobs wait for the moments before the next look, and for those that jobs of before were lost for."""
    with work.finishing() as connection:
        work.absorb(connection)
        table = work.tenant.tables.platform.reminder
        found = sa.select(table.c.at).where(table.c.at <= now() + timedelta(hours=1)).distinct()
        _ask(connection, list(connection.execute(found).scalars()))


@kind(REMIND)
def remind(work: Work) -> None:
    """Tell people of what has come near, and take it away with the same commit."""
    tenant = work.tenant
    moment = max(now(), datetime.fromisoformat(work.payload["at"]))
    with work.finishing() as connection:
        table = tenant.tables.platform.reminder
        due = sa.select(table).where(table.c.at <= moment).order_by(table.c.at).limit(AT_ONCE).with_for_update()
        rows = connection.execute(due).all()
        known = reminded(tenant.model)
        with Session(tenant, system_of(tenant)).within(connection) as session:
            graph = StoreGraph(session)
            for ref in dict.fromkeys(Ref(row.entity, row.record) for row in rows if row.entity in known):
                record = graph.follow(ref)
                if record is not None and record.value("deleted_at") is None:
                    _tell(connection, tenant, record, known[ref.entity])
        for row in rows:
            mine = (table.c[name] == getattr(row, name) for name in ("entity", "record", "field", "at"))
            connection.execute(sa.delete(table).where(*mine))
        if len(rows) == AT_ONCE:
            defer(connection, REMIND, {"at": moment.isoformat()}, lock="reminders")


def _tell(connection: sa.Connection, tenant: Tenant, record: LiveRecord, among: Sequence[Reminded]) -> None:
    """Tell whose record it is, each in their own language and time zone."""
    owner = record.value(record.definition.owner_field) if record.definition.owner_field else None
    whom = owner if isinstance(owner, Ref) else record.value("created_by")
    if not isinstance(whom, Ref):
        return
    title = record.graph.title(record.ref) or record.definition.label.source
    for person in recipients(connection, tenant, [whom.id]):
        said = f"{title} · {_when(record, among[0], person)}"
        notices.tell(connection, tenant, [person.id], said, kind="reminder", about=record.ref)


def _when(record: LiveRecord, one: Reminded, person: Recipient) -> str:
    """The moment as the person writes it."""
    value, locale = record.value(one.of), babel_locale(person.language)
    is_day = one.all_day is not None and bool(record.value(one.all_day))
    if isinstance(value, datetime) and not is_day:
        here = value.astimezone(ZoneInfo(person.time_zone)).replace(tzinfo=None)
        return format_datetime(here, "medium", locale=locale)
    day = value.astimezone(ZoneInfo(person.time_zone)).date() if isinstance(value, datetime) else value
    return format_date(day, "full", locale=locale)


# ── records that were there before their reminders were kept ─────────────────────────────────────────────────


def _published(connection: sa.Connection, tenant: Tenant, before: Tenant | None) -> None:
    table, known = tenant.tables.platform.reminder, reminded(tenant.model)
    connection.execute(sa.delete(table).where(table.c.entity.not_in(list(known)) if known else sa.true()))
    for entity in known if before is not None else ():
        defer(connection, SETTLE, {"entity": entity, "after": None}, lock=f"reminders:{entity}", tenant=tenant)


after_apply.append(_published)


@kind(SETTLE)
def settle(work: Work) -> None:
    """Write the moments of the next records that have none, and something to be reminded of."""
    tenant, entity, after = work.tenant, work.payload["entity"], work.payload["after"]
    with work.finishing() as connection:
        if entity not in reminded(tenant.model):
            return
        with Session(tenant, system_of(tenant)).within(connection) as session:
            ids = matching(session, entity, [_unsettled(session, entity, after)], limit=AT_ONCE)
            if ids:
                _keep(session, entity, ids)
        if len(ids) == AT_ONCE:
            defer(connection, SETTLE, {"entity": entity, "after": str(ids[-1])}, lock=f"reminders:{entity}")


def _unsettled(session: Session, entity: str, after: str | None) -> Linked:
    table, fields = session.tables.platform.reminder, reminded(session.model)[entity]

    def condition(scope: SqlScope) -> sa.ColumnElement[bool]:
        columns = scope.alias.c
        some = [sa.and_(columns[short(f.field)].is_not(None), columns[short(f.of)] > sa.func.now()) for f in fields]
        known = sa.exists().where(table.c.entity == entity, table.c.record == columns.id)
        return sa.and_(sa.or_(*some), ~known, columns.id > UUID(after) if after is not None else sa.true())

    return Linked(condition)
