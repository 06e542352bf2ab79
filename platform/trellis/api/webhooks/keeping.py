"""Setting webhooks up: making, changing, stopping, starting, another secret, an end. For administrators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.api.webhooks.choosing import compile_condition
from trellis.api.webhooks.signing import new_secret
from trellis.api.webhooks.state import start, stop
from trellis.api.webhooks.webhook import EVENTS, EVERY, PAUSED, Webhook, read_webhook
from trellis.automation.outgoing import OutgoingFailed, OutgoingRefused, check_address
from trellis.formula.errors import FormulaError
from trellis.identity.person import has_right, principal_for, read_person_by_id
from trellis.model.sealing import seal
from trellis.records.refusal import Fault, Refused
from trellis.records.store import Store
from trellis.storage.audit import note

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

KIND = "webhook"
LONGEST_NAME = 100
LONGEST_FORMULA = 2000
MOST = 50  # webhooks of a tenant: each is asked about each event
OVERLAP = timedelta(hours=24)  # that messages are signed with the old secret, too


@dataclass(frozen=True)
class Wanted:
    """What somebody asks a webhook to be."""

    name: str
    url: str
    entity: str
    events: tuple[str, ...]
    owner: UUID
    formula: str | None = None

    def row(self) -> dict[str, Any]:
        """As columns."""
        return {
            "name": self.name.strip(),
            "url": self.url.strip(),
            "entity": self.entity,
            "events": list(self.events),
            "owner": self.owner,
            "formula": (self.formula or "").strip() or None,
        }


def create(tenant: Tenant, wanted: Wanted, *, by: UUID | None = None) -> tuple[Webhook, str]:
    """Make a webhook; the second part of the answer is its secret, which is told this once. Raises Refused."""
    secret = new_secret()
    table = tenant.tables.platform.webhook
    check(tenant, wanted)
    with tenant.begin() as connection:
        if connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() >= MOST:
            raise Refused([Fault("many", "There are {most} webhooks already. Delete one first.", None, {"most": MOST})])
        id = uuid7()
        row = {**wanted.row(), "id": id, "secret": seal(secret), "created_by": by}
        connection.execute(sa.insert(table).values(**row))
        _note(connection, tenant, "webhook.created", id, wanted.name, _told(wanted))
        return read_webhook(connection, tenant, id), secret


def change(tenant: Tenant, id: UUID, wanted: Wanted) -> Webhook:
    """Change a webhook; what waits goes to the new address. Raises Refused or Missing."""
    check(tenant, wanted)
    table = tenant.tables.platform.webhook
    with tenant.begin() as connection:
        read_webhook(connection, tenant, id, lock=True)
        values = {**wanted.row(), "updated_at": datetime.now(UTC)}
        connection.execute(sa.update(table).where(table.c.id == id).values(**values))
        _note(connection, tenant, "webhook.changed", id, wanted.name, _told(wanted))
        return read_webhook(connection, tenant, id)


def delete(tenant: Tenant, id: UUID) -> None:
    """End a webhook with its messages and its log. Raises Missing."""
    tables = tenant.tables.platform
    with tenant.begin() as connection:
        webhook = read_webhook(connection, tenant, id, lock=True)
        connection.execute(sa.delete(tables.webhook_attempt).where(tables.webhook_attempt.c.webhook == id))
        connection.execute(sa.delete(tables.webhook_message).where(tables.webhook_message.c.webhook == id))
        connection.execute(sa.delete(tables.webhook).where(tables.webhook.c.id == id))
        _note(connection, tenant, "webhook.deleted", id, webhook.name, {"url": webhook.url})


def pause(tenant: Tenant, id: UUID) -> None:
    """Tell a webhook nothing until it is started again. Raises Missing."""
    with tenant.begin() as connection:
        webhook = read_webhook(connection, tenant, id, lock=True)
        if webhook.is_active:
            stop(connection, tenant, webhook, PAUSED, "by_hand")


def resume(tenant: Tenant, id: UUID) -> None:
    """Start a webhook again; what waits is sent. Raises Missing."""
    with tenant.begin() as connection:
        webhook = read_webhook(connection, tenant, id, lock=True)
        if not webhook.is_active:
            start(connection, tenant, webhook)


def rotate(tenant: Tenant, id: UUID, *, at_once: bool = False) -> str:
    """Give a webhook another secret, which is told this once. Raises Missing.

    For a day messages carry a signature of each, so that the receiver can change over; not so when the old one has
    become known to others (`at_once`).
    """
    secret, now = new_secret(), datetime.now(UTC)
    table = tenant.tables.platform.webhook
    with tenant.begin() as connection:
        webhook = read_webhook(connection, tenant, id, lock=True)
        old: dict[str, Any] = {"old_secret": webhook.secret, "old_until": now + OVERLAP}
        if at_once:
            old = {"old_secret": None, "old_until": None}
        values = {**old, "secret": seal(secret), "updated_at": now}
        connection.execute(sa.update(table).where(table.c.id == id).values(**values))
        _note(connection, tenant, "webhook.rotated", id, webhook.name, {"overlap": not at_once})
    return secret


def check(tenant: Tenant, wanted: Wanted) -> None:
    """Raise Refused with everything that is wrong."""
    faults = [*_plain_faults(tenant, wanted), *_address_faults(wanted.url.strip())]
    with tenant.begin() as connection:
        person = read_person_by_id(connection, tenant, wanted.owner)
    if person is None or not has_right(tenant, person, "api"):
        faults.append(Fault("invalid", "This person may not use the API: choose another one.", "owner"))
    elif wanted.formula and wanted.formula.strip():
        store = Store(tenant, principal_for(tenant, person, "en"))
        faults.extend(_formula_faults(store, wanted.entity, wanted.formula.strip()))
    if faults:
        raise Refused(faults)


def _plain_faults(tenant: Tenant, wanted: Wanted) -> Sequence[Fault]:
    faults = []
    if not wanted.name.strip() or len(wanted.name) > LONGEST_NAME:
        limit = {"max": LONGEST_NAME}
        faults.append(Fault("required", "Give the webhook a name of at most {max} letters.", "name", limit))
    entity = tenant.model.entities.get(wanted.entity)
    if wanted.entity != EVERY and (entity is None or not entity.features.api):
        faults.append(Fault("invalid", "There is no such list in the API.", "entity"))
    unknown = [event for event in wanted.events if event not in EVENTS]
    if not wanted.events:
        faults.append(Fault("required", "Choose at least one event.", "events"))
    elif unknown:
        known = {"event": unknown[0], "events": ", ".join(EVENTS)}
        faults.append(Fault("invalid", "“{event}” is no event. There are: {events}.", "events", known))
    return faults


def _address_faults(url: str) -> Sequence[Fault]:
    if not url:
        return [Fault("required", "Give the address that is to be told.", "url")]
    try:
        check_address(url)
    except OutgoingRefused as refused:
        if refused.code == "url":
            return [Fault("invalid", "An address begins with https:// and holds no blanks, name or password.", "url")]
        return [
            Fault("invalid", "This address leads into the network that Trellis runs in: choose a public one.", "url")
        ]
    except OutgoingFailed:
        return [Fault("invalid", "There is no machine of this name. Is it written right?", "url")]
    return []


def _formula_faults(store: Store, entity: str, text: str) -> Sequence[Fault]:
    if len(text) > LONGEST_FORMULA:
        limit = {"max": LONGEST_FORMULA}
        return [Fault("invalid", "The condition is longer than {max} letters.", "formula", limit)]
    if entity not in store.tenant.model.entities:
        return [Fault("invalid", "A condition needs one list: it names its fields.", "formula")]
    try:
        compile_condition(store, entity, text)
    except FormulaError as error:
        return formula_faults(error)
    return []


def formula_faults(error: FormulaError) -> list[Fault]:
    """What is wrong with a condition."""
    said = [(f, text) for f in error.faults for text in (f.message, f.hint) if text]
    return [Fault("invalid", text, "formula", {"offset": f.offset}) for f, text in said]


def _told(wanted: Wanted) -> dict[str, Any]:
    return {**wanted.row(), "owner": str(wanted.owner)}


def _note(connection: Connection, tenant: Tenant, kind: str, id: UUID, name: str, details: dict[str, Any]) -> None:
    note(connection, tenant, kind, entity=KIND, record=id, label=name, details=details)
