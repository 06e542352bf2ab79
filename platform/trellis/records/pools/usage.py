"""How far somebody has used what a pool allows, and what has come of the pool."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.model.pool import LOCKED_UNTIL, Pool
from trellis.records.pools.keeping import ASSIGN, CLAIM, DISTRIBUTE, RELEASE, RETURN
from trellis.records.pools.standing import lies_in
from trellis.records.reading.catalog import system_scope
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope
    from trellis.records.session import Session

TAKEN = (CLAIM, ASSIGN, DISTRIBUTE)
TEAM = "team"  # the field of a person that says theirs


@dataclass(frozen=True)
class Usage:
    """What one person has claimed today, holds and keeps locked, each with its limit (None: there is none)."""

    today: int
    per_day: int | None
    held: int
    holding: int | None
    locked: int
    locks: int | None
    tomorrow: datetime  # from when on the day's claims count anew
    team_held: int = 0
    team_holding: int | None = None


@dataclass(frozen=True)
class Person:
    """What one person has done with a pool in a while."""

    user: UUID
    claimed: int
    assigned: int
    returned: int
    released: int
    won: int


def usage_of(session: Session, pool: Pool, user: UUID) -> Usage:
    """How far a person has used what the pool allows."""
    moves = session.tables.platform.pool_move
    start = midnight(session)
    mine = moves.c.to == user, moves.c.act == CLAIM, moves.c.pool == pool.key, moves.c.at >= start
    today = session.execute(sa.select(sa.func.count()).select_from(moves).where(*mine)).scalar_one()
    scope = system_scope(session, pool.entity)
    row = scope.alias.c
    owned = row[short(pool.owner)] == user, row.deleted_at.is_(None)
    counting = _counting(pool, scope)
    locked = row[LOCKED_UNTIL] > session.reader.now
    of_team = _held_by_team(session, pool, user)
    counts = sa.func.count().filter(counting), sa.func.count().filter(locked)
    found: Any = session.execute(sa.select(*counts).select_from(scope.joined()).where(*owned)).one()
    return Usage(
        today=today,
        per_day=pool.claim.per_day,
        held=found[0],
        holding=pool.claim.holding,
        locked=found[1],
        locks=pool.lock.at_most if pool.lock is not None else None,
        tomorrow=midnight(session, 1),
        team_held=of_team or 0,
        team_holding=pool.claim.team_holding if of_team is not None else None,
    )


def _held_by_team(session: Session, pool: Pool, user: UUID) -> int | None:
    """How many the person's team holds; None where no limit says anything about it, or there is no team."""
    if pool.claim.team_holding is None or (team := team_of(session, user)) is None:
        return None
    scope, people = system_scope(session, pool.entity), session.table("user")
    row = scope.alias.c
    owned = row[short(pool.owner)].in_(sa.select(people.c.id).where(people.c[TEAM] == team)), row.deleted_at.is_(None)
    counted = sa.select(sa.func.count()).select_from(scope.joined()).where(*owned, _counting(pool, scope))
    return int(session.execute(counted).scalar_one())


def team_of(session: Session, user: UUID) -> UUID | None:
    """Somebody's team."""
    people = session.table("user")
    if TEAM not in people.c:
        return None
    return cast("UUID | None", session.execute(sa.select(people.c[TEAM]).where(people.c.id == user)).scalar())


def _counting(pool: Pool, scope: SqlScope) -> sa.ColumnElement[bool]:
    """Which of one's records count as held: those of the pool, but for what `not_counting` leaves out."""
    found: list[sa.ColumnElement[bool]] = [sa.true()]
    if pool.filter is not None:
        found.append(sa.func.coalesce(pool.filter.predicate(scope), sa.false()))
    if pool.claim.not_counting is not None:
        found.append(sa.not_(sa.func.coalesce(pool.claim.not_counting.predicate(scope), sa.false())))
    return sa.and_(*found)


def midnight(session: Session, days: int = 0) -> datetime:
    """The beginning of the tenant's day, or of one some days later."""
    zone = ZoneInfo(str(session.tenant.profile.time_zone))
    day = session.reader.now.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(), zone)


def again_at(session: Session, pool: Pool, user: UUID, record: UUID) -> datetime | None:
    """From when on somebody may claim what they have had before; None: at once."""
    if pool.cool_down is None:
        return None
    moves = session.tables.platform.pool_move
    mine = moves.c.entity == pool.entity, moves.c.record == record, moves.c.whose == user
    last = sa.select(sa.func.max(moves.c.at)).where(*mine, moves.c.act.in_((RETURN, RELEASE)))
    left = session.execute(last).scalar()
    again = pool.cool_down.after(left) if left is not None else None
    return again if again is not None and again > session.reader.now else None


def size_of(session: Session, pool: Pool) -> int:
    """How many records lie in the pool."""
    scope = system_scope(session, pool.entity)
    inside = lies_in(pool, scope), scope.alias.c.deleted_at.is_(None)
    return int(session.execute(sa.select(sa.func.count()).select_from(scope.joined()).where(*inside)).scalar_one())


def people(session: Session, pool: Pool, since: datetime) -> list[Person]:
    """What each person has claimed, been given, returned and lost since then, and what they won of what they took."""
    moves = session.tables.platform.pool_move
    took = moves.c.act.in_(TAKEN)
    who = sa.case((took, moves.c.to), else_=moves.c.whose).label("who")
    acts = ((CLAIM,), (ASSIGN, DISTRIBUTE), (RETURN,), (RELEASE,))
    counts = [sa.func.count().filter(moves.c.act.in_(some)) for some in acts]
    here = moves.c.pool == pool.key, moves.c.at >= since
    rows: Any = session.execute(sa.select(who, *counts).where(*here).group_by(who)).all()
    won = _won(session, pool, since)
    found = [Person(row[0], row[1], row[2], row[3], row[4], won.get(row[0], 0)) for row in rows if row[0] is not None]
    return sorted(found, key=lambda one: (-one.claimed - one.assigned, str(one.user)))


def _won(session: Session, pool: Pool, since: datetime) -> dict[UUID, int]:
    """How many of the records that somebody took and still has were won: in a stage that ends well, or converted."""
    moves = session.tables.platform.pool_move
    scope = system_scope(session, pool.entity)
    row, entity = scope.alias.c, session.entity(pool.entity)
    ended = [
        row[short(f"{p.field}_type")].in_(("won", "done"))
        for p in entity.pipelines.values()
        if f"{p.field}_type" in entity.fields
    ]
    if not ended:
        return {}
    taken = sa.select(moves.c.record).where(moves.c.pool == pool.key, moves.c.at >= since, moves.c.act.in_(TAKEN))
    owner = row[short(pool.owner)]
    found = sa.select(owner, sa.func.count()).select_from(scope.joined())
    found = found.where(row.id.in_(taken), row.deleted_at.is_(None), owner.is_not(None), sa.or_(*ended))
    rows: Any = session.execute(found.group_by(owner))
    return {row[0]: row[1] for row in rows}
