"""Letters on their way: written down with the change that causes them, handed over by a worker, tried again."""

from __future__ import annotations

import smtplib
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
import sqlalchemy as sa
import structlog
from uuid_utils.compat import uuid7

from trellis.automation import jobs
from trellis.automation.mail.account import account_of
from trellis.automation.mail.delivery import deliver
from trellis.automation.mail.attachments import attached_to
from trellis.automation.mail.letter import Letter
from trellis.model.sealing import seal, unseal

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

log = structlog.get_logger()
NONE_SET_UP = "no mail server is set up"


def post(connection: sa.Connection, tenant: Tenant, to: str, letter: Letter, kind: str) -> UUID:
    """Put a letter on its way, in the open transaction: what is rolled back is never sent."""
    id = uuid7()
    row = {"id": id, "kind": kind, "to": to, "subject": letter.subject}
    body = seal(orjson.dumps(letter.as_data()).decode())  # it may hold a link that opens a door
    connection.execute(sa.insert(tenant.tables.platform.mail).values(**row, body=body))
    jobs.defer(connection, send, {"mail": str(id)})
    return id


def _buried(work: jobs.Work, reason: str) -> None:
    with work.tenant.begin() as connection:
        _settle(connection, work.tenant, UUID(work.payload["mail"]), "failed", reason)


@jobs.kind("mail.send", retry=jobs.Backoff(tries=10, first=20, longest=2 * 3600), on_death=_buried)
def send(work: jobs.Work) -> None:
    """Hand a letter over; a server that does not answer is tried again for some hours."""
    tenant, id = work.tenant, UUID(work.payload["mail"])
    table = tenant.tables.platform.mail
    with tenant.begin() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == id)).first()
    if row is None or row.state != "waiting" or row.body is None:
        return
    account = account_of(tenant)
    if account is None:
        raise jobs.GiveUp(NONE_SET_UP)
    try:
        letter = Letter.of_data(orjson.loads(unseal(row.body)))
    except ValueError as fault:
        raise jobs.GiveUp("the letter was sealed with another key of the installation") from fault
    try:
        deliver(account, letter.message(account, row.to, id, attached_to(tenant, letter)), row.to)
    except smtplib.SMTPResponseException as refused:
        if refused.smtp_code < 500:
            raise
        raise jobs.GiveUp(_reason(refused)) from refused
    except smtplib.SMTPRecipientsRefused as refused:
        if any(code < 500 for code, _text in refused.recipients.values()):
            raise
        raise jobs.GiveUp(_reason(refused)) from refused
    with work.finishing() as connection:
        _settle(connection, tenant, id, "sent", None)
    log.info("mail sent", tenant=tenant.slug, kind=row.kind, mail=str(id))


def _settle(connection: sa.Connection, tenant: Tenant, id: UUID, state: str, error: str | None) -> None:
    table = tenant.tables.platform.mail
    sent = sa.func.now() if state == "sent" else None
    values = {"state": state, "error": error, "body": None, "sent_at": sent}
    connection.execute(sa.update(table).where(table.c.id == id).values(**values))


def _reason(refused: smtplib.SMTPException) -> str:
    """What the server said, without the letter."""
    if isinstance(refused, smtplib.SMTPRecipientsRefused):
        said = "; ".join(f"{code} {_decoded(text)}" for code, text in refused.recipients.values())
        return f"the address was refused: {said}"
    if isinstance(refused, smtplib.SMTPResponseException):
        return f"the mail server said: {refused.smtp_code} {_decoded(refused.smtp_error)}"
    return type(refused).__name__


def _decoded(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
