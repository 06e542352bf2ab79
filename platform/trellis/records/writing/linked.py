"""Many-to-many links: which targets a record has, with the links' own columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.base import Invalid
from trellis.records import faults
from trellis.records.draft import Draft
from trellis.records.reading.catalog import link_columns
from trellis.records.refusal import Fault
from trellis.records.versions.history import write_value
from trellis.records.writing.hands import MOST_AT_ONCE
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session


def links_fields(draft: Draft) -> list[Field]:
    """The draft's many-to-many fields."""
    return [*draft.entity.many_to_many]


def keep_primary(draft: Draft) -> None:
    """Keep a links field and its main one in step: the main one is among them, and the first one if none is chosen."""
    for field in links_fields(draft):
        primary = getattr(field.type, "primary", None)
        if not primary or primary not in draft.entity.fields:
            continue
        if not (draft.is_new or draft.has_changed(field.key) or draft.has_changed(primary)):
            continue
        refs: tuple[Ref, ...] = draft.value(field.key) or ()
        main: Ref | None = draft.value(primary)
        if main is not None and main not in refs:
            if draft.is_new or draft.has_changed(primary):
                draft.set(field.key, (*refs, main))
            else:
                draft.set(primary, refs[0] if refs else None)
        elif main is None and refs and not (primary in draft.given and not draft.is_new):
            draft.set(primary, refs[0])


def given_columns(draft: Draft, field: Field) -> dict[Ref, dict[str, Value]]:
    """The columns that were given with the links: {"id": …, "part": "buyer"}."""
    columns = link_columns(field)
    raw = draft.given.get(field.key)
    found: dict[Ref, dict[str, Value]] = {}
    if not columns or not isinstance(raw, (list, tuple)):
        return found
    reader = draft.record.graph.session.reader
    for index, item in enumerate(raw):
        extra = {k: v for k, v in item.items() if k in columns} if isinstance(item, Mapping) else {}
        if not extra:
            continue
        try:
            refs: tuple[Ref, ...] = field.type.parse([item], reader) or ()
        except Invalid:
            continue  # the field itself says so
        for ref in refs:
            found[ref] = parse_columns(draft, field, extra, f"{field.key}.{index}.")
    return _differing(draft, field, found)


def _require(draft: Draft, field: Field, kept: Mapping[UUID, Mapping[str, Value]]) -> None:
    """Note the links that lack what each must keep: new ones without it, and those from which it was taken."""
    required = [column for column in link_columns(field).values() if column.required]
    if not required or not (draft.is_new or kept or draft.has_changed(field.key)):
        return  # links that nobody touches are not even read
    before = {ref.id for ref in draft.before(field.key) or ()}
    for index, ref in enumerate(draft.value(field.key) or ()):
        given = kept.get(ref.id, {})
        for column in required:
            if given.get(column.key) is None and (ref.id not in before or column.key in given):
                draft.fault(faults.required(f"{field.key}.{index}.{column.key}"))


def tell(
    draft: Draft, field: Field, before: Mapping[UUID, Mapping[str, Value]], now: Mapping[UUID, Mapping[str, Value]]
) -> list[Any]:
    """What the history says about the columns of links: contacts.<id>.part, from, to."""
    columns = link_columns(field) if field.audit else {}
    return [
        [f"{field.key}.{id}.{name}", *(write_value(draft, columns[name], v) for v in (old, value))]
        for id, given in now.items()
        for name, value in given.items()
        if name in columns and value != (old := before.get(id, {}).get(name))
    ]


def _differing(draft: Draft, field: Field, given: dict[Ref, dict[str, Value]]) -> dict[Ref, dict[str, Value]]:
    """Without what is stored just so: forms send every column back, and saving a form unchanged changes nothing."""
    if draft.old is None or not given:
        return given
    stored = stored_columns(draft.record.graph.session, draft.entity, field, draft.record.id)

    def is_new(ref: Ref, name: str, value: Value) -> bool:
        return ref.id not in stored or stored[ref.id][name] != value

    found = {ref: {k: v for k, v in columns.items() if is_new(ref, k, v)} for ref, columns in given.items()}
    return {ref: columns for ref, columns in found.items() if columns or ref.id not in stored}


def stored_columns(session: Session, entity: Entity, field: Field, id: UUID) -> dict[UUID, dict[str, Value]]:
    """What the links of one record keep, by the far end."""
    table = session.tables.links[entity.key, field.key]
    kinds = {key: column.type for key, column in link_columns(field).items()}
    return {
        row["target"]: {
            key: kind.from_columns({s: row[short(key + s)] for s in kind.columns()}) for key, kind in kinds.items()
        }
        for row in session.execute(sa.select(table).where(table.c.source == id)).mappings()
    }


def keeps_otherwise(session: Session, entity: Entity, name: str, id: UUID, given: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the links of a record keep something else than what is given with them."""
    stored = stored_columns(session, entity, entity.fields[name], id)
    told = [(item["id"], key, value) for item in given for key, value in item.items() if key not in ("id", "entity")]
    return any(far in stored and stored[far][key] != value for far, key, value in told)


def parse_columns(draft: Draft, field: Field, raw: Mapping[str, Any], place: str) -> dict[str, Value]:
    """Values of a link's columns; what is wrong is a fault at its place."""
    parsed: dict[str, Value] = {}
    for name, value in raw.items():
        column = link_columns(field).get(name)
        if column is None:
            session = draft.record.graph.session
            draft.fault(faults.unknown_field(session, draft.entity.key, name, place + name))
            continue
        try:
            parsed[name] = column.type.parse(value, draft.record.graph.session.reader)
        except Invalid as error:
            draft.fault(faults.invalid(place + name, error))
            continue
        if parsed[name] is not None:
            for wrong in column.type.check(parsed[name]):
                draft.fault(faults.invalid(place + name, wrong))
    return parsed


def check(draft: Draft) -> None:
    """Note what is wrong with the columns that were given, and more new links than one save takes."""
    for field in links_fields(draft):
        if not draft.record.graph.session.principal.is_system and len(_new(draft, field)) > MOST_AT_ONCE:
            draft.fault(Fault("length", "Must have at most {max} items.", field.key, {"max": MOST_AT_ONCE}))
        if link_columns(field):
            kept = {ref.id: given for ref, given in given_columns(draft, field).items()}
            draft.record.kept[field.key] = dict(kept)
            _require(draft, field, kept)


def changed(draft: Draft) -> bool:
    """Whether links' columns were given: the targets themselves are compared like any value."""
    return any(given_columns(draft, field) for field in links_fields(draft))


def store(session: Session, drafts: Iterable[Draft]) -> None:
    """Write the links that the drafts gave."""
    for draft in drafts:
        for field in links_fields(draft):
            extra = given_columns(draft, field)
            if draft.is_new or draft.has_changed(field.key) or extra:
                gone = _gone(draft, field)
                asks = draft.old is not None and link_columns(field) and (extra or gone)
                before = stored_columns(session, draft.entity, field, draft.record.id) if asks else {}
                lost = {id: dict.fromkeys(before[id]) for id in gone if id in before}
                draft.told += tell(draft, field, before, {**lost, **{ref.id: given for ref, given in extra.items()}})
                _store_field(session, draft, field, extra)


def _new(draft: Draft, field: Field) -> set[Ref]:
    """The far ends that come to be linked."""
    return set(draft.value(field.key) or ()) - set(draft.before(field.key) or ()) if field.key in draft.given else set()


def _gone(draft: Draft, field: Field) -> list[UUID]:
    """The far ends of links that are taken away."""
    refs: tuple[Ref, ...] = draft.value(field.key) or ()
    before: tuple[Ref, ...] = draft.before(field.key) or ()
    return [ref.id for ref in before if ref not in refs]


def _store_field(session: Session, draft: Draft, field: Field, extra: Mapping[Ref, Mapping[str, Value]]) -> None:
    table = session.tables.links[draft.entity.key, field.key]
    refs: tuple[Ref, ...] = draft.value(field.key) or ()
    before: tuple[Ref, ...] = draft.before(field.key) or ()
    if gone := _gone(draft, field):
        session.execute(sa.delete(table).where(table.c.source == draft.record.id, table.c.target.in_(gone)))
    for position, ref in enumerate(refs):
        if position < len(before) and before[position] == ref and ref not in extra:
            continue
        put(session, draft.entity.key, field, draft.record.id, ref.id, extra.get(ref, {}), position)


def put(
    session: Session,
    entity: str,
    field: Field,
    source: UUID,
    target: UUID,
    columns: Mapping[str, Value],
    position: int | None = None,
) -> None:
    """Write one link; one that is there gets the columns and the place."""
    table = session.tables.links[entity, field.key]
    row: dict[str, Any] = {"source": source, "target": target}
    if position is not None:
        row["position"] = position
    for name, value in columns.items():
        for suffix, part in link_columns(field)[name].type.to_columns(value).items():
            row[short(name + suffix)] = part
    statement = insert(table).values(row)
    changed = {k: statement.excluded[k] for k in row if k not in ("source", "target")}
    if changed:
        session.execute(statement.on_conflict_do_update(index_elements=["source", "target"], set_=changed))
    else:
        session.execute(statement.on_conflict_do_nothing(index_elements=["source", "target"]))
