"""Reading the mailboxes: each at its times, from where it was left, whatever was killed in between.

How far a mailbox was read is noted in the transaction of what came of a message: none is lost, none is taken twice.
"""

from __future__ import annotations

import imaplib
import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.clock import now
from trellis.automation.jobs import Backoff, Work, defer, kind
from trellis.automation.mail.account import accounts_said
from trellis.automation.mail.incoming.mailbox import Mailbox, Refused, opened
from trellis.automation.mail.incoming.parsing import understood
from trellis.automation.mail.incoming.taking import take
from trellis.automation.mail.tokens import Tokens, tokens_of
from trellis.automation.outgoing import OutgoingFailed
from trellis.automation.workflows.acting import system_of
from trellis.model.sign_in import Incoming, MailAccount
from trellis.records.store import Store
from trellis.storage.hooks import after_apply, after_restore
from trellis.storage.secrets import MissingSecret, tenant_secret

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

log = structlog.get_logger()
FETCH = "mail.fetch"
AT_ONCE = 50  # messages in one job; then others have their turn
BEGINS = timedelta(days=1)  # how old a message may be that is taken when a mailbox is read for the first time
LONGEST = timedelta(hours=1)  # between two attempts at a server that does not answer
KEPT = timedelta(days=90)
TROUBLE = (OSError, imaplib.IMAP4.error, Refused, OutgoingFailed, MissingSecret)


def _place(incoming: Incoming) -> str:
    return f"{incoming.user}@{incoming.server}:{incoming.port}/{incoming.folder}"


def _reading(tenant: Tenant) -> dict[str, MailAccount]:
    return {said.key: said for said in accounts_said(tenant) if said.incoming is not None}


def _set_up(connection: sa.Connection, tenant: Tenant, _before: Tenant | None) -> None:
    """Let the mailboxes of a published configuration be read; those that are as before go on where they were."""
    table, wanted = tenant.tables.platform.mail_in, _reading(tenant)
    rows = {row.account: row for row in connection.execute(sa.select(table))}
    for key in rows.keys() - wanted.keys():
        connection.execute(sa.delete(table).where(table.c.account == key))
    for key, said in wanted.items():
        assert said.incoming is not None
        place, moment = _place(said.incoming), now()
        if key in rows and rows[key].place == place:
            _ask(connection, tenant, key, rows[key].next_at)  # the job may be lost: backups hold none
            continue
        anew: dict[str, Any] = {"place": place, "uidvalidity": None, "last_uid": 0, "next_at": moment}
        anew |= {"error": None, "failing_since": None, "checked_at": None}
        made = insert(table).values(account=key, **anew)
        connection.execute(made.on_conflict_do_update(index_elements=[table.c.account], set_=anew))
        _ask(connection, tenant, key, moment)


def _stay_away(connection: sa.Connection, tenant: Tenant) -> None:
    """A copy reads no mailbox until it is published: the one that it was copied from may be at work."""
    connection.execute(sa.delete(tenant.tables.platform.mail_in))


after_apply.append(_set_up)
after_restore.append(_stay_away)


def _ask(connection: sa.Connection, tenant: Tenant | None, key: str, at: datetime) -> None:
    defer(connection, FETCH, {"account": key, "at": at.isoformat()}, at=at, lock=f"mail-in:{key}", tenant=tenant)


def _go_on(work: Work, _reason: str) -> None:
    """Whatever it was that it fell over: look again in a while."""
    tenant, key = work.tenant, work.payload["account"]
    with tenant.begin() as connection:
        _plan(connection, tenant, key, now() + LONGEST, error=_reason[:300])


@kind(FETCH, retry=Backoff(tries=3, first=30, longest=600), on_death=_go_on)
def fetch(work: Work) -> None:
    """Read what has come in since, and look again in time."""
    tenant, key = work.tenant, work.payload["account"]
    said = _reading(tenant).get(key)
    row = _row(tenant, key)
    if said is None or said.incoming is None or row is None or row.next_at.isoformat() != work.payload["at"]:
        return  # another configuration, or another job looks
    incoming, trouble, more = said.incoming, "", False
    try:
        with opened(incoming, _proof(tenant, incoming)) as mailbox:
            more = _read(tenant, key, mailbox)
    except TROUBLE as error:
        trouble = str(error)[:300] or type(error).__name__
        log.warning("a mailbox cannot be read", tenant=tenant.slug, account=key, why=trouble)
    moment = max(now(), row.next_at)
    wait = timedelta() if more else incoming.every
    if trouble:
        wait = min(LONGEST, max(incoming.every, (moment - (row.failing_since or moment)) / 2))
    with work.finishing() as connection:
        _plan(connection, tenant, key, moment + wait, error=trouble)


def _proof(tenant: Tenant, incoming: Incoming) -> str | Tokens:
    """What the mailbox is opened with. Raises MissingSecret."""
    if incoming.oauth2 is not None:
        return tokens_of(tenant.slug, incoming.oauth2, os.environ)
    return tenant_secret(tenant.slug, incoming.password, os.environ) if incoming.password else ""


def _plan(connection: sa.Connection, tenant: Tenant, key: str, at: datetime, *, error: str) -> None:
    table = tenant.tables.platform.mail_in
    failing = sa.func.coalesce(table.c.failing_since, now()) if error else None
    values = {"next_at": at, "checked_at": now(), "error": error or None, "failing_since": failing}
    if connection.execute(sa.update(table).where(table.c.account == key).values(**values)).rowcount:
        _ask(connection, None, key, at)


def go_on(connection: sa.Connection, tenant: Tenant, moment: datetime) -> None:
    """Look now into mailboxes whose turn is further off than it can be: the clock has been set back."""
    table, wanted = tenant.tables.platform.mail_in, _reading(tenant)
    for row in connection.execute(sa.select(table)).all():
        said = wanted.get(row.account)
        if said is None or said.incoming is None or row.next_at <= moment + max(said.incoming.every, LONGEST):
            continue
        connection.execute(sa.update(table).where(table.c.account == row.account).values(next_at=moment))
        _ask(connection, None, row.account, moment)


def _read(tenant: Tenant, key: str, mailbox: Mailbox) -> bool:
    """Take what is new; whether there is more."""
    row = _row(tenant, key)
    if row is None:
        return False
    if row.uidvalidity == mailbox.uidvalidity:
        found = mailbox.after(row.last_uid)
    else:  # read for the first time, or numbered anew: what was taken already is known by its name
        found = mailbox.since(now() - BEGINS)
        newest = max(mailbox.after(0), default=0) if not found else 0
        with tenant.begin() as connection:
            _note(connection, tenant, key, mailbox.uidvalidity, min(found) - 1 if found else newest)
    for uid in found[:AT_ONCE]:
        _take(tenant, key, mailbox, uid)
    return len(found) > AT_ONCE


def _take(tenant: Tenant, key: str, mailbox: Mailbox, uid: int) -> None:
    raw, whole = mailbox.message(uid)
    store = Store(tenant, system_of(tenant), cause={"mail": key or "default"})
    with store.transaction() as connection:
        if raw:
            outcome = take(store, connection, key, understood(raw, whole=whole))
            log.info("mail received", tenant=tenant.slug, account=key, outcome=outcome or "known already")
        _note(connection, tenant, key, mailbox.uidvalidity, uid)


def _note(connection: sa.Connection, tenant: Tenant, key: str, uidvalidity: int, uid: int) -> None:
    table = tenant.tables.platform.mail_in
    values = {"uidvalidity": uidvalidity, "last_uid": uid}
    connection.execute(sa.update(table).where(table.c.account == key).values(**values))


def _row(tenant: Tenant, key: str) -> Any:
    table = tenant.tables.platform.mail_in
    with tenant.begin() as connection:
        return connection.execute(sa.select(table).where(table.c.account == key)).first()


def forget(connection: sa.Connection, tenant: Tenant) -> None:
    """Forget the lines of what came in long ago; the letters themselves are records."""
    table = tenant.tables.platform.mail_received
    connection.execute(sa.delete(table).where(table.c.at < now() - KEPT))
