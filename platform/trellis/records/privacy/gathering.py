"""Everything that is held about a person, as one file for them: JSON for programs, a page and tables for people."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.records import auditing
from trellis.records.graph import LiveRecord, StoreGraph, title_of
from trellis.records.privacy import access
from trellis.records.privacy.emptying import FILES
from trellis.records.privacy.finding import Person, find
from trellis.records.transfer.neutral import guard
from trellis.records.versions import history
from trellis.records.writing.files import content_path

if TYPE_CHECKING:
    from trellis.records.session import Session

LEFT_OUT = frozenset({"secret"})
UNTOLD = frozenset({"version", "deleted_by", "search"})
MOST = 2000  # entries of the history and of the access log


@dataclass(frozen=True)
class Held:
    """One record as it is given out: values as JSON, and as people read them. `why`: the links that lead to the
    person; none for the person's own record. `is_whole`: false for one that is about others, too."""

    entity: str
    id: UUID
    title: str
    why: tuple[str, ...]
    is_whole: bool
    in_bin: bool
    values: Mapping[str, Any]
    shown: Mapping[str, str]
    files: tuple[Mapping[str, Any], ...] = ()


@dataclass
class Everything:
    """What is held about a person, in the order in which it is told."""

    person: Person
    at: datetime
    company: str
    records: list[Held] = dc_field(default_factory=list)
    about: list[Held] = dc_field(default_factory=list)
    history: list[dict[str, Any]] = dc_field(default_factory=list)
    comments: list[dict[str, Any]] = dc_field(default_factory=list)
    decisions: list[dict[str, Any]] = dc_field(default_factory=list)
    access: list[dict[str, Any]] = dc_field(default_factory=list)


def gather(session: Session, entity: str, id: UUID, also: Iterable[Ref] = ()) -> Everything:
    """Read everything about a person, in the open transaction. Raises Forbidden or Missing."""
    person = find(session, entity, id, also)
    graph = StoreGraph(session)
    found = Everything(person, session.reader.now, session.tenant.profile.label)
    for ref in (*person.own, *person.parts):
        record = graph.follow(ref)
        if record is not None:
            found.records.append(_held(session, record, (), whole=True))
    for about in person.about:
        record = graph.follow(about.ref)
        if record is not None:
            found.about.append(_held(session, record, about.fields, whole=not about.others))
    with session.as_system():
        for ref in person.own:
            found.history += [
                _change(ref, c) for c in history.read(session, ref.entity, ref.id, limit=MOST, before=None)
            ]
    for ref in person.own:
        found.comments += list(_comments(session, ref))
        found.decisions += list(_decisions(session, ref))
        found.access += [_reading(line) for line in access.of_records(session, ref.entity, [ref.id], limit=MOST)]
    return found


def write_zip(session: Session, found: Everything, page: str, root: Path, out: IO[bytes]) -> dict[str, int]:
    """Write the archive: data.json, index.html (`page`, drawn by whoever asks), tables, files. It is noted in the
    audit log and in the access log."""
    counts = {
        "records": len(found.records),
        "about": len(found.about),
        "history": len(found.history),
        "files": 0,
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(as_json(found), ensure_ascii=False, indent=1, default=str))
        archive.writestr("index.html", page)
        for name, text in tables(session, found):
            archive.writestr(f"tables/{name}.csv", "\ufeff" + text)
        for name, path in _files(session, found, root):
            if path.is_file():
                archive.write(path, name)
                counts["files"] += 1
    ref = found.person.ref
    auditing.note(session, "privacy.exported", entity=ref.entity, record=ref.id, details=counts)
    for own in found.person.own:
        access.note(session, access.Reading("privacy", own.entity, own.id))
    return counts


def as_json(found: Everything) -> dict[str, Any]:
    """Everything as plain JSON."""
    return {
        "person": {"entity": found.person.ref.entity, "id": str(found.person.ref.id), "title": found.person.ref.title},
        "given_out_at": found.at.isoformat(),
        "company": found.company,
        "records": [_as_json(held) for held in found.records],
        "about": [_as_json(held) for held in found.about],
        "history": found.history,
        "comments": found.comments,
        "decisions": found.decisions,
        "access": found.access,
    }


def _as_json(held: Held) -> dict[str, Any]:
    body: dict[str, Any] = {"entity": held.entity, "id": str(held.id), "title": held.title, "in_bin": held.in_bin}
    if held.why:
        body["links"] = list(held.why)
    return body | {"values": dict(held.values)}


def tables(session: Session, found: Everything) -> Iterator[tuple[str, str]]:
    """A CSV for each entity, with labels of the reader's language."""
    by_entity: dict[str, list[Held]] = {}
    for held in (*found.records, *found.about):
        by_entity.setdefault(held.entity, []).append(held)
    language = session.reader.language
    for key, rows in by_entity.items():
        entity = session.model.entities[key]
        names = [name for name in entity.fields if any(name in row.shown for row in rows)]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(["id", *(guard(entity.fields[name].label.in_language(language)) for name in names)])
        for row in rows:
            writer.writerow([str(row.id), *(guard(row.shown.get(name, "")) for name in names)])
        yield key, out.getvalue()


def _held(session: Session, record: LiveRecord, why: tuple[str, ...], *, whole: bool) -> Held:
    definition = record.definition
    names = list(definition.fields) if whole else [*why, "created_at"]
    values: dict[str, Any] = {}
    shown: dict[str, str] = {}
    files: list[Mapping[str, Any]] = []
    for name in names:
        field = definition.fields.get(name)
        if field is None or field.type.name in LEFT_OUT or name in UNTOLD:
            continue
        value = record.value(name)
        if value is None or value == ():
            continue
        value = _titled(record, value)
        values[name] = field.type.to_json(value)
        shown[name] = field.type.display(value, session.reader)
        if field.type.name in FILES:
            files += [f for f in (value if isinstance(value, (tuple, list)) else (value,)) if isinstance(f, Mapping)]
    in_bin = "deleted_at" in definition.fields and record.value("deleted_at") is not None
    return Held(definition.key, record.id, title_of(record), why, whole, in_bin, values, shown, tuple(files))


def _titled(record: LiveRecord, value: Any) -> Any:
    graph = record.graph
    if isinstance(value, Ref):
        return Ref(value.entity, value.id, graph.title(value))
    if isinstance(value, tuple) and value and isinstance(value[0], Ref):
        return tuple(Ref(ref.entity, ref.id, graph.title(ref)) for ref in value)
    return value


def _change(ref: Ref, change: Any) -> dict[str, Any]:
    return {
        "entity": ref.entity,
        "record": str(ref.id),
        "at": change.at.isoformat(),
        "by": change.by_name,
        "kind": change.kind,
        "means": change.means,
        "changes": [{"field": c.field, "from": _plain(c.old), "to": _plain(c.new)} for c in change.changes],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Ref):
        return value.title or str(value.id)
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _comments(session: Session, ref: Ref) -> Iterator[dict[str, Any]]:
    table = session.tables.platform.comment
    query = sa.select(table.c.created_at, table.c.body).where(table.c.entity == ref.entity, table.c.record == ref.id)
    for row in session.execute(query.order_by(table.c.created_at)):
        yield {"at": row.created_at.isoformat(), "text": row.body}


def _decisions(session: Session, ref: Ref) -> Iterator[dict[str, Any]]:
    from trellis.records.privacy.holding import standing

    for state, about in standing(session, ref.entity, ref.id).items():
        yield {"state": state, "reason": about.reason, "at": about.at.isoformat(), "by": about.by_name}


def _reading(line: access.Told) -> dict[str, Any]:
    return {"at": line.at.isoformat(), "by": line.by_name, "how": line.how, "record": str(line.record)}


def _files(session: Session, found: Everything, root: Path) -> Iterator[tuple[str, Path]]:
    """The files of the records that are given out whole, each under a name of its own."""
    wanted = {UUID(str(f["id"])) for held in (*found.records, *found.about) for f in held.files if f.get("id")}
    if not wanted:
        return
    table = session.tables.platform.file
    query = sa.select(table.c.id, table.c.name, table.c.hash).where(table.c.id.in_(sorted(wanted, key=str)))
    for row in session.execute(query):
        name = Path(row.name.replace("\\", "/")).name or "file"
        yield f"files/{row.id.hex[-8:]}-{name}", content_path(root, session.tenant.slug, row.hash)
