"""Who a merged record was shared with may do the same with the winner; an undoing takes that back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.formula.types import Ref
from trellis.storage.sharing import WRITE

if TYPE_CHECKING:
    from trellis.records.merging.moving import Moving
    from trellis.records.session import Session


def carry(moving: Moving) -> None:
    """The losers' shares hold for the winner; of two with the same person or team, the more open one does.

    The losers' own stay where they are, for the undoing.
    """
    session, winner = moving.session, moving.winner.id
    table = session.tables.platform.share
    rows = session.execute(
        sa.select(table)
        .where(table.c.entity == moving.entity, table.c.record.in_(moving.everyone))
        .order_by(table.c.id)
    ).mappings()
    of: dict[UUID, list[Any]] = {id: [] for id in moving.everyone}
    for row in rows:
        of[row["record"]].append(row)
    mine = {(row["user"], row["team"]): dict(row) for row in of[winner]}
    for loser in moving.ids:
        for row in of[loser]:
            there = mine.get((row["user"], row["team"]))
            if there is None:
                new = {**row, "id": uuid7(), "record": winner}
                session.execute(sa.insert(table).values(**new))
                mine[row["user"], row["team"]] = new
                moving.note("share", moving.entity, "", loser, [new["id"]])
                continue
            wider = {
                "level": WRITE if WRITE in (row["level"], there["level"]) else there["level"],
                "until": None if None in (row["until"], there["until"]) else max(row["until"], there["until"]),
            }
            before = {name: there[name] for name in wider}
            if wider != before:
                session.execute(sa.update(table).where(table.c.id == there["id"]).values(**wider))
                told = {**before, "until": before["until"].isoformat() if before["until"] else None}
                moving.note("share_level", moving.entity, "", loser, [there["id"]], told)
                there |= wider


def shares_back(session: Session, move: Any, here: Ref, titles: Mapping[UUID, Ref], means: str) -> int:
    """What the merge shared is shared no more; the records that are live again have their own."""
    table = session.tables.platform.share
    session.execute(sa.delete(table).where(table.c.id.in_(move["records"]), table.c.record == here.id))
    return 0


def levels_back(session: Session, move: Any, here: Ref, titles: Mapping[UUID, Ref], means: str) -> int:
    """What the merge opened further is as it was."""
    table = session.tables.platform.share
    before = move["before"]
    until = sa.cast(sa.literal(before["until"], sa.Text()), sa.Date())
    mine = table.c.id.in_(move["records"]) & (table.c.record == here.id)
    session.execute(sa.update(table).where(mine).values(level=before["level"], until=until))
    return 0
