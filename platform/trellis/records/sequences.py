"""Running numbers, given at the very end of a save: a refused one takes none, two writers never get the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence as Many
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.formula.types import Ref, Value
from trellis.model.field import Field
from trellis.model.fields.sequence import Sequence
from trellis.records.draft import Draft

if TYPE_CHECKING:
    from trellis.records.session import Session


def number(session: Session, drafts: Many[Draft]) -> None:
    """Number the drafts' blank sequence fields; a number that was given is kept and the counter moves past it."""
    counters: dict[tuple[str, str, str], list[Draft]] = defaultdict(list)
    given: dict[tuple[str, str, str], int] = {}
    day = session.reader.today()
    for draft in drafts:
        for field in draft.entity.fields.values():
            if not isinstance(field.type, Sequence):
                continue
            key = (draft.entity.key, field.key, _scope(field.type, draft, day))
            value = draft.value(field.key)
            if value is None:
                counters[key].append(draft)
            elif (n := field.type.read_number(str(value))) is not None:
                given[key] = max(n, given.get(key, 0))
    for key in sorted(counters.keys() | given.keys()):  # one order for all writers, so that none wait for each other
        entity, name, _ = key
        kind = session.model.entities[entity].fields[name].type
        assert isinstance(kind, Sequence)
        if key in given:
            _move_past(session, key, given[key])
        last = _take(session, key, len(counters[key]), kind.start) if counters[key] else 0
        for offset, draft in enumerate(counters[key], last - len(counters[key]) + 1):
            draft.set(name, kind.render(offset, day, _texts(kind, draft)))


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


def _take(session: Session, key: tuple[str, str, str], count: int, start: int) -> int:
    """Count the counter up, which holds other writers until this transaction ends; the last of the numbers."""
    table = session.tables.platform.sequence
    entity, field, scope = key
    statement = insert(table).values(entity=entity, field=field, scope=scope, value=start - 1 + count)
    statement = statement.on_conflict_do_update(
        index_elements=["entity", "field", "scope"],
        set_={"value": sa.func.greatest(table.c.value, start - 1) + count},
    )
    last: int = session.execute(statement.returning(table.c.value)).scalar_one()
    return last


def _move_past(session: Session, key: tuple[str, str, str], value: int) -> None:
    table = session.tables.platform.sequence
    entity, field, scope = key
    statement = insert(table).values(entity=entity, field=field, scope=scope, value=value)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["entity", "field", "scope"],
            set_={"value": sa.func.greatest(table.c.value, statement.excluded.value)},
        )
    )
