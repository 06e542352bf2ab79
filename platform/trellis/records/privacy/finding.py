"""What is held about a person: the records that are this person, and the records that lead to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.model.conversion import became_field
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.graph import LiveRecord, StoreGraph, title_of
from trellis.records.merging import lookup
from trellis.records.privacy.leaving_out import RIGHT
from trellis.records.privacy.subjects import is_subject, known_by, subjects
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

MOST = 5000  # records about one person that are told one by one
USER, CONTACT = "user", "contact"  # the field of that name ties a person from outside to who they are
ACTIVITY = "any_link"  # the type of link by which something is about a record of whatever kind


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that is probably the same person: it has the same e-mail address or phone number."""

    ref: Ref
    shared: tuple[str, ...]  # labels of what it shares are the reader's; these are field keys
    in_bin: bool


@dataclass(frozen=True, slots=True)
class About:
    """A record that leads to the person by a link. `is_activity`: it is about them and nothing else, like a note;
    `others`: it leads to other persons, too."""

    ref: Ref
    fields: tuple[str, ...]
    is_activity: bool
    others: bool


@dataclass(frozen=True)
class Person:
    """A person with everything that is held about them. `own`: their records, the one that was asked for first, with
    what was merged into it and what it came from by conversion."""

    ref: Ref
    own: tuple[Ref, ...]
    candidates: tuple[Candidate, ...] = ()
    about: tuple[About, ...] = ()
    parts: tuple[Ref, ...] = ()  # lines of the own records
    logins: tuple[Ref, ...] = ()  # the people of a portal as whom they sign in
    values: frozenset[str] = dc_field(default_factory=frozenset)  # e-mail addresses and phone numbers

    @property
    def activities(self) -> list[Ref]:
        """What is about this person and nobody else: notes, calls, tasks."""
        return [a.ref for a in self.about if a.is_activity and not a.others]

    @property
    def linked(self) -> list[Ref]:
        """Records that lead to this person and to no other one: orders, tickets."""
        return [a.ref for a in self.about if not a.is_activity and not a.others]

    @property
    def ids(self) -> dict[str, list[UUID]]:
        """The own records by entity."""
        found: dict[str, list[UUID]] = {}
        for ref in self.own:
            found.setdefault(ref.entity, []).append(ref.id)
        return found


def require(session: Session, entity: str, id: UUID) -> None:
    """Refuse who may not deal with persons' data, and what is no person. Raises Forbidden or Missing."""
    definition = session.entity(entity)
    if not (session.permit.allows(RIGHT) or session.permit.allows("admin")):
        raise Forbidden(entity, RIGHT)
    if not is_subject(definition):
        raise Missing(f"{entity} {id}")


def find(session: Session, entity: str, id: UUID, also: Iterable[Ref] = ()) -> Person:
    """Find everything about a person, in the open transaction. `also`: other records that are the same person.

    Raises Missing, also for one of `also` that shares nothing with the person.
    """
    require(session, entity, id)
    graph = StoreGraph(session)
    first = graph.follow(Ref(entity, id))
    if first is None:
        raise Missing(f"{entity} {id}")
    own = _with_past(session, graph, [first])
    candidates = list(_candidates(session, graph, own))
    chosen = {(ref.entity, ref.id) for ref in also}
    known = {(c.ref.entity, c.ref.id) for c in candidates}
    if missing := chosen - known - {(r.entity, r.id) for r in own}:
        raise Missing(" ".join(map(str, next(iter(missing)))))
    same = [r for c in candidates if (c.ref.entity, c.ref.id) in chosen and (r := graph.follow(c.ref)) is not None]
    own = _with_past(session, graph, [*own, *same])
    refs = tuple(_ref(r) for r in own)
    logins = tuple(_logins(session, graph, own))
    return Person(
        ref=refs[0],
        own=refs,
        candidates=tuple(c for c in candidates if c.ref.id not in {r.id for r in own}),
        about=tuple(a for a in _about(session, graph, own) if a.ref.id not in {r.id for r in logins}),
        parts=tuple(_parts(session, graph, own)),
        logins=logins,
        values=frozenset(v for r in own for _f, v in _reached(r)),
    )


def _ref(record: LiveRecord) -> Ref:
    return Ref(record.entity, record.id, title_of(record))


def _with_past(session: Session, graph: StoreGraph, records: Sequence[LiveRecord]) -> list[LiveRecord]:
    """The records with what was merged into them, and what they came from or became by a conversion."""
    found: dict[tuple[str, UUID], LiveRecord] = {}
    waiting = list(records)
    while waiting:
        record = waiting.pop(0)
        if (record.entity, record.id) in found or not is_subject(record.definition):
            continue
        found[record.entity, record.id] = record
        losers = session.execute(lookup.with_losers(session, record.entity, record.id)).scalars().all()
        waiting += graph.load(record.entity, [i for i in losers if i != record.id])
        for conversion in session.model.conversions.values():
            source = session.model.entities[conversion.entity]
            if record.entity in conversion.into and is_subject(source):
                column = session.table(source.key).c[short(became_field(record.entity))]
                came = session.execute(sa.select(session.table(source.key).c.id).where(column == record.id))
                waiting += graph.load(source.key, list(came.scalars()))
            if record.entity == conversion.entity:
                became = [record.value(became_field(t)) for t in conversion.into]
                waiting += [r for b in became if isinstance(b, Ref) and (r := graph.follow(b)) is not None]
    return list(found.values())


def _reached(record: LiveRecord) -> Iterator[tuple[Field, str]]:
    """The e-mail addresses and phone numbers of a record."""
    for field in known_by(record.definition):
        value = record.value(field.key)
        entries = value if isinstance(value, tuple) else (value,)
        for entry in entries:
            text = entry.get("value") if isinstance(entry, dict) else entry
            if isinstance(text, str) and text.strip():
                yield field, text.strip()


def _candidates(session: Session, graph: StoreGraph, own: Sequence[LiveRecord]) -> Iterator[Candidate]:
    """Other records of persons that share an address or a number, in the bin or not."""
    wanted: dict[str, set[str]] = {}
    for record in own:
        for field, text in _reached(record):
            wanted.setdefault(field.type.name, set()).add(text.lower())
    mine = {(r.entity, r.id) for r in own}
    for key in subjects(session.model):
        entity, table = session.model.entities[key], session.table(key)
        shared: dict[UUID, list[str]] = {}
        for field in known_by(entity):
            texts = wanted.get(field.type.name)
            if not texts:
                continue
            same: sa.ColumnElement[bool] = sa.func.lower(table.c[short(field.key)]).in_(sorted(texts))
            if "_all" in field.type.columns():
                every = sa.func.lower(sa.cast(table.c[short(f"{field.key}_all")], sa.Text))
                same = sa.or_(same, *(every.contains(f'"{text}"', autoescape=True) for text in sorted(texts)))
            for id in session.execute(sa.select(table.c.id).where(same).limit(MOST)).scalars():
                shared.setdefault(id, []).append(field.key)
        for record in graph.load(key, list(shared)):
            if (key, record.id) not in mine:
                yield Candidate(_ref(record), tuple(shared[record.id]), record.value("deleted_at") is not None)


def links_to(session: Session, entity: str) -> Iterator[tuple[Entity, Field]]:
    """Every stored link, to one or to many, that may lead to records of an entity."""
    for other in session.model.entities.values():
        for field in other.fields.values():
            kind = field.type.formula_type()
            if kind.kind not in ("record", "records") or field.is_derived or field.system:
                continue
            if not kind.entities or entity in kind.entities:
                yield other, field


def _about(session: Session, graph: StoreGraph, own: Sequence[LiveRecord]) -> Iterator[About]:
    """The records that lead to the own ones, those in the bin too; not the own ones' parts."""
    by_entity: dict[str, list[UUID]] = {}
    for record in own:
        by_entity.setdefault(record.entity, []).append(record.id)
    found: dict[tuple[str, UUID], list[str]] = {}
    for key, ids in by_entity.items():
        for other, field in links_to(session, key):
            if other.part_of == key and other.parent_field == field.key:
                continue
            for id in _pointing(session, other, field, key, ids):
                found.setdefault((other.key, id), []).append(field.key)
    mine = {(r.entity, r.id) for r in own}
    wanted: dict[str, list[UUID]] = {}
    for key, id in found:
        if (key, id) not in mine:
            wanted.setdefault(key, []).append(id)
    persons = set(subjects(session.model))
    for key, ids in wanted.items():
        definition = session.model.entities[key]
        for record in graph.load(key, ids):
            fields = tuple(dict.fromkeys(found[key, record.id]))
            is_activity = any(definition.fields[f].type.name == ACTIVITY for f in fields)
            others = key in persons or _leads_elsewhere(record, definition, mine, persons)
            yield About(_ref(record), fields, is_activity, others)


def _logins(session: Session, graph: StoreGraph, own: Sequence[LiveRecord]) -> Iterator[Ref]:
    """Who signs in as one of the records and has no roles but a portal's: nobody who works here."""
    user, roles = session.model.entities.get(USER), session.model.roles
    ids = [record.id for record in own if record.entity == CONTACT]
    field = user.fields.get(CONTACT) if user is not None else None
    if user is None or field is None or field.type.formula_type().entities != (CONTACT,) or not ids:
        return
    for record in graph.load(USER, _pointing(session, user, field, CONTACT, ids)):
        held = record.value("roles") or ()
        names = [held] if isinstance(held, str) else list(held)
        if all(key in roles and roles[key].portal for key in names):
            yield _ref(record)


def _pointing(session: Session, other: Entity, field: Field, entity: str, ids: Collection[UUID]) -> list[UUID]:
    if field.type.formula_type().kind == "records":
        links = session.tables.links[other.key, field.key]
        statement = sa.select(links.c.source).where(links.c.target.in_(list(ids)))
    else:
        table = session.table(other.key)
        statement = sa.select(table.c.id).where(table.c[short(field.key)].in_(list(ids)))
        if "_entity" in field.type.columns():
            statement = statement.where(table.c[short(f"{field.key}_entity")] == entity)
    return list(session.execute(statement.limit(MOST)).scalars())


def _leads_elsewhere(record: LiveRecord, entity: Entity, mine: set[tuple[str, UUID]], persons: set[str]) -> bool:
    """Whether a record is about another person, too."""
    for field in entity.fields.values():
        if field.type.formula_type().kind not in ("record", "records") or field.is_derived or field.system:
            continue
        value = record.value(field.key)
        for ref in value if isinstance(value, tuple) else (value,):
            if isinstance(ref, Ref) and ref.entity in persons and (ref.entity, ref.id) not in mine:
                return True
    return False


def _parts(session: Session, graph: StoreGraph, own: Sequence[LiveRecord]) -> Iterator[Ref]:
    for record in own:
        for inverse in record.definition.inverses.values():
            part = session.model.entities[inverse.entity]
            if part.part_of == record.entity and part.parent_field == inverse.field:
                ids = _pointing(session, part, part.fields[inverse.field], record.entity, [record.id])
                yield from (_ref(line) for line in graph.load(part.key, ids))


def refused(message: str, **params: Any) -> Refused:
    """A refusal of what is asked for a person's data."""
    from trellis.records.refusal import Fault

    return Refused([Fault("privacy", message, None, params)])
