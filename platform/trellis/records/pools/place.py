"""Where one record stands with its pools, for one person: what a page and the API tell of it, and what they offer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from trellis.formula.types import Ref
from trellis.model.pool import LOCKED_UNTIL, OWNER_SINCE, RETURNS_AT, Pool
from trellis.records.graph import StoreGraph
from trellis.records.pools import standing
from trellis.records.pools.usage import Usage, again_at, usage_of
from trellis.records.pools.which import holds, pools_of

if TYPE_CHECKING:
    from trellis.records.store import Store


@dataclass(frozen=True)
class Place:
    """A record that is in a pool, or that somebody has and could go back to one."""

    pool: Pool
    is_free: bool
    since: datetime | None  # in the pool, or with its owner
    returns_at: datetime | None
    locked_until: datetime | None
    again_at: datetime | None  # from when on this person may claim it
    may_claim: bool
    may_assign: bool
    may_return: bool
    may_lock: bool
    hidden: tuple[str, ...]  # the fields that are kept from this person until it is claimed


def place_of(store: Store, entity: str, id: UUID) -> Place | None:
    """Where a live record stands; None when no pool has to do with it."""
    session = store.session
    pools = pools_of(session.model).of.get(entity, ())
    if not pools or session.permit.is_portal:
        return None
    with store.transaction():
        record = StoreGraph(session).follow(Ref(entity, id))
        if record is None or record.value("deleted_at") is not None:
            return None
        owner, me = record.value(pools[0].owner), session.reader.me
        fitting = [pool for pool in pools if holds(pool, record)]
        pool = next((p for p in fitting if owner is not None or standing.is_member(session, p)), None)
        if pool is None:
            return None
        member, admin = standing.is_member(session, pool), standing.is_admin(session, pool)
        mine = owner is not None and (owner == me or admin)
        locked = record.value(LOCKED_UNTIL)
        is_free = owner is None
        return Place(
            pool=pool,
            is_free=is_free,
            since=record.value(OWNER_SINCE),
            returns_at=record.value(RETURNS_AT),
            locked_until=locked if locked is not None and locked > session.reader.now else None,
            again_at=again_at(session, pool, me.id, id) if is_free and me is not None else None,
            may_claim=is_free and member and me is not None,
            may_assign=is_free and admin,
            may_return=mine,
            may_lock=mine and pool.lock is not None,
            hidden=tuple(sorted(standing.hidden_in(session, record))),
        )


def open_pools(store: Store) -> list[Pool]:
    """The pools that this person may see."""
    every = [pool for pools in pools_of(store.tenant.model).of.values() for pool in pools]
    if not every:
        return []
    with store.transaction():
        return [pool for pool in every if standing.is_member(store.session, pool)]


def own_usage(store: Store, key: str) -> Usage | None:
    """How far this person has used what a pool allows; None for somebody who is no person, or no member."""
    pool, me = store.tenant.model.pools.get(key), store.principal.reader.me
    if pool is None or me is None or not pool.active:
        return None
    with store.transaction():
        return usage_of(store.session, pool, me.id) if standing.is_member(store.session, pool) else None


def may_assign(store: Store, pool: Pool) -> bool:
    """Whether this person may give what lies in the pool to others."""
    with store.transaction():
        return standing.is_admin(store.session, pool)
