"""Taking one message: once, in one transaction with everything that comes of it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from uuid_utils.compat import uuid7

from trellis.automation.clock import now
from trellis.automation.mail import kept, optouts
from trellis.automation.mail.account import own_addresses
from trellis.automation.mail.incoming import placing
from trellis.automation.mail.incoming.parsing import Received
from trellis.automation.mail.incoming.rules import Rule, made_by, rules_for
from trellis.automation.workflows.starting import Start, start
from trellis.formula.types import Ref
from trellis.records.refusal import Refused
from trellis.records.writing.files import save_file

if TYPE_CHECKING:
    from trellis.records.store import Store

log = structlog.get_logger()
MOST, WITHIN = 20, timedelta(minutes=10)  # new messages of one sender that something comes of


@dataclass
class Outcome:
    """What became of a message: reply, new, known, nobody, auto, listed, bounce, leave, loop, flood, failed."""

    word: str
    about: Ref | None = None
    message: UUID | None = None
    error: str | None = None


def take(store: Store, connection: sa.Connection, account: str, received: Received) -> str | None:
    """Take a message within the open transaction; what became of it, None for one that was taken already."""
    table = store.tenant.tables.platform.mail_received
    row = {
        "id": uuid7(),
        "account": account,
        "message_id": received.message_id,
        "at": now(),
        "sender": received.sender[:320],
        "subject": received.subject[:300],
        "outcome": "failed",
    }
    made = insert(table).values(**row).on_conflict_do_nothing().returning(table.c.id)
    if connection.execute(made).first() is None:
        return None
    try:
        with connection.begin_nested():
            outcome = _outcome(store, connection, account, received)
    except (Refused, ValueError, LookupError, TypeError, ArithmeticError) as error:
        # one message that nobody can take holds up no other; it stays where it is, and its line says why
        log.warning("a message could not be taken", tenant=store.tenant.slug, why=type(error).__name__, exc_info=True)
        outcome = Outcome("failed", error=str(error)[:500])
    values: dict[str, Any] = {"outcome": outcome.word, "error": outcome.error, "message": outcome.message}
    if outcome.about is not None:
        values |= {"entity": outcome.about.entity, "record": outcome.about.id}
    connection.execute(sa.update(table).where(table.c.id == row["id"]).values(**values))
    return outcome.word


def _outcome(store: Store, connection: sa.Connection, account: str, received: Received) -> Outcome:
    if received.bounce is not None:
        return _bounce(store, connection, received)
    if _is_own(store, connection, received):
        return Outcome("loop")
    if received.wants_to_leave and received.sender:
        if optouts.suppress(connection, store.tenant, "email", received.sender, "opted_out", "mail"):
            optouts.mark_records(store, "email", received.sender, "opted_out")
        return Outcome("leave")
    about, letter = placing.addressed(store, received)
    if about is None:
        about, letter = placing.answered(store, received)
    rules = rules_for(store.tenant.model, account, received)
    if about is None:
        about = placing.named(store, received, frozenset(r.trigger.entity for r in rules if r.trigger.entity))
    if about is not None:
        return Outcome("reply", about, _keep(store, received, about, letter))
    if received.is_automatic or received.is_listed:
        return Outcome("auto" if received.is_automatic else "listed")
    if _is_flood(store, connection, received):
        return Outcome("flood")
    return _new(store, connection, received, rules)


def _new(store: Store, connection: sa.Connection, received: Received, rules: list[Rule]) -> Outcome:
    """A message that answers nothing: the workflows that wait for it, else the timeline of who has sent it."""
    who = placing.person(store, received.sender)
    said = _said(store, received, who)
    begun: list[tuple[Rule, Ref | None]] = []
    about, error = None, None
    for rule in rules:
        try:
            with connection.begin_nested():
                made = made_by(store, rule, received, said, who)
        except Refused as refused:  # what was written is not lost: it stays with whoever has sent it
            error = str(refused)[:500]
            continue
        about = about or made
        begun.append((rule, made))
    message = _keep(store, received, about or who, "") if about is not None or who is not None or rules else None
    event = {"kind": "email", "message": str(message) if message is not None else None}
    starts = [
        Start(
            rule.workflow,
            "email",
            made,
            by_name=received.sender_name or received.sender,
            event=event,
            variables={"message": {**said, **({"record": Ref(kept.ENTITY, message)} if message else {})}},
        )
        for rule, made in begun
    ]
    start(connection, store.tenant, starts)
    if error is not None:
        return Outcome("failed", about or who, message, error)
    return Outcome("new" if begun else "known" if who is not None else "nobody", about or who, message)


def _said(store: Store, received: Received, who: Ref | None) -> dict[str, Any]:
    """What formulas may ask of a message."""
    account = None
    if who is not None and "account" in store.tenant.model.entities[who.entity].fields:
        account = store.read(who.entity, who.id, fields=["account"])["account"]
    return {
        "subject": received.subject,
        "text": received.text,
        "from": received.sender,
        "sender": received.sender,
        "name": received.sender_name or received.sender.partition("@")[0],
        "to": list(received.to),
        "id": received.message_id,
        "at": received.at or now(),
        "contact": who if who is not None and who.entity == "contact" else None,
        "account": account,
        "files": len(received.attachments),
    }


def _keep(store: Store, received: Received, about: Ref | None, letter: str) -> UUID | None:
    if not kept.is_kept(store.tenant.model):
        return None
    files, left = _files(store, received)
    text = received.text
    if left:
        text = f"{text}\n\n[{', '.join(left)}]"
    values: Mapping[str, Any] = {
        "subject": received.subject or "–",
        "about": about,
        "direction": "in",
        "state": "received",
        "at": min(received.at, now()) if received.at is not None else now(),
        "sender": f"{received.sender_name} <{received.sender}>" if received.sender_name else received.sender,
        "recipients": ", ".join(dict.fromkeys(received.to)),
        "cc": ", ".join(received.cc),
        "contact": placing.person(store, received.sender) if received.sender else None,
        "text": text,
        "html": received.html,
        "files": files,
        "message_id": received.message_id,
        "in_reply_to": letter,
    }
    if not isinstance(values["contact"], Ref) or values["contact"].entity != "contact":
        values = {**values, "contact": None}
    made = kept.keep(store, values)
    return made.id if made is not None else None


def _files(store: Store, received: Received) -> tuple[list[dict[str, Any]], list[str]]:
    """The files that came along, kept; and the names of those that are not taken."""
    entity, root = store.tenant.model.entities[kept.ENTITY], store.tenant.database.files
    field = entity.fields.get("files")
    if field is None or root is None:
        return [], [file.name for file in received.attachments]
    found, left = [], []
    for file in received.attachments:
        try:
            found.append(save_file(store, root, io.BytesIO(file.content), file.name, entity.key, field).as_value())
        except Refused:
            left.append(file.name)
    return found, left


def _bounce(store: Store, connection: sa.Connection, received: Received) -> Outcome:
    """A letter of ours that came back; what names none of ours closes nobody's address."""
    bounce, tenant = received.bounce, store.tenant
    assert bounce is not None
    table = tenant.tables.platform.mail
    try:
        id = UUID(bounce.original.strip("<>").partition("@")[0])
    except ValueError:
        return Outcome("bounce", error="it names no letter of ours")
    same = sa.or_(table.c.id == id, table.c.message == id), sa.func.lower(table.c.to) == bounce.address
    row = connection.execute(sa.select(table).where(*same)).first()
    if row is None:
        return Outcome("bounce", error="it names no letter of ours")
    if not bounce.is_final:
        return Outcome("bounce", error=bounce.why or "the server tries again")
    connection.execute(sa.update(table).where(table.c.id == row.id).values(state="failed", error=bounce.why[:300]))
    if bounce.closes and optouts.suppress(connection, tenant, "email", bounce.address, "bounced", str(row.id)):
        optouts.mark_records(store, "email", bounce.address, "bounced")
    if row.message is not None:
        kept.note_state(store, row.message, "bounced")
    return Outcome("bounce", message=row.message)


def _is_own(store: Store, connection: sa.Connection, received: Received) -> bool:
    """Whether it is a letter of ours that has come round."""
    local, at, domain = received.sender.rpartition("@")
    if f"{local.partition('+')[0]}{at}{domain}" in own_addresses(store.tenant):
        return True
    try:
        id = UUID(received.message_id.strip("<>").partition("@")[0])
    except ValueError:
        return False
    table = store.tenant.tables.platform.mail
    found = sa.select(table.c.id).where(sa.or_(table.c.id == id, table.c.message == id)).limit(1)
    return connection.execute(found).first() is not None


def _is_flood(store: Store, connection: sa.Connection, received: Received) -> bool:
    """Whether one sender writes more than a person does: two machines that answer each other, say."""
    table = store.tenant.tables.platform.mail_received
    lately = table.c.sender == received.sender[:320], table.c.at > now() - WITHIN, table.c.outcome == "new"
    return connection.execute(sa.select(sa.func.count()).select_from(table).where(*lately)).scalar_one() >= MOST
