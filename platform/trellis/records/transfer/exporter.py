"""Export: records as CSV that the import takes back, links by what people know them by."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.formula import Formula
from trellis.formula.types import Ref, Value
from trellis.model.field import Field
from trellis.model.view import Sort
from trellis.records import auditing
from trellis.records.privacy import access
from trellis.records.reading.catalog import link_columns
from trellis.records.reading.pointing import Linked, pointing_at_any
from trellis.records.refusal import Forbidden
from trellis.records.transfer.keys import find_rows, known_by
from trellis.records.transfer.mapping import LINKS
from trellis.records.transfer.neutral import guard
from trellis.records.writing.lines import part_lists
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.record import Record
    from trellis.records.store import Store

PAGE = 1000
_LEFT_OUT = frozenset({"secret"})
_SYSTEM = frozenset({"created_by", "updated_by", "deleted_at", "deleted_by", "version"})


def require_export(store: Store, entity: str) -> None:
    """Refuse somebody who may not export this entity."""
    session = store.session
    definition = session.entity(entity)
    if session.principal.is_system:
        return
    if not definition.features.export or not session.permit.may("export", entity):
        raise Forbidden(entity, "export")


def within_reach(store: Store, entity: str) -> list[Formula]:
    """The level of `export:`, as a filter: whoever reads more than they may export gets what they may."""
    permit = store.session.permit
    grants = permit.grants(entity, "export")
    if permit.is_system or any(level.kind == "all" and not (g.where or role.where) for role, g, level in grants):
        return []  # whatever they read
    return [Linked(lambda scope: permit.reach("export", scope))]


def exportable(store: Store, entity: str) -> list[Field]:
    """The fields of an export: what this person sees in full, derived ones too; secrets never leave."""
    session = store.session
    modes = session.permit.modes(entity)
    return [
        field
        for key, field in session.entity(entity).fields.items()
        if modes.get(key) not in ("hidden", "masked")
        and "export" not in field.hidden
        and field.type.name not in _LEFT_OUT
        and key not in _SYSTEM
        and (field.stored or field.is_derived)
    ]


@dataclass(frozen=True)
class Place:
    """A column of the file: a field of the entity, one over links, or what a many-to-many keeps with its links."""

    path: str
    field: Field
    is_kept: bool = False


def far_place(store: Store, entity: str, path: str) -> Place | None:
    """The column of a dotted path, every step of which this person may see in full; None where there is none."""
    first, _, rest = path.partition(".")
    known = {field.key: field for field in exportable(store, entity)}
    field = known.get(first)
    if field is None:
        return None
    if not rest:
        return Place(path, field)
    kept = link_columns(field).get(rest)
    if kept is not None:
        return Place(path, kept, is_kept=True)
    kind = field.type.formula_type()
    if kind.kind != "record" or len(kind.entities) != 1 or not store.session.permit.may("read", kind.entities[0]):
        return None
    far = far_place(store, kind.entities[0], rest)
    return (
        None
        if far is None or far.is_kept or far.field.type.formula_type().kind == "records"
        else Place(path, far.field)
    )


def kept_with_links(store: Store, entity: str, path: str, page: Sequence[Record]) -> dict[UUID, str]:
    """What a many-to-many keeps, for each record in the order of its links: `buyer; ; user`."""
    name, _, column = path.partition(".")
    field = store.session.entity(entity).fields[name]
    kind = link_columns(field)[column].type
    table = store.session.tables.links[entity, name]
    rows = store.session.execute(sa.select(table).where(table.c.source.in_([r.id for r in page]))).mappings()
    kept = {
        (row["source"], row["target"]): kind.write_text(
            kind.from_columns({s: row[short(column + s)] for s in kind.columns()}), store.session.reader
        )
        for row in rows
    }
    texts = {r.id: [kept.get((r.id, ref.id), "") for ref in r[name] or ()] for r in page}
    return {id: "; ".join(parts) if any(parts) else "" for id, parts in texts.items()}


def _name(store: Store, entity: str, place: Place, language: str | None) -> str:
    """A column's heading: the path, or its labels in a language."""
    if language is None or place.path == "id":
        return place.path
    labels, at = [], store.session.entity(entity)
    for step in place.path.split("."):
        field = at.fields.get(step) or place.field
        labels.append(field.label.in_language(language))
        targets = field.type.formula_type().entities
        at = store.session.entity(targets[0]) if len(targets) == 1 else at
    return " · ".join(labels)


def export_csv(
    store: Store,
    entity: str,
    out: TextIO,
    *,
    columns: Sequence[str] | None = None,
    where: Sequence[Formula | str] = (),
    q: str | None = None,
    sort: Sequence[Sort] = (),
    labels: bool = False,
    neutral: bool = True,
) -> int:
    """Write records as CSV (RFC 4180) and tell how many. Raises Forbidden.

    `columns`: field keys, paths over links (`account.industry`) and what links keep (`contacts.part`), else all
    fields. `labels`: a header in the reader's language. `neutral`: cells that a spreadsheet
    would run begin with an apostrophe, which the import takes away.
    """
    require_export(store, entity)
    asked = _asked(where, q)
    pages = partial(_pages, store, entity, where=where, q=q, sort=sort)
    return _write(store, entity, out, pages, columns=columns, labels=labels, neutral=neutral, asked=asked)


def export_lines(
    store: Store,
    entity: str,
    name: str,
    out: TextIO,
    *,
    where: Sequence[Formula | str] = (),
    q: str | None = None,
    labels: bool = False,
    neutral: bool = True,
) -> int:
    """Write the lines of the records' list `name` as CSV, each with what its record is known by; tell how many."""
    require_export(store, entity)
    inverse = next(i for i in part_lists(store.session, store.session.entity(entity)) if i.name == name)
    part = store.session.entity(inverse.entity)
    order = (Sort(inverse.field), Sort("position" if "position" in part.fields else "created_at"))

    def pages(places: Sequence[Place]) -> Iterator[list[Record]]:
        for records in _pages(store, entity, (), where, q, ()):
            own = pointing_at_any(part, inverse.field, [record.id for record in records])
            yield from _pages(store, part.key, places, [own], None, order)

    asked = _asked(where, q) | {"of": entity, "list": name}
    return _write(store, part.key, out, pages, columns=None, labels=labels, neutral=neutral, asked=asked)


def _asked(where: Sequence[Formula | str], q: str | None) -> dict[str, Any]:
    """Which records were exported, for the audit log."""
    texts = [w if isinstance(w, str) else getattr(w, "source", "") for w in where]
    return {"filter": [t for t in texts if t], "search": q or None}


def _write(
    store: Store,
    entity: str,
    out: TextIO,
    pages: Callable[[Sequence[Place]], Iterator[list[Record]]],
    *,
    columns: Sequence[str] | None,
    labels: bool,
    neutral: bool,
    asked: Mapping[str, Any],
) -> int:
    places, names = _columns(store, entity, columns, labels=labels)
    count = 0
    with store.transaction():
        for rows, text in _texts(store, entity, places, names, pages(places), neutral=neutral):
            out.write(text)
            count += rows
        note_export(store, entity, count, [place.path for place in places], asked)
    return count


def stream_csv(
    store: Store,
    entity: str,
    *,
    columns: Sequence[str] | None = None,
    where: Sequence[Formula | str] = (),
    q: str | None = None,
    sort: Sequence[Sort] = (),
    limit: int | None = None,
) -> Iterator[str]:
    """The same as text in parts, however many records there are; each page is read by itself. Raises Forbidden.

    Whoever stops reading in the middle has had what was written: that is what is noted.
    """
    places, names = _columns(store, entity, columns, labels=False)
    pages = stream_pages(store, entity, places, where=where, q=q, sort=sort, limit=limit)
    for _rows, text in _texts(store, entity, places, names, pages, neutral=True):
        yield text


def stream_pages(
    store: Store,
    entity: str,
    places: Sequence[Place],
    *,
    where: Sequence[Formula | str] = (),
    q: str | None = None,
    sort: Sequence[Sort] = (),
    limit: int | None = None,
) -> Iterator[list[Record]]:
    """Pages of the records that this person may export, each read by itself; noted when they end. Raises Forbidden."""
    require_export(store, entity)
    count = 0
    try:
        for page in _pages(store, entity, places, where, q, sort, limit):
            count += len(page)
            yield page
    finally:
        note_export(store, entity, count, [place.path for place in places], _asked(where, q))


def note_export(store: Store, entity: str, count: int, columns: Sequence[str], asked: Mapping[str, Any]) -> None:
    """Note who has taken what along."""
    told = {key: value for key, value in asked.items() if value}
    details = {"count": count, "columns": list(columns), **told}
    chosen = " and ".join(told.get("filter", ())) or None
    with store.transaction():
        auditing.note(store.session, "data.exported", entity=entity, details=details)
        access.note(store.session, access.Reading("export", entity, None, count, chosen))


def _columns(
    store: Store, entity: str, columns: Sequence[str] | None, *, labels: bool
) -> tuple[list[Place], list[str]]:
    """The columns of a file and their headings; the id stands before them where none were asked for."""
    own = {field.key: field for field in exportable(store, entity)}
    places = [place for path in columns or own if (place := far_place(store, entity, path)) is not None]
    language = store.principal.reader.language
    names = [_name(store, entity, place, language if labels else None) for place in places]
    if "id" not in names and columns is None:
        names.insert(0, "id")
    return places, names


def _texts(
    store: Store,
    entity: str,
    places: Sequence[Place],
    names: Sequence[str],
    pages: Iterable[list[Record]],
    *,
    neutral: bool,
) -> Iterator[tuple[int, str]]:
    """The file's text page by page, each with how many records it holds; the heading goes with the first."""
    shield: Callable[[str], str] = guard if neutral else str
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([shield(name) for name in names])
    for page in pages:
        with store.transaction():
            keys = _LinkKeys(store, page, places)
            kept = {place.path: kept_with_links(store, entity, place.path, page) for place in places if place.is_kept}
            for record in page:
                cells = [
                    kept[place.path].get(record.id, "") if place.is_kept else _cell(store, record, place, keys)
                    for place in places
                ]
                if len(cells) < len(names):
                    cells.insert(0, str(record.id))
                writer.writerow([shield(cell) for cell in cells])
        yield len(page), out.getvalue()
        out.seek(0)
        out.truncate()


def _pages(
    store: Store,
    entity: str,
    places: Sequence[Place],
    where: Sequence[Formula | str],
    q: str | None,
    sort: Sequence[Sort],
    limit: int | None = None,
) -> Iterator[list[Record]]:
    paths = [place.path for place in places if place.path != "id" and not place.is_kept]
    # what links keep stands in the order of the links, which are read along
    paths += [p for p in dict.fromkeys(place.path.split(".")[0] for place in places if place.is_kept) if p not in paths]
    where = [*where, *within_reach(store, entity)]
    order = sort or (Sort("created_at"),)
    cursor: str | None = None
    left = limit
    while left is None or left > 0:
        most = PAGE if left is None else min(PAGE, left)
        page = store.list(entity, columns=paths, where=where, q=q, sort=order, limit=most, cursor=cursor)
        yield page.rows
        if page.next is None:
            return
        cursor = page.next
        left = None if left is None else left - len(page.rows)


def _cell(store: Store, record: Record, place: Place, keys: _LinkKeys) -> str:
    if place.path == "id":
        return str(record.id)
    value = record[place.path]
    kind = place.field.type.formula_type()
    if kind.kind not in LINKS or value is None:
        return place.field.type.write_text(value, store.principal.reader)
    several = len(kind.entities) != 1
    return "; ".join(keys.text(ref, with_entity=several) for ref in _refs(value))


def _refs(value: Value) -> Iterable[Ref]:
    return (value,) if isinstance(value, Ref) else value


class _LinkKeys:
    """What the records that a page links to are known by: one statement for each entity."""

    def __init__(self, store: Store, page: Sequence[Record], places: Sequence[Place]) -> None:
        self.store = store
        wanted: dict[str, set[UUID]] = {}
        for place in places:
            if place.field.type.formula_type().kind in LINKS and not place.is_kept:
                for record in page:
                    for ref in _refs(record[place.path] or ()):
                        wanted.setdefault(ref.entity, set()).add(ref.id)
        self._texts: dict[Ref, str] = {}
        for entity, ids in wanted.items():
            self._read(entity, ids)

    def _read(self, entity: str, ids: set[UUID]) -> None:
        session = self.store.session
        definition = session.entity(entity)
        key = known_by(definition)
        if key is None or session.permit.conceals(entity, key) or not session.permit.may("read", entity):
            return
        type = definition.fields[key].type
        found = find_rows(session, entity, "id", ids, [key])
        texts = {id: type.write_text(rows[0][key], session.reader) for id, rows in found.items()}
        # A name that several records share does not name one; neither does one that looks like several.
        taken = find_rows(
            session, entity, key, {rows[0][key] for rows in found.values() if isinstance(rows[0][key], str)}
        )
        shared = {value for value, rows in taken.items() if len(rows) > 1}
        self._texts |= {
            Ref(entity, id): text for id, text in texts.items() if text and text not in shared and ";" not in text
        }

    def text(self, ref: Ref, *, with_entity: bool) -> str:
        """A linked record's key, else its id."""
        text = self._texts.get(ref, str(ref.id))
        return f"{ref.entity}:{text}" if with_entity else text
