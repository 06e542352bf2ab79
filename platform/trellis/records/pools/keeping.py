"""Every change of an owner sets the clock, in the transaction of the change, whatever made it.

It hangs on the events of the door, so that page, API, import, bulk edit, workflow, assignment, conversion, merge, undo
and the bin all come by here. What it writes (the fields that a pool gives its entity, and the clock) is no change of
the record itself: it has no history of its own and moves no version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from uuid_utils.compat import uuid7

from trellis.formula.types import Ref
from trellis.model.pool import FIELDS, LOCKED_UNTIL, OWNER_SINCE, PREVIOUS_OWNER, RETURNS_AT, STAGE, UPDATE, Pool
from trellis.records.draft import Event
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.pools import clock as clocks
from trellis.records.pools.clock import Clock, Hand
from trellis.records.pools.which import Pools, Renewing, holds, is_true, name_of, pools_of

if TYPE_CHECKING:
    from trellis.records.session import Session

CHANGES = frozenset({"created", "updated", "converted", "merged", "restored", "unmerged"})
CLAIM, ASSIGN, RETURN, RELEASE = "claimed", "assigned", "returned", "released"
HAND, LOCK, UNLOCK, DISTRIBUTE = "handed", "locked", "unlocked", "distributed"


@dataclass
class Touch:
    """What has happened to a record that a pool may care about."""

    renews: set[str] = field(default_factory=set)  # pool/rule
    begins: bool = False  # the clock begins anew: the record is new, or came out of the bin
    owner: tuple[UUID | None, UUID | None] | None = None  # whose it was, and whose it is


def after_events(session: Session, events: Sequence[Event]) -> None:
    """Set the clocks of the records that the events are about."""
    pools = pools_of(session.model)
    if not pools.of:
        return
    touched: dict[str, dict[UUID, Touch]] = defaultdict(lambda: defaultdict(Touch))
    graph = StoreGraph(session)
    for event in events:
        if event.entity in pools.of and event.kind in CHANGES:
            _own(session, pools, event, touched[event.entity])
        if event.entity in pools.renewing and event.kind in ("created", "updated", "linked"):
            for entity, id, rule in _renewed(graph, pools.renewing[event.entity], event):
                touched[entity][id].renews.add(rule)
    for entity, touches in touched.items():
        if touches:
            settle(session, entity, touches, graph)


def _own(session: Session, pools: Pools, event: Event, touches: dict[UUID, Touch]) -> None:
    """A change of a record that may lie in a pool."""
    of = pools.of[event.entity]
    owner, looked = of[0].owner, pools.words[event.entity]
    changed = event.changed.keys()
    if event.kind in ("created", "restored"):
        touches[event.id].begins = True
    elif event.kind in ("updated", "converted", "merged") and looked and not looked & changed:
        return
    touch = touches[event.id]
    if event.kind != "created" and owner in event.changed:
        was, now = event.changed[owner]
        touch.owner = (_id(was), _id(now))
    if event.kind in ("updated", "converted"):
        stages = {p.field for p in session.model.entities[event.entity].pipelines.values()}
        for pool, rule in clocks.rules_of(of):
            words = {renewal.word for renewal in rule.without}
            if (STAGE in words and stages & changed) or (UPDATE in words and changed - {owner}):
                touch.renews.add(name_of(pool, rule))


def _renewed(graph: StoreGraph, renewing: Sequence[Renewing], event: Event) -> Iterable[tuple[str, UUID, str]]:
    """The clocks that a record of another entity renews: those of what it points to."""
    for one in renewing:
        moved = event.changed.get(one.field)
        value = moved[1] if moved is not None else None
        if event.kind == "updated" and one.when is None and moved is None:
            continue  # it has renewed the clock when it was made
        record: LiveRecord | None = None
        if one.when is not None or (moved is None and event.kind == "updated"):
            record = graph.follow(Ref(event.entity, event.id))
            if record is None:
                continue
            value = record.value(one.field)
            if one.when is not None and not is_true(one.when, record):
                continue
        for ref in value if isinstance(value, tuple) else (value,):
            if isinstance(ref, Ref) and ref.entity == one.entity:
                yield one.entity, ref.id, one.rule


def _id(value: Any) -> UUID | None:
    return value.id if isinstance(value, Ref) else None


def settle(
    session: Session,
    entity: str,
    touches: Mapping[UUID, Touch],
    graph: StoreGraph | None = None,
    *,
    not_before: datetime | None = None,
) -> None:
    """Write the clocks of records anew, after what has happened to them."""
    pools, now = pools_of(session.model).of.get(entity, ()), session.reader.now
    if not pools or not touches:
        return
    graph = graph or StoreGraph(session)
    records = graph.load(entity, touches)
    stored = read_clocks(session, entity, [record.id for record in records])
    columns: list[dict[str, Any]] = []
    written: list[dict[str, Any]] = []
    moves: list[dict[str, Any]] = []
    for record in records:
        touch = touches[record.id]
        owner = _id(record.value(pools[0].owner))
        known = stored.get(record.id)
        fresh = known is None or known.owner != owner or touch.begins or touch.owner is not None
        clock = clocks.start(pools, owner, now) if fresh or known is None else known
        clock = clock if fresh else clocks.renew(pools, clock, touch.renews, now)
        if not_before is not None:
            clock = clocks.postponed(clock, not_before)
        row = _columns(record, clock, touch, now, fresh=fresh, known=known)
        returns, due = dates(pools, record, clock, row[LOCKED_UNTIL], now)
        columns.append({**row, RETURNS_AT: returns})
        written.append(_row(entity, record.id, clock, due))
        if touch.owner is not None and touch.owner[0] != touch.owner[1]:
            moves.append(_move(session, pools, record, *touch.owner))
    _write(session, entity, columns, written)
    if moves:
        session.execute(sa.insert(session.tables.platform.pool_move), moves)


def dates(
    pools: Sequence[Pool], record: LiveRecord, clock: Clock, locked_until: datetime | None, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """When the record goes back as it is now, and when somebody must look at it next."""
    rules = holding_rules(pools, record)
    returns = clocks.returns_at(clock, rules, locked_until if locked_until and locked_until > now else None)
    due = clocks.due_at(returns, clock, rules, now)
    if due is None and clock.owner is not None and (all_ := clocks.returns_at(clock, _all(pools), locked_until)):
        # a condition may look at other records, whose changes come by here with no word of this one
        due = all_ if _looks_elsewhere(pools) else None
    return returns, due


def holding_rules(pools: Sequence[Pool], record: LiveRecord) -> list[Any]:
    """The rules that hold for a record as it is now."""
    return [(p, r) for p in pools if holds(p, record) for r in p.rules if is_true(r.when, record)]


def _all(pools: Sequence[Pool]) -> list[Any]:
    return list(clocks.rules_of(pools))


def _looks_elsewhere(pools: Sequence[Pool]) -> bool:
    formulas = [f for p in pools for f in (p.filter, *(r.when for r in p.rules)) if f is not None]
    return any(len(path) > 1 or "now" in f.uses for f in formulas for path in f.reads)


def _columns(
    record: LiveRecord, clock: Clock, touch: Touch, now: datetime, *, fresh: bool, known: Clock | None
) -> dict[str, Any]:
    """The fields that a pool gives its entity, as they are from now on."""
    row = record.row or {}
    found = {
        "_id": record.id,
        OWNER_SINCE: row.get(OWNER_SINCE),
        PREVIOUS_OWNER: row.get(PREVIOUS_OWNER),
        LOCKED_UNTIL: row.get(LOCKED_UNTIL),
    }
    handed = touch.owner is not None or (known is not None and known.owner != clock.owner)
    if fresh and (handed or found[OWNER_SINCE] is None):
        found[OWNER_SINCE] = now if touch.begins or handed else row.get("created_at") or now
    if handed:
        before = touch.owner[0] if touch.owner is not None else known.owner if known is not None else None
        found[PREVIOUS_OWNER] = before or found[PREVIOUS_OWNER]
        found[LOCKED_UNTIL] = None  # it was the one's who had it
    return found


def _move(
    session: Session, pools: Sequence[Pool], record: LiveRecord, was: UUID | None, now: UUID | None
) -> dict[str, Any]:
    """What the log of pools tells of an owner's change."""
    cause = session.cause if isinstance(session.cause, Mapping) else {}
    act = RETURN if now is None else HAND if was is not None else ASSIGN
    pool = cause.get("pool") or next((p.key for p in pools if holds(p, record)), None)
    return {
        "id": uuid7(),
        "at": session.reader.now,
        "entity": record.entity,
        "record": record.id,
        "pool": pool,
        "act": cause.get("act") or act,
        "whose": was,
        "to": now,
        "by": session.principal.id,
        "reason": cause.get("reason"),
    }


def read_clocks(session: Session, entity: str, ids: Collection[UUID]) -> dict[UUID, Clock]:
    """The clocks of records, as they are kept."""
    table = session.tables.platform.pool_clock
    rows = session.execute(sa.select(table).where(table.c.entity == entity, table.c.record.in_(list(ids))))
    return {
        row.record: Clock(
            row.owner,
            row.since,
            {name: Hand(*(datetime.fromisoformat(at) for at in pair)) for name, pair in row.hands.items()},
        )
        for row in rows
    }


def _row(entity: str, id: UUID, clock: Clock, due: datetime | None) -> dict[str, Any]:
    hands = {name: [hand.since.isoformat(), hand.until.isoformat()] for name, hand in clock.hands.items()}
    return {"entity": entity, "record": id, "owner": clock.owner, "since": clock.since, "hands": hands, "due_at": due}


def _write(session: Session, entity: str, columns: list[dict[str, Any]], written: list[dict[str, Any]]) -> None:
    table, kept = session.table(entity), session.tables.platform.pool_clock
    given: dict[str, Any] = {name: sa.bindparam(f"_{name}") for name in FIELDS}
    update = sa.update(table).where(table.c.id == sa.bindparam("_id")).values(given)
    session.execute(update, [{k if k == "_id" else f"_{k}": v for k, v in row.items()} for row in columns])
    made = insert(kept)
    fresh = {name: made.excluded[name] for name in ("owner", "since", "hands", "due_at")}
    session.execute(made.on_conflict_do_update(index_elements=["entity", "record"], set_=fresh), written)


def set_due(session: Session, entity: str, id: UUID, due: datetime | None) -> None:
    """Have somebody look at a record at a moment."""
    table = session.tables.platform.pool_clock
    one = sa.update(table).where(table.c.entity == entity, table.c.record == id)
    session.execute(one.values(due_at=due))
