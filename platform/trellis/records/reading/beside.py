"""What stands beside a record, for its page, in one statement: decisions, what became it, whether one follows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.model.conversion import became_field
from trellis.records.kept import kept
from trellis.records.privacy.subjects import is_subject
from trellis.storage.names import short
from trellis.storage.prepared import KEPT

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.model.entity import Entity
    from trellis.records.session import Session


@dataclass(frozen=True, slots=True)
class Beside:
    """`decided`: of a person's data (records/privacy/holding.py). `sources`: entities of which a record became it."""

    decided: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    is_followed: bool = False


def read_beside(session: Session, entity: str, id: UUID) -> Beside:
    """What stands beside a record. Whether the person may see it is for the caller to ask."""
    definition = session.entity(entity)
    sources = [key for key, found in session.model.conversions.items() if entity in found.into]
    statement = kept((session.model.hash, "beside", entity), lambda: _statement(session, definition, sources))
    found: Sequence[Any] = session.execute(statement, {"_id": id, "_me": session.principal.id}).one()
    decided, is_followed, *became = found
    return Beside(
        frozenset(decided), frozenset(key for key, is_one in zip(sources, became, strict=True) if is_one), is_followed
    )


def _statement(session: Session, entity: Entity, sources: list[str]) -> sa.Select[Any]:
    platform = session.tables.platform
    id, me = (sa.bindparam(name, type_=sa.Uuid()) for name in ("_id", "_me"))
    privacy, follow = platform.privacy.c, platform.follow.c
    states = sa.select(privacy.state).where(privacy.entity == entity.key, privacy.record == id)
    decided: sa.ColumnElement[Any] = sa.cast(sa.literal("{}"), ARRAY(sa.Text()))
    if is_subject(entity):
        decided = sa.func.array(states.scalar_subquery(), type_=ARRAY(sa.Text()))
    followed = sa.exists().where(follow.user == me, follow.entity == entity.key, follow.record == id)
    name = short(became_field(entity.key))
    became = [sa.exists().where(session.table(source).c[name] == id) for source in sources]
    return sa.select(decided, followed, *became).execution_options(**KEPT)
