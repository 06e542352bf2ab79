"""Running numbers, given at the very end of a save, so that a refused one takes none; two writers never get the same.

A counter is moved in a transaction of its own: nobody waits for another's save, and a save that fails after all, which
is rare, leaves its number out. A `gap_free` one is moved in the save's own transaction, and the next writer waits for
it to end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Sequence as Many
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.formula.types import Ref, Value
from trellis.model.field import Field
from trellis.model.fields.sequence import Sequence
from trellis.records.draft import Draft

if TYPE_CHECKING:
    from trellis.records.session import Session


Key = tuple[str, str, str]  # entity, field, and which of its counters


def number(session: Session, drafts: Many[Draft]) -> None:
    """Number the new drafts' blank sequence fields; a number that is given is kept and the counter moves past it."""
    counters: dict[Key, list[Draft]] = defaultdict(list)
    given: dict[Key, int] = {}
    # the tenant's day, not the reader's: one year begins for everybody at the same moment
    day = session.reader.now.astimezone(ZoneInfo(session.tenant.profile.time_zone)).date()
    for draft in drafts:
        for field in draft.entity.fields.values():
            if not isinstance(field.type, Sequence):
                continue
            value = draft.value(field.key)
            if not draft.is_new and (value is None or not draft.has_changed(field.key)):
                continue
            key = (draft.entity.key, field.key, _scope(field.type, draft, day))
            if value is None:
                counters[key].append(draft)
            elif (n := field.type.read_number(str(value))) is not None:
                given[key] = max(n, given.get(key, 0))
    keys = sorted(counters.keys() | given.keys())  # one order for all writers, so that none wait for each other
    within = [key for key in keys if session.is_trial or _kind(session, key).gap_free]
    last = _move(session, session.connection, within, counters, given)
    if aside := [key for key in keys if key not in within]:
        with session.tenant.database.counters.begin() as connection:
            session.tenant.become(connection)
            last |= _move(session, connection, aside, counters, given)
    for key, waiting in counters.items():
        kind = _kind(session, key)
        for number_, draft in enumerate(waiting, last[key] - len(waiting) + 1):
            draft.set(key[1], kind.render(number_, day, _texts(kind, draft)))


def _kind(session: Session, key: Key) -> Sequence:
    kind = session.model.entities[key[0]].fields[key[1]].type
    assert isinstance(kind, Sequence)
    return kind


def _move(
    session: Session,
    connection: sa.Connection,
    keys: Many[Key],
    counters: Mapping[Key, list[Draft]],
    given: Mapping[Key, int],
) -> dict[Key, int]:
    """Move the counters past the numbers that were given and on by those that are wanted; the last of each."""
    table = session.tables.platform.sequence
    last: dict[Key, int] = {}
    for key in keys:
        if key in given:
            _move_past(connection, table, key, given[key])
        if key in counters:
            last[key] = _take(connection, table, key, len(counters[key]), _kind(session, key).start)
    return last


def _scope(kind: Sequence, draft: Draft, day: date) -> str:
    """Which counter: the period, and the value of the `per` field."""
    parts = [kind.period(day)]
    if kind.per:
        parts.append(_text(draft, draft.entity.fields[kind.per], draft.value(kind.per), raw=True))
    return "|".join(parts) if any(parts) else ""


def _texts(kind: Sequence, draft: Draft) -> dict[str, str]:
    return {n: _text(draft, draft.entity.fields[n], draft.value(n)) for n in kind.fields() if n in draft.entity.fields}


def _text(draft: Draft, field: Field, value: Value, *, raw: bool = False) -> str:
    if isinstance(value, Ref):
        return str(value.id) if raw else draft.record.graph.title(value) or ""
    if isinstance(value, UUID):
        return str(value)
    return field.type.write_text(value, draft.record.graph.session.reader)


def _take(connection: sa.Connection, table: sa.Table, key: Key, count: int, start: int) -> int:
    """Count the counter up, which holds other writers until the transaction ends; the last of the numbers."""
    entity, field, scope = key
    statement = insert(table).values(entity=entity, field=field, scope=scope, value=start - 1 + count)
    statement = statement.on_conflict_do_update(
        index_elements=["entity", "field", "scope"],
        set_={"value": sa.func.greatest(table.c.value, start - 1) + count},
    )
    last: int = connection.execute(statement.returning(table.c.value)).scalar_one()
    return last


def _move_past(connection: sa.Connection, table: sa.Table, key: Key, value: int) -> None:
    entity, field, scope = key
    statement = insert(table).values(entity=entity, field=field, scope=scope, value=value)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["entity", "field", "scope"],
            set_={"value": sa.func.greatest(table.c.value, statement.excluded.value)},
        )
    )
