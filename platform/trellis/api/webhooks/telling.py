"""Who listens is told: events become messages of the webhooks that want them, in the transaction that takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.api.webhooks.body import message_body
from trellis.api.webhooks.choosing import called, compile_condition, meets
from trellis.api.webhooks.delivering import wake
from trellis.api.webhooks.state import stop
from trellis.api.webhooks.webhook import PAUSED, Webhook, read_webhooks
from trellis.automation.events import Happening, listener
from trellis.formula.clock import real
from trellis.formula.errors import FormulaError
from trellis.identity.person import has_right, principal_for, read_person_by_id
from trellis.records.store import Store

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

LANGUAGE = "en"  # texts are read as programs write them, whatever the owner's language


@listener("webhooks")
def tell(connection: Connection, tenant: Tenant, happened: Sequence[Happening]) -> None:
    """Make the messages, and ask for them to be sent."""
    for webhook in read_webhooks(connection, tenant, active=True):
        mine = [(event, h) for h in happened if (event := called(webhook, h, tenant.model)) is not None]
        if not mine:
            continue
        store = store_of(connection, tenant, webhook)
        if store is None:
            stop(connection, tenant, webhook, PAUSED, "owner")
            continue
        rows = _messages(store, webhook, mine)
        if rows:
            connection.execute(sa.insert(tenant.tables.platform.webhook_message), rows)
            wake(connection, webhook.id)


def store_of(connection: Connection, tenant: Tenant, webhook: Webhook) -> Store | None:
    """The door as the webhook's owner has it; None when the owner may not sign in or use the API any more."""
    person = read_person_by_id(connection, tenant, webhook.owner)
    if person is None or not has_right(tenant, person, "api"):
        return None
    return Store(tenant, principal_for(tenant, person, LANGUAGE), cause={"webhook": str(webhook.id)})


def _messages(store: Store, webhook: Webhook, mine: Sequence[tuple[str, Happening]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    now = real()
    with store.transaction():
        condition = None
        if webhook.formula:
            try:
                condition = compile_condition(store, webhook.entity, webhook.formula)
            except FormulaError:
                return []  # the page says so: it names what there is no more
        for event, happening in mine:
            if happening.entity not in store.tenant.model.entities:
                continue
            if condition is not None and not meets(store, condition, happening):
                continue
            id: UUID = uuid7()
            body = message_body(store, id, event, happening)
            if body is not None:
                rows.append(
                    {
                        "id": id,
                        "webhook": webhook.id,
                        "at": now,
                        "type": f"{happening.entity}.{event}",
                        "entity": happening.entity,
                        "record": happening.record,
                        "body": body.decode(),
                        "next_at": now,
                    }
                )
    return rows
