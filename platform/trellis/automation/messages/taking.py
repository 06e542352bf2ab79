"""Taking one short message that came in: once, to the timeline of what it is about, with the wish that it may be."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import phonenumbers
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from uuid_utils.compat import uuid7

from trellis.automation.clock import now
from trellis.automation.mail import optouts
from trellis.automation.mail.incoming import placing
from trellis.automation.messages import kept
from trellis.automation.messages.wishes import wish_of
from trellis.formula.types import Ref
from trellis.records.refusal import Missing, Refused

if TYPE_CHECKING:
    from trellis.automation.messages.receiving import Arrived
    from trellis.model.profile import TenantProfile
    from trellis.records.store import Store

log = structlog.get_logger()
Channel = Literal["sms", "chat"]
MOST, WITHIN = 20, timedelta(minutes=10)  # messages of one sender
LONGEST = 4000
ANSWERS = timedelta(days=30)  # how long what comes from a number answers what went to it last
_NUMBER = re.compile(r"\b[A-Z]{1,5}-[\w-]{2,30}")


def take(store: Store, connection: sa.Connection, channel: Channel, arrived: Arrived) -> str | None:
    """What became of it within the open transaction: stop, start, reply, known, nobody, flood, failed; None: taken."""
    tenant = store.tenant
    sender = number_of(tenant.profile, arrived.sender) if channel == "sms" else arrived.sender
    table = tenant.tables.platform.mail_received
    row: dict[str, Any] = {"id": uuid7(), "account": channel, "message_id": f"{channel}:{arrived.id}"[:500]}
    row |= {"at": now(), "sender": sender[:320], "subject": "", "outcome": "failed"}
    made = insert(table).values(**row).on_conflict_do_nothing().returning(table.c.id)
    if connection.execute(made).first() is None:
        return None
    wish = wish_of(arrived.text) if channel == "sms" and sender else ""
    lately = table.c.sender == row["sender"], table.c.account == channel, table.c.at > now() - WITHIN
    count = connection.execute(sa.select(sa.func.count()).select_from(table).where(*lately)).scalar_one()
    about, message, outcome, error = None, None, "flood", None
    if wish:  # before anything that may fail: a STOP is heeded whatever becomes of the message
        _heed(store, connection, sender, wish)
    if wish or count <= MOST:
        try:
            with connection.begin_nested():
                about = _about(store, channel, sender, arrived.text)
                message = _keep(store, channel, sender, arrived.text, about)
            outcome = wish or ("reply" if about is not None else "nobody")
        except (Refused, ValueError, LookupError) as failed:
            # a rule of the company's refuses it: the gateway would deliver it again and again for nothing
            log.warning("a message could not be kept", tenant=tenant.slug, channel=channel, exc_info=True)
            about, message, outcome, error = None, None, wish or "failed", str(failed)[:500]
    values: dict[str, Any] = {"outcome": outcome, "message": message.id if message is not None else None}
    values["error"] = error
    if about is not None:
        values |= {"entity": about.entity, "record": about.id}
    connection.execute(sa.update(table).where(table.c.id == row["id"]).values(**values))
    return outcome


def number_of(profile: TenantProfile, text: str) -> str:
    """A number as the world dials it; as it is where it is none (a name that a gateway shows)."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(text, profile.region), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return text.strip()


def _heed(store: Store, connection: sa.Connection, number: str, wish: str) -> None:
    if wish == "stop":
        if optouts.suppress(connection, store.tenant, "sms", number, "opted_out", "sms"):
            optouts.mark_records(store, "sms", number, "opted_out")
        return
    optouts.allow(connection, store.tenant, "sms", number)
    optouts.mark_back(store, "sms", number)


def _about(store: Store, channel: Channel, sender: str, text: str) -> Ref | None:
    """What the last message to the number was about, else whose number it is; in a room, the record that is named."""
    if channel == "chat":
        model = store.tenant.model
        numbered = frozenset(key for key in model.entities if any(placing.key_fields(model, key)))
        for word in _NUMBER.findall(text)[:3]:
            for ref in placing.by_key(store, numbered, word):
                return ref
        return None
    return _answered(store, sender) or _person(store, sender)


def _answered(store: Store, number: str) -> Ref | None:
    if not kept.is_kept(store.tenant.model):
        return None
    with store.transaction() as connection:
        table, log = store.session.table(kept.ENTITY), store.tenant.tables.platform.mail
        statement = (
            sa.select(table.c.id)
            .join(log, log.c.message == table.c.id)
            .where(log.c.channel == "sms", log.c.to == number, log.c.created_at > now() - ANSWERS)
            .order_by(log.c.created_at.desc())
        )
        id = connection.execute(statement.limit(1)).scalar()
        if id is None:
            return None
        try:
            about = store.read(kept.ENTITY, id, fields=["about"])["about"]
            if not isinstance(about, Ref):
                return None
            store.read(about.entity, about.id, fields=())
        except Missing:
            return None
    return about


def _person(store: Store, number: str) -> Ref | None:
    for key in placing.PEOPLE:
        entity = store.tenant.model.entities.get(key)
        for name, field in entity.fields.items() if entity is not None else ():
            if field.type.name == "phone" and not field.is_derived:
                found = optouts.holders(store, key, name, number)
                if found:
                    return Ref(key, found[0])
    return None


def _keep(store: Store, channel: Channel, sender: str, text: str, about: Ref | None) -> Ref | None:
    who = _person(store, sender) if channel == "sms" else None
    return kept.keep(
        store,
        {
            "about": about,
            "text": (f"{sender}: {text}" if channel == "chat" and sender else text)[:LONGEST] or "–",
            "direction": "in",
            "state": "received",
            "channel": channel,
            "number": sender,
            "at": now(),
            "contact": who if who is not None and who.entity == "contact" else None,
        },
    )
