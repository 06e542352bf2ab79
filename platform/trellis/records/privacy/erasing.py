"""Erasing a person: what says who they are goes, what totals are made of stays. It cannot be undone.

It goes in one transaction, through what only grows too (history, audit log): there the platform's own login does it,
which the tenant's role may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.model.field import Field
from trellis.records import auditing
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.privacy import leaving as leaving  # registers what it erases
from trellis.records.privacy.emptying import FILES, empty, goes, personal_only, pseudonym_of
from trellis.records.privacy.finding import Person, find, refused
from trellis.records.privacy.forgetting import ERASERS, as_owner
from trellis.records.privacy.holding import mark, standing
from trellis.records.versions import history
from trellis.records.writing.files import content_path
from trellis.storage.audit.verify import ERASED, FORGOTTEN

if TYPE_CHECKING:
    from pathlib import Path

    from trellis.records.session import Session


@dataclass
class Plan:
    """What an erasure would do. `blanked` and `renamed`: field keys by entity; `stays`: how many records by entity."""

    person: Person
    blanked: dict[str, list[str]] = dc_field(default_factory=dict)
    records: dict[str, int] = dc_field(default_factory=dict)
    activities: dict[str, int] = dc_field(default_factory=dict)
    stays: dict[str, int] = dc_field(default_factory=dict)
    shared: dict[str, int] = dc_field(default_factory=dict)  # about other persons, too: not touched
    files: int = 0
    comments: int = 0
    history: int = 0
    audit: int = 0
    held: dict[Ref, str] = dc_field(default_factory=dict)  # own records that the law keeps, with why


@dataclass(frozen=True)
class Erased:
    """What an erasure did; `contents` are the digests of files that nobody needs any more."""

    person: Person
    pseudonym: str
    counts: Mapping[str, int]
    contents: tuple[str, ...]


def remove_contents(root: Path, tenant: str, erased: Erased) -> None:
    """Delete the contents of files that nobody has any more; after the commit, for a file comes not back."""
    for digest in erased.contents:
        content_path(root, tenant, digest).unlink(missing_ok=True)


def plan(session: Session, entity: str, id: UUID, also: Iterable[Ref] = ()) -> Plan:
    """What an erasure would do, in the open transaction. Raises Forbidden or Missing."""
    person = find(session, entity, id, also)
    made = Plan(person)
    for ref in (*person.own, *person.parts, *person.logins):
        made.records[ref.entity] = made.records.get(ref.entity, 0) + 1
        fields = goes(session.model.entities[ref.entity], everything=False)
        made.blanked.setdefault(ref.entity, [f.key for f in fields])
        if (held := standing(session, ref.entity, ref.id).get("hold")) is not None:
            made.held[ref] = held.reason
    for about in person.about:
        definition = session.model.entities[about.ref.entity]
        where = made.shared if about.others else made.activities if about.is_activity else made.stays
        where[about.ref.entity] = where.get(about.ref.entity, 0) + 1
        if not about.others and not about.is_activity and (fields := personal_only(definition)):
            made.blanked.setdefault(about.ref.entity, [f.key for f in fields])
    tables = session.tables.platform
    for ref in person.own:
        made.comments += _count(session, tables.comment, ref)
        made.history += _count(session, tables.history, ref)
    made.audit = len(_told_of(session, person))
    made.files = len(_file_ids(session, person))
    return made


def _count(session: Session, table: sa.Table, ref: Ref) -> int:
    query = sa.select(sa.func.count()).where(table.c.entity == ref.entity, table.c.record == ref.id)
    return int(session.execute(query).scalar_one())


def erase(session: Session, entity: str, id: UUID, also: Iterable[Ref] = (), *, reason: str = "") -> Erased:
    """Erase a person for good, in the open transaction. Raises Refused when the law keeps the data."""
    made = plan(session, entity, id, also)
    person, counts = made.person, {}
    if made.held:
        raise refused("The law keeps this data: {reason}", reason="; ".join(made.held.values()))
    session.connection.exec_driver_sql("SET LOCAL statement_timeout TO 0")
    names = _titles(session, person)
    files = _file_ids(session, person)
    forgotten = _told_of(session, person)
    session.is_erasing = True  # converted leads go like the rest
    try:
        counts["records"] = empty(session, [*person.own, *person.parts], partial(goes, everything=False))
        counts["activities"] = empty(session, person.activities, partial(goes, everything=True))
        counts["linked"] = empty(session, person.linked, personal_only)
    finally:
        session.is_erasing = False
    counts |= {name: work(session, person, names) for name, work in ERASERS.items()}
    session.execute(sa.delete(session.tables.platform.report_run))  # what was computed for people today may name them
    contents = _drop_files(session, files)
    counts["files"] = len(files)
    for ref in person.own:
        mark(session, ref.entity, ref.id, "erased", reason)
        history.record_plain(session, ref.entity, [ref.id], "erase", "page", [])
    with as_owner(session):
        _forget(session, forgotten)
    counts["audit"] = len(forgotten)
    details: dict[str, Any] = {
        "records": [f"{r.entity}:{r.id}" for r in person.own],
        "counts": {name: n for name, n in counts.items() if n},
    }
    if reason.strip():
        details["reason"] = reason.strip()
    auditing.note(session, ERASED, entity=entity, record=id, details={**details, FORGOTTEN: sorted(forgotten)})
    called = pseudonym_of(person.ref, session.tenant.profile.language)
    return Erased(person, called, counts, contents)


def _titles(session: Session, person: Person) -> dict[str, str]:
    """What the person and the activities about them are called from now on, by the id of the record."""
    renamed = [*person.own, *person.parts, *person.activities, *person.logins]
    language = session.tenant.profile.language
    return {str(ref.id): pseudonym_of(ref, language) for ref in renamed}


def _file_ids(session: Session, person: Person) -> list[UUID]:
    """The files in fields that are emptied."""
    found: list[UUID] = []
    graph = StoreGraph(session)
    for refs, everything in (([*person.own, *person.parts], False), (person.activities, True)):
        for ref in refs:
            record = graph.follow(ref)
            for field in goes(session.model.entities[ref.entity], everything=everything) if record is not None else ():
                if record is not None and field.type.name in FILES:
                    found += list(_files_in(record, field))
    return list(dict.fromkeys(found))


def _files_in(record: LiveRecord, field: Field) -> Iterator[UUID]:
    value = record.value(field.key)
    for entry in value if isinstance(value, (tuple, list)) else (value,):
        if isinstance(entry, Mapping) and entry.get("id"):
            yield UUID(str(entry["id"]))


def _drop_files(session: Session, ids: Sequence[UUID]) -> tuple[str, ...]:
    """Forget files, and tell which contents no other file has."""
    if not ids:
        return ()
    table = session.tables.platform.file
    gone = sa.delete(table).where(table.c.id.in_(list(ids))).returning(table.c.hash)
    hashes = set(session.execute(gone).scalars())
    kept = set(session.execute(sa.select(table.c.hash).where(table.c.hash.in_(sorted(hashes)))).scalars())
    return tuple(sorted(hashes - kept))


def _told_of(session: Session, person: Person) -> list[int]:
    """The entries of the audit log that tell of the person in their label or details."""
    table = session.tables.platform.audit
    about = [
        sa.and_(table.c.entity == key, table.c.record.in_(ids), table.c.label.is_not(None))
        for key, ids in person.ids.items()
    ]
    texts = sorted(person.values)
    told = [c.icontains(t, autoescape=True) for t in texts for c in (table.c.label, table.c.details)]
    query = sa.select(table.c.id).where(sa.or_(*about, *told), table.c.kind != ERASED, table.c.salt.is_not(None))
    return list(session.execute(query).scalars())


def _forget(session: Session, ids: Sequence[int]) -> None:
    table = session.tables.platform.audit
    if ids:
        gone = {"label": None, "details": None, "salt": None}
        session.execute(sa.update(table).where(table.c.id.in_(list(ids))).values(gone))
