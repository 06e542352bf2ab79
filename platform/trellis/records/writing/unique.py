"""What no two live records may share: `unique` fields and `unique:` groups, and dedupe rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.model.text import Text
from trellis.records.draft import Draft
from trellis.records.refusal import Fault
from trellis.storage.names import short

if TYPE_CHECKING:
    from psycopg.errors import UniqueViolation

    from trellis.model.entity import Entity
    from trellis.records.session import Session


@dataclass(frozen=True, slots=True)
class Constraint:
    """Fields that together are unique among live records."""

    fields: tuple[str, ...]
    case: bool = True
    message: Text | None = None


def constraints(entity: Entity) -> Iterator[Constraint]:
    """Every uniqueness of an entity."""
    for field in entity.stored_fields():
        if field.unique or field.type.name == "sequence":
            yield Constraint((field.key,))
    for unique in entity.uniques:
        yield Constraint(unique.fields, unique.case, unique.message)


def check(session: Session, drafts: Sequence[Draft]) -> None:
    """Note a fault where another live record, or another draft, has the same values."""
    if not drafts:
        return
    entity = drafts[0].entity
    for constraint in constraints(entity):
        concerned = [(d, key) for d in drafts if _touches(d, constraint) and (key := _key(d, constraint)) is not None]
        seen: dict[tuple[Any, ...], Draft] = {}
        for draft, key in concerned:
            if seen.setdefault(key, draft) is not draft:
                draft.fault(fault(constraint))
        if seen:
            taken = _taken(session, entity, constraint, seen)
            for draft, key in concerned:
                if seen[key] is draft and taken.get(key, draft.record.id) != draft.record.id:
                    draft.fault(fault(constraint))


def fault(constraint: Constraint) -> Fault:
    """The refusal, at the last of the fields."""
    message = constraint.message or "There is already a record with this value."
    return Fault("unique", message, constraint.fields[-1])


def _touches(draft: Draft, constraint: Constraint) -> bool:
    return draft.is_new or any(draft.has_changed(name) for name in constraint.fields)


def _key(draft: Draft, constraint: Constraint) -> tuple[Any, ...] | None:
    """The values as the database compares them; None when one is blank."""
    key = []
    for name in constraint.fields:
        field = draft.entity.fields[name]
        value = field.type.to_columns(draft.value(name)).get("")
        if value is None:
            return None
        key.append(value.lower() if isinstance(value, str) and not constraint.case else value)
    return tuple(key)


def _taken(
    session: Session, entity: Entity, constraint: Constraint, keys: dict[tuple[Any, ...], Draft]
) -> dict[tuple[Any, ...], Any]:
    """Which of the values live records have, and which record."""
    table = session.table(entity.key)
    columns = [_folded(table.c[short(name)], constraint) for name in constraint.fields]
    wanted = sa.tuple_(*columns).in_(list(keys)) if len(columns) > 1 else columns[0].in_([k[0] for k in keys])
    rows = session.execute(sa.select(table.c.id, *columns).where(wanted, table.c.deleted_at.is_(None)))
    return {tuple(row[1:]): row[0] for row in rows}


def _folded(column: sa.ColumnElement[Any], constraint: Constraint) -> sa.ColumnElement[Any]:
    return sa.func.lower(column) if not constraint.case and isinstance(column.type, sa.String) else column


def race_fault(session: Session, drafts: Sequence[Draft], error: UniqueViolation) -> Fault:
    """The refusal for what the database's own index caught: another writer was faster."""
    name = error.diag.constraint_name or ""
    entity = drafts[0].entity
    table = session.table(entity.key)
    index = next((i for i in table.indexes if i.name == name), None)
    columns = {c.name for c in index.columns} if index is not None else set()
    for constraint in constraints(entity):
        if {short(f) for f in constraint.fields} == columns or (
            not columns and any(f"_{f}_unique" in name for f in constraint.fields)
        ):
            found = fault(constraint)
            return Fault(found.code, found.message, drafts[0].prefix + (found.field or ""), found.params)
    return Fault("unique", "There is already a record with this value.", None)
