"""Mentions and notes: who is named with @ in a text is told, and notes are told to owner and followers of their record.

A name is written as it is: `@Ann Lee`, or `@ann@example.com` where two people have one name. It is looked up when the
change is committed, and only those who may read the record hear of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.automation import notices
from trellis.automation.channels import recipients
from trellis.automation.jobs import Work, defer, kind
from trellis.automation.mail.words import words
from trellis.automation.workflows.acting import Nobody, principal_of, system_of
from trellis.formula.types import Ref
from trellis.model.fields.text import LongText, RichText
from trellis.model.markup import plain_text
from trellis.records.hooks import Hooks, in_every_save
from trellis.records.refusal import Forbidden, Missing
from trellis.records.store import Store
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.draft import Event
    from trellis.records.session import Session
    from trellis.storage.tenant import Tenant

USER, NOTE, ABOUT = "user", "note", "about"
MEANS = frozenset({"page", "api", "assistant"})
LONGEST = 20_000  # characters of a text that are looked through
MOST = 30  # people that one text may name
EXCERPT = 160
_AT = re.compile(r"(?<![A-Za-z0-9_.@+-])@")  # not within an address


@dataclass(frozen=True)
class Someone:
    """A person who can be named."""

    id: UUID
    name: str
    email: str


def people(connection: sa.Connection, tenant: Tenant) -> list[Someone]:
    """Everybody who is active."""
    table = tenant.tables.entity[USER]
    statement = sa.select(table.c.id, table.c[short("name")], table.c[short("email")])
    statement = statement.where(table.c.deleted_at.is_(None))
    if "active" in table.c:
        statement = statement.where(table.c.active.is_not(False))
    return [Someone(id, str(name or ""), str(email or "")) for id, name, email in connection.execute(statement)]


def named_in(text: str, everybody: Sequence[Someone]) -> list[Someone]:
    """The people that a text names, each once: the longest name that stands there, and that is one person's only."""
    found: dict[UUID, Someone] = {}
    for match in _AT.finditer(text[:LONGEST]):
        rest = text[match.end() : match.end() + 120].casefold()
        hits = [(len(word), one) for one in everybody for word in (one.name, one.email) if _begins(rest, word)]
        if not hits:
            continue
        longest = max(length for length, _one in hits)
        best = {one.id: one for length, one in hits if length == longest}
        if len(best) == 1:
            found |= best
        if len(found) >= MOST:
            break
    return list(found.values())


def _begins(rest: str, word: str) -> bool:
    word = word.casefold()
    if not word or not rest.startswith(word):
        return False
    after = rest[len(word) : len(word) + 1]
    # Chinese has no spaces: what comes after a name may be a letter there
    return not after or not (after.isalnum() and after.isascii()) or not word[-1].isascii()


def writing_of(one: Someone, everybody: Iterable[Someone]) -> str:
    """How a person is named so that nobody else is meant."""
    same = [other for other in everybody if other.name.casefold() == one.name.casefold()]
    return one.name if one.name and len(same) == 1 else one.email


# ── within a save ────────────────────────────────────────────────────────────────────────────────────────


@in_every_save
def join(session: Session, hooks: Hooks) -> None:
    """Look at what people write."""
    if not session.principal.is_system and USER in session.model.entities:
        hooks.after.append(lambda happened: _look(session, happened))


def _look(session: Session, happened: Sequence[Event]) -> None:
    if session.is_trial:
        return
    for event in happened:
        if event.kind not in ("created", "updated") or event.means not in MEANS:
            continue
        texts = dict(_texts(session, event))
        if texts or (event.kind == "created" and event.entity == NOTE):
            payload = {
                "entity": event.entity,
                "record": str(event.id),
                "texts": texts,
                "is_new": event.kind == "created",
                "by": str(session.principal.id) if session.principal.id else None,
                "by_name": session.principal.name or "",
            }
            defer(session.connection, tell, payload)


def _texts(session: Session, event: Event) -> Iterator[tuple[str, tuple[str, str]]]:
    fields = session.model.entities[event.entity].fields
    for name, (old, new) in event.changed.items():
        if isinstance(new, str) and "@" in new and name in fields and isinstance(fields[name].type, LongText):
            yield name, (str(old or "")[:LONGEST], new[:LONGEST])


# ── after it ─────────────────────────────────────────────────────────────────────────────────────────────


@kind("mentions.tell")
def tell(work: Work) -> None:
    """Tell those who are named, and of a note its record's owner and followers."""
    asked = work.payload
    tenant = work.tenant
    with work.finishing() as connection:
        if asked["entity"] not in tenant.model.entities:
            return
        ref, by = Ref(asked["entity"], UUID(asked["record"])), UUID(asked["by"]) if asked["by"] else None
        named = _named(connection, tenant, ref, asked["texts"])
        about, text = _place(connection, tenant, ref)
        if about is None:
            return
        told = {by}
        for user, words_there in named.items():
            if user not in told and may_read(connection, tenant, user, about):
                told.add(user)
                _tell(connection, tenant, user, about, "mention", asked["by_name"], words_there)
        if asked["entity"] == NOTE and asked["is_new"]:
            for user in _interested(connection, tenant, about):
                if user not in told and may_read(connection, tenant, user, about):
                    told.add(user)
                    _tell(connection, tenant, user, about, "comment", asked["by_name"], text)


def _named(connection: sa.Connection, tenant: Tenant, ref: Ref, texts: Mapping[str, Sequence[str]]) -> dict[UUID, str]:
    """Who is named now and was not before, with the text that names them."""
    if not texts:
        return {}
    everybody = people(connection, tenant)
    found: dict[UUID, str] = {}
    fields = tenant.model.entities[ref.entity].fields
    for name, (old, new) in texts.items():
        field = fields.get(name)
        if field is not None and isinstance(field.type, RichText):
            old, new = plain_text(old), plain_text(new)
        before = {one.id for one in named_in(old, everybody)}
        found |= {one.id: new for one in named_in(new, everybody) if one.id not in before and one.id not in found}
    return found


def _place(connection: sa.Connection, tenant: Tenant, ref: Ref) -> tuple[Ref | None, str]:
    """Where a notice leads: of a note, to the record that it is about; and the note's text."""
    store = Store(tenant, system_of(tenant))
    with store.session.within(connection):
        try:
            if ref.entity != NOTE:
                return store.read(ref.entity, ref.id, fields=()).ref, ""
            note = store.read(NOTE, ref.id, fields=[ABOUT, "text"])
            about: Any = note[ABOUT]
            return (store.read(about.entity, about.id, fields=()).ref if about else note.ref), str(note["text"] or "")
        except Missing:
            return None, ""


def may_read(connection: sa.Connection, tenant: Tenant, user: UUID, record: Ref) -> bool:
    """Whether somebody may read a record, and sign in at all."""
    try:
        principal = principal_of(connection, tenant, user, None)
    except Nobody:
        return False
    store = Store(tenant, principal)
    with store.session.within(connection):
        try:
            store.read(record.entity, record.id, fields=())
        except (Missing, Forbidden):
            return False
    return True


def _tell(connection: sa.Connection, tenant: Tenant, user: UUID, about: Ref, kind: str, by: str, text: str) -> None:
    person = next(iter(recipients(connection, tenant, [user])), None)
    if person is None:
        return
    _ = words(person.language)
    excerpt = " ".join(text.split())
    excerpt = excerpt if len(excerpt) <= EXCERPT else excerpt[: EXCERPT - 1].rstrip() + "…"
    title = about.title or ""
    if kind == "mention":
        said = _("%(name)s mentions you in %(title)s: %(words)s", name=by, title=title, words=excerpt)
    else:
        said = _("%(name)s has written about %(title)s: %(words)s", name=by, title=title, words=excerpt)
    notices.tell(connection, tenant, [user], said, kind=kind, about=about)


def _interested(connection: sa.Connection, tenant: Tenant, record: Ref) -> list[UUID]:
    """The owner of a record, and who follows it."""
    table = tenant.tables.platform.follow
    same = table.c.entity == record.entity, table.c.record == record.id
    found = list(connection.execute(sa.select(table.c.user).where(*same).order_by(table.c.at)).scalars())
    owner = tenant.model.entities[record.entity].owner_field
    entity = tenant.tables.entity[record.entity]
    if owner is not None:
        own = connection.execute(sa.select(entity.c[short(owner)]).where(entity.c.id == record.id)).scalar()
        found = [own, *found] if own is not None else found
    return list(dict.fromkeys(found))


# ── following ────────────────────────────────────────────────────────────────────────────────────────────


def follows(connection: sa.Connection, tenant: Tenant, user: UUID, record: Ref) -> bool:
    """Whether somebody follows a record."""
    table = tenant.tables.platform.follow
    same = table.c.user == user, table.c.entity == record.entity, table.c.record == record.id
    return connection.execute(sa.select(sa.literal(1)).where(*same)).first() is not None


def follow(connection: sa.Connection, tenant: Tenant, user: UUID, record: Ref, *, on: bool) -> None:
    """Begin to follow a record, or cease to."""
    table = tenant.tables.platform.follow
    if on:
        made = insert(table).values(user=user, entity=record.entity, record=record.id)
        connection.execute(made.on_conflict_do_nothing())
        return
    same = table.c.user == user, table.c.entity == record.entity, table.c.record == record.id
    connection.execute(sa.delete(table).where(*same))
