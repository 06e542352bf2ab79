"""What is decided about a person's data: kept by law, not to be worked with, erased."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.records import auditing
from trellis.records.merging.lookup import with_losers
from trellis.records.privacy.finding import refused, require
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.records.session import Session

State = Literal["hold", "restricted", "erased"]
KINDS = {
    ("hold", True): "privacy.held",
    ("hold", False): "privacy.released",
    ("restricted", True): "privacy.restricted",
    ("restricted", False): "privacy.unrestricted",
}
LONGEST = 500
KEPT = "The law keeps this data: {reason}"


@dataclass(frozen=True, slots=True)
class Standing:
    """One decision, with why and by whom."""

    state: str
    reason: str
    at: datetime
    by_name: str


def standing(session: Session, entity: str, id: UUID) -> dict[str, Standing]:
    """What is decided about a record, and about those that were merged into it, by state."""
    table = session.tables.platform.privacy
    ours = sa.select(table).where(table.c.entity == entity, table.c.record.in_(with_losers(session, entity, id)))
    ours = ours.where(sa.or_(table.c.record == id, table.c.state != "erased"))  # the winner's own data is there
    rows = session.execute(ours.order_by(table.c.record == id, table.c.at)).mappings()  # its own comes last, and stays
    return {r["state"]: Standing(r["state"], r["reason"] or "", r["at"], r["by_name"] or "") for r in rows}


def kept_by_law(session: Session, records: Mapping[str, Collection[UUID]]) -> list[Fault]:
    """Why some of the records may not be destroyed: the law, or the person themselves, wants them kept.

    What was merged into one of them is kept with it.
    """
    table, merged = session.tables.platform.privacy, session.tables.platform.merged
    either = []
    for key, ids in records.items():
        losers = sa.select(merged.c.loser).where(merged.c.entity == key, merged.c.winner.in_(list(ids)))
        same = sa.or_(table.c.record.in_(list(ids)), table.c.record.in_(losers))
        either.append(sa.and_(table.c.entity == key, same))
    states = ["hold"] if session.is_erasing else ["hold", "restricted"]
    held = sa.select(table.c.state, table.c.reason).where(table.c.state.in_(states), sa.or_(sa.false(), *either))
    found = session.execute(held.order_by(table.c.state).limit(1)).first()
    if found is None:
        return []
    if found.state == "restricted":
        return [Fault("privacy", "The processing of this person's data is restricted: it may not be changed.")]
    return [Fault("privacy", KEPT, None, {"reason": found.reason or ""})]


def decide(session: Session, entity: str, id: UUID, state: State, on: bool, reason: str = "") -> None:
    """Keep a person's data by law or no longer, or restrict its processing. Raises Refused without a reason."""
    require(session, entity, id)
    if state == "erased":
        raise ValueError("what is erased is so for good")
    if on and not reason.strip():
        raise refused("Say why, so that others can judge it later.")
    table = session.tables.platform.privacy
    if on:
        mark(session, entity, id, state, reason)
    else:
        ours = table.c.record.in_(with_losers(session, entity, id))
        session.execute(sa.delete(table).where(table.c.entity == entity, table.c.state == state, ours))
    session.forget_restricted()
    details = {"reason": reason.strip()[:LONGEST]} if reason.strip() else None
    auditing.note(session, KINDS[state, on], entity=entity, record=id, details=details)


def mark(session: Session, entity: str, id: UUID, state: State, reason: str = "") -> None:
    """Write a decision down."""
    table, principal = session.tables.platform.privacy, session.principal
    row = {
        "entity": entity,
        "record": id,
        "state": state,
        "reason": reason.strip()[:LONGEST].replace("\0", "") or None,
        "at": session.reader.now,
        "by": principal.id,
        "by_name": principal.name or None,
    }
    changed = {name: row[name] for name in ("reason", "at", "by", "by_name")}
    statement = insert(table).values(**row)
    session.execute(statement.on_conflict_do_update(index_elements=["entity", "record", "state"], set_=changed))
