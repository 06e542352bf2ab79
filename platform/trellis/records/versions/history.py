"""The history: one entry for each change of a record, with the old and new value of each field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.base import Invalid
from trellis.records.access.masking import mask
from trellis.records.auditing import follow_people
from trellis.records.draft import Draft
from trellis.records.graph import LiveRecord, title_of
from trellis.records.merging import lookup
from trellis.records.pools import standing
from trellis.records.reading import shown
from trellis.records.reading.catalog import link_columns
from trellis.records.reading.names import names_freely
from trellis.records.record import Change, FieldChange

if TYPE_CHECKING:
    from trellis.records.access.permit import Permit
    from trellis.records.session import Session

UNTOLD = frozenset(
    {"id", "version", "updated_at", "updated_by", "created_at", "created_by", "deleted_at", "deleted_by"}
)
SECRET = "•••"
MERGED = ("merged", "merged_into")  # what entries about merges tell beside fields


def record(session: Session, drafts: Iterable[Draft], kind: str, extra: Sequence[Any] = ()) -> None:
    """Write one entry for each draft; its lines are told in its own. `extra` is told beside the changed fields."""
    entries = [_entry(session, draft, kind) for draft in drafts]
    for entry in entries:
        entry["changes"].extend(extra)
    if entries:
        session.execute(sa.insert(session.tables.platform.history), entries)
        follow_people(session, entries)


def record_plain(session: Session, entity: str, ids: Iterable[UUID], kind: str, means: str, changes: list[Any]) -> None:
    """Write entries for something that happened to whole records."""
    entries = [_row(session, entity, id, kind, means, None, changes) for id in ids]
    if entries:
        session.execute(sa.insert(session.tables.platform.history), entries)
        follow_people(session, entries)


def record_each(session: Session, entity: str, changes: Mapping[UUID, list[Any]], kind: str, means: str) -> None:
    """Write an entry for each of several records, with its own changes."""
    entries = [_row(session, entity, id, kind, means, None, told) for id, told in changes.items()]
    if entries:
        session.execute(sa.insert(session.tables.platform.history), entries)
        follow_people(session, entries)


def _entry(session: Session, draft: Draft, kind: str) -> dict[str, Any]:
    version = draft.record.version + 1 if not draft.is_new else 1
    row = _row(
        session,
        draft.entity.key,
        draft.record.id,
        kind,
        draft.means,
        version,
        [*_changes(draft), *draft.told, *_line_changes(draft)],
    )
    if draft.is_new and (born := draft.value("created_at")) is not None:
        row["at"] = born  # loaded from elsewhere, where it has been for a while
    return row


def _row(
    session: Session, entity: str, id: UUID, kind: str, means: str, version: int | None, changes: list[Any]
) -> dict[str, Any]:
    principal = session.principal
    return {
        "at": session.reader.now,
        "entity": entity,
        "record": id,
        "kind": kind,
        "means": means,
        "by": principal.id,
        "by_name": principal.name or None,
        "cause": session.cause,
        "version": version,
        "changes": changes,
        "batch": session.batch_id(),
    }


def _changes(draft: Draft, place: str = "") -> list[Any]:
    from trellis.records.writing.write import changed_fields

    found = []
    for name in changed_fields(draft):
        field = draft.entity.fields[name]
        if not field.audit or (place and name in (draft.entity.parent_field, "position")):
            continue
        if field.type.name == "money" and field.type.same(draft.before(name), draft.value(name)):
            continue  # the amount stands; only the exchange rate is another
        old, new = (write_value(draft, field, v) for v in (draft.before(name), draft.value(name)))
        if draft.is_new and new in (None, []):
            continue
        found.append([place + name, old, new])
    return found


def _line_changes(draft: Draft, place: str = "") -> list[Any]:
    found: list[Any] = []
    for name, drafts in draft.lines.items():
        for line in drafts:
            at = f"{place}{name}.{line.record.id}"
            if line.is_new:
                found.append([at, None, title_of(line.record)])
            found.extend(_changes(line, f"{at}."))
            found.extend(_line_changes(line, f"{at}."))
        for gone in draft.gone.get(name, ()):
            found.append([f"{place}{name}.{gone.id}", title_of(gone), None])
    return found


def write_value(draft: Draft, field: Field, value: Value) -> Any:
    """A value for the history, links with the titles of the time; a secret only leaves that it was there."""
    if value is None:
        return None
    if field.type.name == "secret":
        return SECRET
    graph = draft.record.graph
    if isinstance(value, Ref):
        value = Ref(value.entity, value.id, graph.title(value))
    elif isinstance(value, tuple) and value and isinstance(value[0], Ref):
        value = tuple(Ref(ref.entity, ref.id, graph.title(ref)) for ref in value)
    return field.type.to_json(value)


def read(session: Session, entity: str, id: UUID, *, limit: int, before: UUID | int | None) -> list[Change]:
    """A record's entries, the newest first, without what this person may not see."""
    table = session.tables.platform.history
    whose = lookup.with_losers(session, entity, id)  # what was merged into it brought its history
    statement = sa.select(table).where(table.c.entity == entity, table.c.record.in_(whose))
    statement = statement.where(sa.or_(table.c.record == id, table.c.kind != "merged"))  # told by its own entry
    if session.permit.is_portal:  # who else may see it is nothing for people from outside
        statement = statement.where(table.c.kind.not_in(("share", "unshare")))
    if before is not None:
        statement = statement.where(table.c.id < before)
    rows = session.execute(statement.order_by(table.c.id.desc()).limit(limit)).mappings()
    covered = standing.hidden_now(session, entity, id)
    return _without_titles_out_of_reach(session, entity, [_change(session, entity, row, covered) for row in rows])


def _without_titles_out_of_reach(session: Session, entity: str, changes: list[Change]) -> list[Change]:
    """Titles of the time stay where this person may know all of them; else today's, as far as they may read it."""
    permit, definition = session.permit, session.model.entities[entity]
    wanted: dict[Ref, None] = {}
    for field in (f for change in changes for f in change.changes):
        line = _line_at(session, definition, field.field)
        for ref in (*refs_of(field.old), *refs_of(field.new), *([line] if line is not None else ())):
            if ref.entity in session.model.entities and not _is_open(permit, ref.entity):
                wanted[ref] = None
    if not wanted:
        return changes
    known = shown.titles(session, wanted)

    def seen(value: Value) -> Value:
        if isinstance(value, Ref) and value in wanted:
            title = known.get((value.entity, value.id))
            return value if title is not None and names_freely(permit, value.entity) else replace(value, title=title)
        return tuple(seen(v) for v in value) if isinstance(value, tuple) else value

    def told(field: FieldChange) -> FieldChange:
        line = _line_at(session, definition, field.field)
        if line is None or line not in wanted:
            return FieldChange(field.field, seen(field.old), seen(field.new))
        title = known.get((line.entity, line.id), "")
        return FieldChange(field.field, *(None if v is None else title for v in (field.old, field.new)))

    return [replace(c, changes=tuple(told(f) for f in c.changes)) for c in changes]


def _is_open(permit: Permit, entity: str) -> bool:
    return permit.is_unlimited("read", entity) and names_freely(permit, entity)


def _line_at(session: Session, entity: Entity, path: str) -> Ref | None:
    """The line that came or went, of a path that ends in its id: lines.<id>."""
    parts = path.split(".")
    if len(parts) % 2:
        return None
    for name in parts[0::2]:
        if name not in entity.inverses:
            return None
        entity = session.model.entities[entity.inverses[name].entity]
    try:
        return Ref(entity.key, UUID(parts[-1]))
    except ValueError:
        return None


def refs_of(value: Value) -> list[Ref]:
    return [v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, Ref)]


def _change(session: Session, entity: str, row: sa.RowMapping, covered: frozenset[str] = frozenset()) -> Change:
    by = None if row["by"] is None else Ref("user", row["by"], row["by_name"])
    return Change(
        id=row["id"],
        at=row["at"],
        by=by,
        by_name=row["by_name"] or "",
        means=row["means"],
        kind=row["kind"],
        changes=tuple(
            change
            for change in _read_changes(session, session.model.entities[entity], row["changes"] or [])
            if change.field.partition(".")[0] not in covered
        ),
        version=row["version"],
        cause=row["cause"],
        record=row["record"],
    )


def _read_changes(session: Session, entity: Entity, changes: Sequence[Any]) -> Iterable[FieldChange]:
    for path, old, new in changes:
        owner, name = locate(session, entity, path)
        if owner is None:
            yield FieldChange(path, old, new)
            continue
        if path in MERGED:
            yield FieldChange(path, _told_refs(old), _told_refs(new))
            continue
        mode = session.permit.modes(owner.key).get(name)
        if mode == "hidden":
            continue
        field = owner.fields.get(name)
        if field is not None and name != path.rpartition(".")[2]:  # contacts.<id>.part: what a link keeps
            field = link_columns(field).get(path.rpartition(".")[2])
        values = [_read_value(session, field, v) if field is not None else v for v in (old, new)]
        if mode == "masked" and field is not None:
            values = [mask(field.type, v) for v in values]
        yield FieldChange(path, values[0], values[1])


def _told_refs(told: Any) -> Value:
    """The records of an entry about a merge."""
    listed = told if isinstance(told, list) else [told] if told else []
    return tuple(Ref(item["entity"], UUID(item["id"]), item.get("title")) for item in listed) or None


def locate(session: Session, entity: Entity, path: str) -> tuple[Entity | None, str]:
    """The entity and field of a path: amount, or lines.<id>.quantity; no entity for a whole line."""
    parts = path.split(".")
    while len(parts) > 2:
        inverse = entity.inverses.get(parts[0])
        if inverse is None:
            return entity, parts[0]
        entity, parts = session.model.entities[inverse.entity], parts[2:]
    if len(parts) == 2 and parts[0] in entity.inverses:
        return None, path
    return entity, parts[0]


def _read_value(session: Session, field: Field, value: Any) -> Value:
    """A value from the history; one that its field no longer takes is given as it was written."""
    if value is None or value == SECRET:
        return value
    try:
        return field.type.parse(value, session.reader)
    except (Invalid, ValueError, TypeError, KeyError):
        return value


def as_told(ref: Ref) -> dict[str, Any]:
    """A record as an entry names it, with its title of the time."""
    return {"entity": ref.entity, "id": str(ref.id), "title": ref.title}


def refs(records: Iterable[LiveRecord]) -> list[Any]:
    """Records for an entry of their own."""
    return [{"entity": r.entity, "id": str(r.id), "title": title_of(r)} for r in records]
