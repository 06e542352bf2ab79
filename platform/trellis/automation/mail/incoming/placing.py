"""What a message is about: the letter that it answers, the record that its subject names, whoever has sent it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

from trellis.automation.mail import kept
from trellis.automation.mail.incoming.parsing import Received
from trellis.automation.mail.optouts import holders
from trellis.formula.types import Ref
from trellis.records.refusal import Missing
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.records.store import Store

PEOPLE = ("contact", "lead", "member")  # who may be told by an address, in this order
_KEY = re.compile(r"\[#?([\w/.-]{2,40})\]")


_TOKEN = re.compile(r"\+([a-z2-7]{26})@", re.IGNORECASE)


def addressed(store: Store, received: Received) -> tuple[Ref | None, str]:
    """The record of the letter that an address of the message names, crm+token@…; one that we have not made is none."""
    tokens = [found[1].lower() for address in (*received.to, *received.cc) if (found := _TOKEN.search(address))]
    if not tokens or not kept.is_kept(store.tenant.model):
        return None, ""
    table = store.tenant.tables.platform.mail
    with store.transaction() as connection:
        named = sa.select(table.c.message).where(table.c.reply.in_(tokens), table.c.message.is_not(None))
        id = connection.execute(named.limit(1)).scalar()
    if id is None:
        return None, ""
    try:
        letter = store.read(kept.ENTITY, id, fields=["about", "message_id"])
    except Missing:
        return None, ""
    about = letter["about"]
    live = about if isinstance(about, Ref) and _is_live(store, about) else None
    return live, str(letter["message_id"] or "")


def answered(store: Store, received: Received) -> tuple[Ref | None, str]:
    """The record that the message's letter was about, and that letter's Message-ID; (None, "") for a new one."""
    if not kept.is_kept(store.tenant.model) or not received.in_reply_to:
        return None, ""
    with store.transaction():
        table = store.session.table(kept.ENTITY)
        statement = sa.select(table.c.id, table.c.message_id).where(
            table.c.message_id.in_(received.in_reply_to), table.c.deleted_at.is_(None)
        )
        found = {row.message_id: row.id for row in store.session.execute(statement)}
        for name in received.in_reply_to:
            if name in found:
                about = store.read(kept.ENTITY, found[name], fields=["about"])["about"]
                return (about if isinstance(about, Ref) and _is_live(store, about) else None), name
    return None, ""


def named(store: Store, received: Received, entities: frozenset[str]) -> Ref | None:
    """The record whose number the subject names, [T-000012], if the sender has to do with it: numbers are guessed."""
    for word in _KEY.findall(received.subject):
        for ref in by_key(store, entities, word):
            if _knows(store, ref, received.sender):
                return ref
    return None


def person(store: Store, address: str) -> Ref | None:
    """Whose address it is: a contact, else a lead or another of those that people are."""
    for key in PEOPLE:
        entity = store.tenant.model.entities.get(key)
        for name, field in entity.fields.items() if entity is not None else ():
            if field.type.name == "email" and not field.is_derived:
                found = holders(store, key, name, address)
                if found:
                    return Ref(key, found[0])
    return None


def key_fields(model: Model, entity: str) -> Iterator[str]:
    """The fields that number the records of an entity."""
    definition = model.entities[entity]
    if definition.natural_key:
        yield definition.natural_key
    yield from (name for name, field in definition.fields.items() if field.type.name == "sequence")


def by_key(store: Store, entities: frozenset[str], word: str) -> Iterator[Ref]:
    """The records of some entities that have a number."""
    with store.transaction():
        for key in sorted(entities):
            table = store.session.table(key)
            for name in dict.fromkeys(key_fields(store.tenant.model, key)):
                column = table.c.get(short(name))
                if column is None or not isinstance(column.type, sa.Text):
                    continue
                statement = sa.select(table.c.id).where(column == word, table.c.deleted_at.is_(None))
                for id in store.session.execute(statement.limit(2)).scalars():
                    yield Ref(key, id)


def _knows(store: Store, ref: Ref, sender: str) -> bool:
    """Whether somebody has to do with a record: as its contact, or by a letter about it."""
    entity = store.tenant.model.entities[ref.entity]
    links = [n for n, f in entity.fields.items() if f.type.name == "link" and not f.is_derived]
    mails = [n for n, f in entity.fields.items() if f.type.name == "email"]
    record = store.read(ref.entity, ref.id, fields=[*links, *mails])
    if any(sender in str(record[name] or "").lower() for name in mails):
        return True
    who = person(store, sender)
    if who is not None and any(record[name] == who for name in links):
        return True
    if not kept.is_kept(store.tenant.model):
        return False
    from trellis.records.reading.pointing import pointing_at

    definition = store.tenant.model.entities[kept.ENTITY]
    places = [name for name in ("sender", "recipients", "cc") if name in definition.fields]
    letters = store.list(
        kept.ENTITY,
        columns=places,
        where=[pointing_at(definition, "about", ref)],
        limit=50,
    )
    return any(sender in str(row[name] or "").lower() for row in letters.rows for name in places)


def _is_live(store: Store, ref: Ref) -> bool:
    try:
        store.read(ref.entity, ref.id, fields=())
    except Missing:
        return False
    return True
