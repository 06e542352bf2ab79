"""Letters on their way: written down with the change that causes them, handed over by a worker, tried again."""

from __future__ import annotations

import re
import smtplib
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from uuid_utils.compat import uuid7

from trellis.automation import jobs
from trellis.automation.clock import now
from trellis.automation.mail import kept, optouts
from trellis.automation.mail.account import Account, account_of
from trellis.automation.mail.attachments import attached_to
from trellis.automation.mail.delivery import deliver
from trellis.automation.mail.letter import Letter
from trellis.automation.mail.turns import take_turn
from trellis.automation.outgoing import OutgoingRefused
from trellis.automation.workflows.acting import system_of
from trellis.model.sealing import seal, unseal
from trellis.records.store import Store

if TYPE_CHECKING:
    from email.message import EmailMessage

    from trellis.storage.tenant import Tenant

log = structlog.get_logger()
NONE_SET_UP = "no mail server is set up"
HANDING = "being handed over"
TWICE = "it may have arrived twice: a worker ended while it was handed over"
NO_ADDRESS = (550, 551, 553, 554)  # what servers say of addresses that there are not
OURS = (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPNotSupportedError)
_PASSING = re.compile(r"\b5\.[2-7]\.\d")


def post(
    connection: sa.Connection,
    tenant: Tenant,
    to: str,
    letter: Letter,
    kind: str,
    *,
    message: UUID | None = None,
    once: str | None = None,
) -> UUID | None:
    """Put a letter on its way, in the open transaction: what is rolled back is never sent.

    `message`: the record that keeps it. `once`: what one address gets once only; None when it has had it.
    """
    id = uuid7()
    row = {"id": id, "kind": kind, "to": to, "subject": letter.subject, "account": letter.account or None}
    row |= {"message": message, "once": once, "created_at": now(), "reply": letter.reply_token or None}
    body = seal(orjson.dumps(letter.as_data()).decode())  # it may hold a link that opens a door
    table = tenant.tables.platform.mail
    made = insert(table).values(**row, body=body).on_conflict_do_nothing().returning(table.c.id)
    if connection.execute(made).first() is None:
        return None
    jobs.defer(connection, send, {"mail": str(id)})
    return id


def _buried(work: jobs.Work, reason: str) -> None:
    tenant = work.tenant
    store = Store(tenant, system_of(tenant))
    with store.transaction() as connection:
        _settle(connection, store, UUID(work.payload["mail"]), "failed", reason)


@jobs.kind("mail.send", retry=jobs.Backoff(tries=10, first=20, longest=2 * 3600), on_death=_buried)
def send(work: jobs.Work) -> None:
    """Hand a letter over; a server that does not answer is tried again for some hours."""
    tenant, id = work.tenant, UUID(work.payload["mail"])
    table = tenant.tables.platform.mail
    with tenant.begin() as connection:
        row = connection.execute(sa.select(table).where(table.c.id == id)).first()
    if row is None or row.state != "waiting" or row.body is None:
        return
    account = account_of(tenant, key=row.account or "")
    if account is None:
        raise jobs.GiveUp(NONE_SET_UP)
    try:
        letter = Letter.of_data(orjson.loads(unseal(row.body)))
    except ValueError as fault:
        raise jobs.GiveUp("the letter was sealed with another key of the installation") from fault
    take_turn(tenant, id, row.account, account.rate)
    message = letter.message(account, row.to, row.message or id, attached_to(tenant, letter))
    doubtful = row.error == HANDING
    if doubtful:
        log.warning("a worker ended while it handed a letter over: it may go twice", tenant=tenant.slug, mail=str(id))
    _note(tenant, id, HANDING)
    try:
        _hand_over(tenant, account, message, row)
    except Exception as error:
        _note(tenant, id, str(error)[:300] or type(error).__name__)
        raise
    store = Store(tenant, system_of(tenant))
    with store.transaction() as connection:
        _settle(connection, store, id, "sent", TWICE if doubtful else None)
        work.finish(connection)
    log.info("mail sent", tenant=tenant.slug, kind=row.kind, mail=str(id))


def _hand_over(tenant: Tenant, account: Account, message: EmailMessage, row: Any) -> None:
    """Give a letter to the server. Raises jobs.GiveUp for what is refused for good, else what is to be tried again."""
    try:
        deliver(account, message, row.to)
    except OutgoingRefused as refused:
        raise jobs.GiveUp(str(refused)) from refused
    except OURS as refused:  # a password, a greeting: no letter's fault, and somebody may mend it meanwhile
        raise OSError(_reason(refused)) from refused
    except smtplib.SMTPResponseException as refused:
        if refused.smtp_code < 500:
            raise
        raise jobs.GiveUp(_reason(refused)) from refused
    except smtplib.SMTPRecipientsRefused as refused:
        if any(code < 500 for code, _text in refused.recipients.values()):
            raise
        if any(_is_no_address(code, _decoded(text)) for code, text in refused.recipients.values()):
            bounced(tenant, row.to, str(row.message or row.id))
        raise jobs.GiveUp(_reason(refused)) from refused


def _is_no_address(code: int, text: str) -> bool:
    """Whether a server says that there is no such address; 5.7 is its policy, 5.2 a mailbox that is full."""
    return code in NO_ADDRESS and not _PASSING.search(text)


def _note(tenant: Tenant, id: UUID, words: str) -> None:
    """How it stands with a letter that waits: what is wrong, or that it is being handed over."""
    table = tenant.tables.platform.mail
    with tenant.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == id, table.c.state == "waiting").values(error=words))


def bounced(tenant: Tenant, address: str, source: str) -> None:
    """Nothing reaches an address: nothing more is sent to it, and the records that have it are told."""
    store = Store(tenant, system_of(tenant))
    with store.transaction() as connection:
        if optouts.suppress(connection, tenant, "email", address, "bounced", source):
            optouts.mark_records(store, "email", address, "bounced")


def _settle(connection: sa.Connection, store: Store, id: UUID, state: str, error: str | None) -> None:
    table = store.tenant.tables.platform.mail
    sent = now() if state == "sent" else None
    values = {"state": state, "error": error, "body": None, "sent_at": sent}
    same = sa.update(table).where(table.c.id == id, table.c.state == "waiting")
    message = connection.execute(same.values(**values).returning(table.c.message)).scalar()
    if message is not None:
        kept.note_state(store, message, state)


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
