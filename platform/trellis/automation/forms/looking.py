"""What administrators see of a form: how much came in, and what was laid aside; and how much one address may send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from trellis.automation.clock import now
from trellis.automation.workflows.codec import thaw
from trellis.model.sealing import unseal

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

MOST, WITHIN = 20, timedelta(minutes=10)  # that one network address may send in
MOST_OF_A_DAY = 300  # a stand at a fair sends all from one place
KEPT = ("spam", "held")


def is_too_much(connection: sa.Connection, tenant: Tenant, sender: str) -> bool:
    """Whether a network address has sent in so much lately that it has to wait."""
    table = tenant.tables.platform.form_entry
    day = sa.select(table.c.at).where(table.c.sender == sender, table.c.at > now() - timedelta(days=1)).subquery()
    lately = sa.func.count().filter(day.c.at > now() - WITHIN)
    soon, all_day = connection.execute(sa.select(lately, sa.func.count()).select_from(day)).one()
    return bool(soon >= MOST or all_day >= MOST_OF_A_DAY)


def counts(connection: sa.Connection, tenant: Tenant, workflow: str, since: timedelta) -> Mapping[str, int]:
    """How many came in, by what became of them."""
    table = tenant.tables.platform.form_entry
    statement = sa.select(table.c.state, sa.func.count()).where(table.c.form == workflow, table.c.at > now() - since)
    return {row[0]: row[1] for row in connection.execute(statement.group_by(table.c.state))}


def laid_aside(
    connection: sa.Connection, tenant: Tenant, workflow: str, limit: int = 20
) -> Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """What waits for somebody to look at it, with its values, the newest first."""
    table = tenant.tables.platform.form_entry
    statement = sa.select(table).where(table.c.form == workflow, table.c.state.in_(KEPT)).order_by(table.c.at.desc())
    found: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = []
    for row in connection.execute(statement.limit(limit)).mappings():
        try:
            values: Any = thaw(orjson.loads(unseal(row["values"]))) if row["values"] else {}
        except ValueError:
            values = {}
        found.append((dict(row), values))
    return found


def throw_away(connection: sa.Connection, tenant: Tenant, id: UUID) -> bool:
    """Forget what was laid aside."""
    table = tenant.tables.platform.form_entry
    gone = sa.delete(table).where(table.c.id == id, table.c.state.in_(KEPT))
    return bool(connection.execute(gone).rowcount)


def purge(connection: sa.Connection, tenant: Tenant) -> None:
    """Forget the values of what was never confirmed or looked at in time; that it was there stays counted."""
    table = tenant.tables.platform.form_entry
    over = table.c.until < now(), table.c["values"].is_not(None)
    forgotten = {"values": None, "secret": None, "sender": None}
    expired = sa.case((table.c.state == "waiting", "expired"), else_=table.c.state)
    connection.execute(sa.update(table).where(*over).values(**forgotten, state=expired))
    counted = sa.update(table).where(table.c.at < now() - timedelta(days=2), table.c.sender.is_not(None))
    connection.execute(counted.values(sender=None))
    connection.execute(sa.delete(table).where(table.c.at < now() - timedelta(days=730)))
