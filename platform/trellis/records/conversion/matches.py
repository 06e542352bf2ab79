"""Existing records that a new one looks like, field by field: what a conversion proposes instead of a new record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.model import matching
from trellis.model.field import Field
from trellis.records.draft import Draft
from trellis.records.reading import shown
from trellis.records.reading.catalog import system_scope
from trellis.storage import matching as sql
from trellis.storage.names import short

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.records.session import Session

MOST = 5
CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Match:
    """A record that looks like the new one. `ref` is None when this person may not read it."""

    ref: Ref | None
    owner: str
    on: tuple[str, ...]  # the fields that agree


def find(session: Session, draft: Draft, fields: Sequence[str]) -> list[Match]:
    """The live records that agree with the draft in at least one field, those that agree in most first."""
    found: dict[UUID, list[str]] = {}
    readable: dict[UUID, bool] = {}
    for name in fields:
        for id, may_read in _agreeing(session, draft, draft.entity.fields[name]):
            found.setdefault(id, []).append(name)
            readable[id] = may_read
    best = sorted(found, key=lambda id: (-len(found[id]), not readable[id], id))[:MOST]
    key = draft.entity.key
    titles = shown.titles(session, [Ref(key, id) for id in best if readable[id]])
    owners = _owners(session, draft, best)
    return [
        Match(Ref(key, id, titles.get((key, id), "")) if readable[id] else None, owners.get(id, ""), tuple(found[id]))
        for id in best
    ]


def _agreeing(session: Session, draft: Draft, field: Field) -> list[tuple[UUID, bool]]:
    """The records whose field has the same normal form, as duplicates are found; with whether each may be read."""
    wanted = matching.normal(field, draft.value(field.key)) if field.is_stored else None
    if wanted is None or session.permit.conceals(draft.entity.key, field.key):
        return []
    scope = system_scope(session, draft.entity.key)
    table: Any = scope.alias
    reach = session.permit.reach("read", scope)
    readable = sa.true() if reach is None else sa.func.coalesce(reach, sa.false())
    same = sql.normal(field, table.c[short(field.key)], "normal") == wanted
    statement = sa.select(table.c.id, readable).select_from(scope.joined()).where(table.c.deleted_at.is_(None), same)
    rows: Sequence[Any] = session.execute(statement.order_by(table.c.id).limit(CANDIDATES)).all()
    return [(row[0], bool(row[1])) for row in rows]


def _owners(session: Session, draft: Draft, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Who owns the records, by name: also of those that may not be read, so that one knows whom to ask."""
    owner = draft.entity.owner_field
    if owner is None or session.permit.hides(draft.entity.key, owner):
        return {}
    table = session.table(draft.entity.key)
    found: Sequence[Any] = session.execute(
        sa.select(table.c.id, table.c[short(owner)]).where(table.c.id.in_(list(ids)))
    ).all()
    owners: dict[UUID, UUID] = {row[0]: row[1] for row in found if row[1] is not None}
    titles = shown.titles(session, [Ref("user", user) for user in owners.values()])
    return {id: titles.get(("user", user), "") for id, user in owners.items()}
