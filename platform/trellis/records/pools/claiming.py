"""Taking records out of a pool and putting them back: claimed by a member, assigned by an admin, returned, locked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.model.pool import LOCKED_UNTIL, Pool
from trellis.records.draft import Draft
from trellis.records.pools import standing, twins
from trellis.records.pools.keeping import ASSIGN, CLAIM, DISTRIBUTE, LOCK, RETURN, UNLOCK, Touch, settle
from trellis.records.pools.usage import Usage, again_at, team_of, usage_of
from trellis.records.pools.which import holds, pools_of
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.writing import write

if TYPE_CHECKING:
    from trellis.records.session import Session
    from trellis.records.store import Store

LONGEST = 500  # characters of a reason
MOST = 200  # records at once


@dataclass(frozen=True)
class Outcome:
    """What became of one record: done, or why not."""

    id: UUID
    error: Exception | None = None

    @property
    def done(self) -> bool:
        """Whether it was done."""
        return self.error is None


def pool_of(session: Session, key: str) -> Pool:
    """A pool that is on, for one of its members. Raises Missing and Forbidden."""
    pool = session.model.pools.get(key)
    if pool is None or not pool.active:
        raise Missing(key)
    if not standing.is_member(session, pool):
        raise Forbidden(pool.entity, "claim")
    return pool


def _require_writing(session: Session, entity: str) -> None:
    """Raise Forbidden for an API key that may only read."""
    if not session.permit.covers("update", entity):
        raise Forbidden(entity, "update")


def claim(store: Store, key: str, ids: Sequence[UUID], *, means: str = "page") -> list[Outcome]:
    """Take records of a pool for oneself, each for itself: the first who asks gets it, and within the pool's limits."""
    session = store.session
    me = session.reader.me
    if me is None:
        raise Forbidden(key, "claim")

    with session.transaction():
        pool = pool_of(session, key)
        _require_writing(session, pool.entity)

        def one(id: UUID) -> None:
            draft = _free(session, pool, id, means)
            _refuse(_limits(session, pool, usage_of(session, pool, me.id), me.id, draft))
            _hand(session, draft, pool, str(me.id))

        _in_turn(session, pool, me.id)
        if pool.claim.team_holding is not None and (team := team_of(session, me.id)) is not None:
            _in_turn(session, pool, team)
        return _each(session, pool, ids, CLAIM, one)


def assign(store: Store, key: str, ids: Sequence[UUID], to: UUID, *, means: str = "page") -> list[Outcome]:
    """Give records of a pool to somebody: its admins may, and no limit of the pool stands in their way."""
    session = store.session
    with session.transaction():
        pool = pool_of(session, key)
        _require_writing(session, pool.entity)
        if not standing.is_admin(session, pool):
            raise Forbidden(pool.entity, "assign")

        def one(id: UUID) -> None:
            _hand(session, _free(session, pool, id, means), pool, str(to))

        return _each(session, pool, ids, ASSIGN, one)


def give_back(
    store: Store, entity: str, ids: Sequence[UUID], reason: str = "", *, means: str = "page"
) -> list[Outcome]:
    """Put records back into their pool: whose they are may, and the pool's admins."""
    session = store.session

    with session.transaction():
        pools = pools_of(session.model).of.get(entity, ())
        _require_writing(session, entity)

        def one(id: UUID) -> None:
            draft = _open(session, entity, id, means)
            pool = next((p for p in pools if holds(p, draft.record)), None)
            owner = draft.record.value(pool.owner) if pool is not None else None
            if pool is None or owner is None:
                raise Refused([Fault("pool", "This belongs to no pool that it could go back to.")])
            if not _is_mine(session, owner) and not standing.is_admin(session, pool):
                raise Forbidden(entity, "return")
            _hand(session, draft, pool, None)

        key = pools[0].key if pools else ""
        return _each(session, pools[0] if pools else None, ids, RETURN, one, reason=reason[:LONGEST], key=key)


def lock(store: Store, entity: str, id: UUID, *, on: bool = True, means: str = "page") -> None:
    """Keep a record from going back for as long as the pool lets one, or let go of it again."""
    session = store.session
    with session.transaction():
        pool = next((p for p in pools_of(session.model).of.get(entity, ()) if p.lock is not None), None)
        if pool is None or pool.lock is None:
            raise Missing(entity)
        _require_writing(session, entity)
        draft = _open(session, entity, id, means)
        owner = draft.record.value(pool.owner)
        if owner is None or not (_is_mine(session, owner) or standing.is_admin(session, pool)):
            raise Forbidden(entity, "lock")
        _in_turn(session, pool, owner.id)
        now, until = session.reader.now, draft.record.value(LOCKED_UNTIL)
        is_locked = until is not None and until > now
        if on == is_locked:
            return
        if on:
            _refuse(twins.kept_from(session, draft.record, session.principal.id))
            usage = usage_of(session, pool, owner.id)
            if usage.locks is not None and usage.locked >= usage.locks:
                said = "{count} of {most} records are locked already. Unlock one first."
                raise Refused([Fault("pool", said, None, {"count": usage.locked, "most": usage.locks})])
        end = (pool.lock.span.after(now) if pool.lock.span is not None else _FOR_EVER) if on else None
        with _because(session, pool, LOCK if on else UNLOCK):
            draft.set(LOCKED_UNTIL, end)
            _store(session, draft)
            settle(session, entity, {id: Touch()})
            _note(session, pool, id, LOCK if on else UNLOCK, owner.id)


_FOR_EVER = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


def _each(
    session: Session,
    pool: Pool | None,
    ids: Sequence[UUID],
    act: str,
    one: Callable[[UUID], None],
    *,
    reason: str = "",
    key: str = "",
) -> list[Outcome]:
    """Each record for itself, in one order for everybody, so that two who take many do not wait for each other."""
    if len(ids) > MOST:
        raise Refused([Fault("many", "At most {most} records at once. Select fewer.", None, {"most": MOST})])
    outcomes: dict[UUID, Outcome] = {}
    for id in sorted(set(ids)):
        try:
            with session.write(), _because(session, pool, act, reason):
                one(id)
            outcomes[id] = Outcome(id)
        except (Refused, Forbidden, Missing) as error:
            outcomes[id] = Outcome(id, error)
    return [outcomes[id] for id in dict.fromkeys(ids)]


def _free(session: Session, pool: Pool, id: UUID, means: str) -> Draft:
    """A record that lies in the pool, locked: whoever wanted it at the same moment finds it gone."""
    draft = _open(session, pool.entity, id, means)
    if not standing.lies(pool, draft.record):
        said = "It is not in the pool any more: somebody else was faster."
        raise Refused([Fault("pool", said)])
    return draft


def _open(session: Session, entity: str, id: UUID, means: str) -> Draft:
    with session.as_system():
        return write.open_for_update(session, entity, id, means=means)


def hand(session: Session, pool: Pool, id: UUID, to: UUID, reason: str) -> bool:
    """Give somebody a record that lies in the pool, as its distribution says; False when it is not there any more."""
    try:
        with session.write(), _because(session, pool, DISTRIBUTE, reason):
            _hand(session, _free(session, pool, id, "workflow"), pool, str(to))
    except (Refused, Forbidden, Missing):
        return False
    return True


def _hand(session: Session, draft: Draft, pool: Pool, to: str | None) -> None:
    with session.as_system():
        write.prepare(session, draft, {pool.owner: to})
        write.check_all(session, [draft])
        write.refuse([draft])
        write.store_changed(session, [draft])


def _store(session: Session, draft: Draft) -> None:
    with session.as_system():
        write.refuse([draft])
        write.store_changed(session, [draft])


def _is_mine(session: Session, owner: Any) -> bool:
    return session.reader.me is not None and owner == session.reader.me


@contextmanager
def _because(session: Session, pool: Pool | None, act: str, reason: str = "") -> Iterator[None]:
    """Have the history say why."""
    before = session.cause
    said = {"pool": pool.key if pool is not None else "", "act": act, **({"reason": reason} if reason else {})}
    session.cause = {**(before if isinstance(before, dict) else {}), **said}
    try:
        yield
    finally:
        session.cause = before


def _in_turn(session: Session, pool: Pool, user: UUID) -> None:
    """One after the other for each person: two claims of theirs at the same moment do not exceed the limits."""
    key = f"pool:{session.tenant.schema}:{pool.key}:{user}"
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))


def _limits(session: Session, pool: Pool, usage: Usage, me: UUID, draft: Draft) -> Fault | None:
    """What stands in the way of a claim, with when it may be tried again."""
    if usage.per_day is not None and usage.today >= usage.per_day:
        said = "You have claimed {count} of {most} today. You may claim again from {again}."
        return Fault("pool", said, None, {"count": usage.today, "most": usage.per_day, "again": usage.tomorrow})
    if usage.holding is not None and usage.held >= usage.holding:
        said = "You hold {count} of {most} already. Return or finish one first."
        return Fault("pool", said, None, {"count": usage.held, "most": usage.holding})
    if usage.team_holding is not None and usage.team_held >= usage.team_holding:
        said = "Your team holds {count} of {most} already. Return or finish one first."
        return Fault("pool", said, None, {"count": usage.team_held, "most": usage.team_holding})
    if (kept := twins.kept_from(session, draft.record, me)) is not None:
        return kept
    again = again_at(session, pool, me, draft.record.id)
    if again is not None:
        return Fault(
            "pool", "It was yours until a while ago. You may claim it again from {again}.", None, {"again": again}
        )
    return None


def _refuse(fault: Fault | None) -> None:
    if fault is not None:
        raise Refused([fault])


def _note(session: Session, pool: Pool, id: UUID, act: str, owner: UUID) -> None:
    session.execute(
        sa.insert(session.tables.platform.pool_move).values(
            id=uuid7(),
            at=session.reader.now,
            entity=pool.entity,
            record=id,
            pool=pool.key,
            act=act,
            whose=owner,
            to=owner,
            by=session.principal.id,
        )
    )
