"""What a webhook's state becomes, by itself or by hand; noted in the audit log."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from trellis.api.webhooks.webhook import ACTIVE, Webhook
from trellis.automation.mail.words import words
from trellis.automation.notices import tell
from trellis.identity.person import PERSON, is_active
from trellis.storage.audit import note

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

log = logging.getLogger(__name__)


def stop(connection: Connection, tenant: Tenant, webhook: Webhook, state: str, reason: str) -> None:
    """Pause or disable a webhook: it is told of nothing until somebody starts it again."""
    _set(connection, tenant, webhook, state, reason)
    kind = "webhook.changed" if reason == "by_hand" else "webhook.disabled"
    details = {"state": state, "reason": reason}
    note(connection, tenant, kind, entity="webhook", record=webhook.id, label=webhook.name, details=details)
    if reason != "by_hand":
        log.warning("webhook %s of %s is %s: %s", webhook.id, tenant.slug, state, reason)
        _tell_administrators(connection, tenant, webhook, reason)


def start(connection: Connection, tenant: Tenant, webhook: Webhook) -> None:
    """Let a webhook be told again, from now on; what still waits is sent."""
    from trellis.api.webhooks.delivering import wake

    _set(connection, tenant, webhook, ACTIVE, None)
    details = {"state": ACTIVE}
    note(
        connection, tenant, "webhook.changed", entity="webhook", record=webhook.id, label=webhook.name, details=details
    )
    table = tenant.tables.platform.webhook_message
    waiting = sa.and_(table.c.webhook == webhook.id, table.c.state == "waiting")
    connection.execute(sa.update(table).where(waiting).values(next_at=sa.func.now()))
    wake(connection, webhook.id)


def _tell_administrators(connection: Connection, tenant: Tenant, webhook: Webhook, reason: str) -> None:
    """A notice for everybody who can do something about it, each in their language."""
    user, tables = tenant.tables.entity[PERSON], tenant.tables
    roles = [key for key, role in tenant.model.roles.items() if "admin" in role.allow]
    if not {"roles", "language"} <= set(user.c.keys()):
        return
    login = tables.metadata.tables["ab_user"]
    query = sa.select(user.c.id, user.c.language).join(login, login.c.id == user.c.login)
    may_sign_in = sa.and_(user.c.deleted_at.is_(None), is_active(user), login.c.active)
    for row in connection.execute(query.where(may_sign_in, user.c.roles.overlap(roles))):
        _ = words(row.language or tenant.profile.language)
        texts = {
            "failing": _("The webhook “%(name)s” is paused: nothing has arrived for two days.", name=webhook.name),
            "gone": _("The webhook “%(name)s” is switched off: its receiver wants no more.", name=webhook.name),
            "owner": _("The webhook “%(name)s” is paused: its person may not use the API.", name=webhook.name),
        }
        address = f"admin/webhooks/{webhook.id}"
        tell(connection, tenant, [row.id], texts[reason], kind="webhook", address=address)


def _set(connection: Connection, tenant: Tenant, webhook: Webhook, state: str, reason: str | None) -> None:
    table = tenant.tables.platform.webhook
    values = {"state": state, "reason": reason, "state_at": datetime.now(UTC), "failing_since": None}
    connection.execute(sa.update(table).where(table.c.id == webhook.id).values(**values))
