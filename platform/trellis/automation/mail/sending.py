"""Sending a letter about a record: to whom it may go, kept on the timeline, each address with its own way out."""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID

from uuid_utils.compat import uuid4, uuid7

from trellis.automation.clock import now
from trellis.automation.mail import kept, optouts, places, tracing
from trellis.automation.mail.account import Account, account_of, key_of
from trellis.automation.mail.letter import Letter, message_id
from trellis.automation.mail.outbox import post
from trellis.automation.mail.words import words
from trellis.formula.types import Ref
from trellis.model.tracking import Tracking, tracking_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from trellis.records.store import Store
    from trellis.storage.tenant import Tenant

CONTACT = "contact"


class NoAccount(Exception):
    """There is no such account, or no server is set up."""


@dataclass(frozen=True)
class Outgoing:
    """A letter to be sent: to whom, about what, by whom. `marketing`: one may do without it, and say so."""

    letter: Letter
    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    about: Ref | None = None
    by: UUID | None = None
    kind: str = "letter"
    marketing: bool = False
    once: str = ""  # what an address gets once only, whoever asks
    track: Tracking | None = None  # None: as the account says
    workflow: str = ""  # and the step that sends it
    place: str = ""


@dataclass(frozen=True)
class Sent:
    """What became of it: who gets it, who does not and why, and the record that keeps it."""

    to: Sequence[str] = ()
    left: Sequence[tuple[str, str]] = field(default_factory=tuple)  # opted_out, bounced, had
    message: Ref | None = None


def account_named(tenant: Tenant, named: str) -> Account:
    """The account by its key or address; the first one without. Raises NoAccount."""
    key = key_of(tenant, named) if named else ""
    found = account_of(tenant, key=key) if key is not None else None
    if found is None:
        raise NoAccount(named)
    return found


def send_out(store: Store, connection: sa.Connection, out: Outgoing, account: Account) -> Sent:
    """Put it on its way in the open transaction; `store` keeps it, with the system's rights."""
    tenant, id = store.tenant, uuid7()
    everybody = list(dict.fromkeys((*out.to, *out.cc, *out.bcc)))
    closed = optouts.suppressed(connection, tenant, "email", everybody)
    letter = replace(at_home(tenant, out.letter), account=account.key, cc=tuple(out.cc))
    to, left = [], []
    for address in everybody:
        reasons = closed.get(address, frozenset())
        if "bounced" in reasons or (out.marketing and "opted_out" in reasons):
            left.append((address, "bounced" if "bounced" in reasons else "opted_out"))
            continue
        if out.marketing and optouts.wants_none(store, "email", address):
            left.append((address, "opted_out"))
            continue
        own = _with_way_out(tenant, letter, address, str(id)) if out.marketing else letter
        wanted = tracking_of(account.track, out.track)
        trace = tracing.trace_of(store, letter, address, wanted) if wanted else None
        own = replace(own, trace=trace, reply_token=reply_token() if account.reply_tokens else "")
        once = f"{out.once}:{optouts.hash_of(address)}" if out.once else None
        mail = post(connection, tenant, address, own, out.kind, message=id, once=once)
        if mail is None:
            left.append((address, "had"))
            continue
        if trace is not None:
            tracing.keep(connection, tenant, trace, mail, id, out.workflow, out.place)
        to.append(address)
    return Sent(to, left, _keep(store, out, account, id, letter, to) if to else None)


_HOME_TEXT = re.compile(r"\]\(/(?![/\\])")
_HOME_HTML = re.compile(r"""(\bhref=["'])/(?![/\\])""", re.IGNORECASE)


def at_home(tenant: Tenant, letter: Letter) -> Letter:
    """A letter whose links that begin with a slash lead to the company's own pages: a form of its, say."""
    base = places.address_of(tenant)
    if not base:
        return letter
    return replace(
        letter,
        body=_HOME_TEXT.sub(f"]({base}/", letter.body),
        html_body=_HOME_HTML.sub(rf"\g<1>{base}/", letter.html_body),
    )


def reply_token() -> str:
    """What names a letter in the address that answers go to: by chance, in letters that servers leave as they are."""
    return b32encode(uuid4().bytes).decode().rstrip("=").lower()


def _keep(store: Store, out: Outgoing, account: Account, id: UUID, letter: Letter, to: Sequence[str]) -> Ref | None:
    shown = [address for address in to if address not in out.bcc]
    return kept.keep(
        store,
        {
            "subject": letter.subject or "–",
            "about": out.about,
            "direction": "out",
            "state": "waiting",
            "at": now(),
            "sender": account.sender,
            "recipients": ", ".join(a for a in shown if a not in out.cc),
            "cc": ", ".join(a for a in shown if a in out.cc),
            "contact": contact_of(store, to[0]) if out.about is None or out.about.entity != CONTACT else out.about,
            "text": letter.words,
            "files": files_of(store, letter),
            "owner": Ref("user", out.by) if out.by is not None else None,
            "message_id": message_id(account, id),
            "in_reply_to": letter.in_reply_to,
        },
        id=id,
    )


def contact_of(store: Store, address: str) -> Ref | None:
    """The contact with an address, the newest of several."""
    entity = store.tenant.model.entities.get(CONTACT)
    if entity is None:
        return None
    for name, each in entity.fields.items():
        if each.type.name == "email" and not each.is_derived:
            found = optouts.holders(store, CONTACT, name, address)
            if found:
                return Ref(CONTACT, found[0])
    return None


def files_of(store: Store, letter: Letter) -> list[dict[str, object]]:
    """What is attached, as a file field holds it."""
    import sqlalchemy as sa

    if not letter.attachments:
        return []
    table = store.tenant.tables.platform.file
    ids = [UUID(id) for id, _name in letter.attachments]
    with store.transaction() as connection:
        rows = connection.execute(sa.select(table).where(table.c.id.in_(ids))).mappings().all()
    return [{"id": str(r["id"]), "name": r["name"], "size": r["size"], "type": r["type"]} for r in rows]


def _with_way_out(tenant: Tenant, letter: Letter, address: str, source: str) -> Letter:
    _ = words(letter.language)
    base = places.address_of(tenant)
    link = f"{base}/unsubscribe/{optouts.token_of(tenant, 'email', address, source)}" if base else ""
    way = link or f"mailto:{account_address(tenant, letter)}?subject=unsubscribe"
    return replace(letter, unsubscribe=way, unsubscribe_words=_("You do not want such letters any more? Unsubscribe"))


def account_address(tenant: Tenant, letter: Letter) -> str:
    """Where a letter that answers this one arrives."""
    account = account_of(tenant, key=letter.account)
    return (account.reply_to or account.address) if account is not None else ""
