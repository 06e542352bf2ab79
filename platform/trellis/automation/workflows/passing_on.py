"""Letting somebody else decide in one's place, or together with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.automation.channels import recipients
from trellis.automation.clock import now
from trellis.automation.workflows.approvals import Row, call_on, mine
from trellis.records.refusal import Fault, Refused

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

When = Literal["before", "beside", "after"]


def delegate(connection: sa.Connection, tenant: Tenant, id: UUID, user: UUID, to: UUID, comment: str = "") -> None:
    """Let somebody else answer in one's place. Raises NotAsked, and Refused for somebody who cannot."""
    row = mine(connection, tenant, id, user)
    _may_be_asked(connection, tenant, row, to)
    table = tenant.tables.platform.approval
    values = {"state": "delegated", "decided_at": now(), "decided_by": user, "comment": comment or None, "token": None}
    connection.execute(sa.update(table).where(table.c.id == id).values(**values))
    _ask(connection, tenant, row, to, state="pending", turn=row["turn"])


def add(connection: sa.Connection, tenant: Tenant, id: UUID, user: UUID, to: UUID, when: When = "before") -> None:
    """Ask somebody else too: before one decides oneself, beside one, or after one. Raises NotAsked, and Refused.

    They count like everybody who is asked. Who has asked somebody before themselves is asked again after that.
    """
    row = mine(connection, tenant, id, user)
    _may_be_asked(connection, tenant, row, to)
    table = tenant.tables.platform.approval
    if when == "beside":
        _ask(connection, tenant, row, to, state="pending", turn=row["turn"])
        return
    later = table.c.run == row["run"], table.c.place == row["place"], table.c.turn > row["turn"]
    connection.execute(sa.update(table).where(*later).values(turn=table.c.turn + 1))
    if when == "after":
        _ask(connection, tenant, row, to, state="queued", turn=row["turn"] + 1)
        return
    connection.execute(sa.update(table).where(table.c.id == id).values(state="queued", turn=row["turn"] + 1))
    _ask(connection, tenant, row, to, state="pending", turn=row["turn"])


def _may_be_asked(connection: sa.Connection, tenant: Tenant, row: Row, to: UUID) -> None:
    """Somebody who works here, is not asked already, and has not asked for it."""
    table = tenant.tables.platform.approval
    step = sa.select(table).where(table.c.run == row["run"], table.c.place == row["place"]).with_for_update()
    asked = {one["user"] for one in connection.execute(step).mappings() if one["state"] not in ("delegated", "over")}
    if not recipients(connection, tenant, [to]):
        raise Refused([Fault("person", "That person does not work here any more. Choose somebody else.", "_to")])
    if to == row["asked_by"]:
        raise Refused([Fault("person", "That person has asked for it, and cannot decide it too.", "_to")])
    if to in asked:
        raise Refused([Fault("person", "That person is asked already. Choose somebody else.", "_to")])


def _ask(connection: sa.Connection, tenant: Tenant, row: Row, to: UUID, **values: Any) -> None:
    table = tenant.tables.platform.approval
    made = {**row, "id": uuid7(), "user": to, "created_at": now(), "token": None, **values}
    connection.execute(sa.insert(table).values(**made))
    same = table.c.run == row["run"], table.c.place == row["place"]
    also = sa.update(table).where(*same, sa.literal(row["user"]) == sa.any_(table.c.edit))
    connection.execute(also.values(edit=sa.func.array_append(table.c.edit, to)))  # what one may change, they may
    if made["state"] == "pending":
        call_on(connection, tenant, made)
