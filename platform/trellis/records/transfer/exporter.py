"""Export: records as CSV that the import takes back, links by what people know them by."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO
from uuid import UUID

from trellis.formula.formula import Formula
from trellis.formula.types import Ref, Value
from trellis.model.field import Field
from trellis.model.view import Sort
from trellis.records.refusal import Forbidden
from trellis.records.transfer.keys import find_rows, known_by
from trellis.records.transfer.mapping import LINKS
from trellis.records.transfer.neutral import guard

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

    `columns`: field keys, else all. `labels`: a header in the reader's language. `neutral`: cells that a spreadsheet
    would run begin with an apostrophe, which the import takes away.
    """
    require_export(store, entity)
    fields = [f for f in exportable(store, entity) if columns is None or f.key in columns]
    if columns is not None:
        fields.sort(key=lambda field: list(columns).index(field.key))
    language = store.principal.reader.language
    names = [field.label.in_language(language) if labels and field.key != "id" else field.key for field in fields]
    if "id" not in names and columns is None:
        names.insert(0, "id")
    shield: Callable[[str], str] = guard if neutral else str
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([shield(name) for name in names])
    count = 0
    with store.transaction():
        for page in _pages(store, entity, fields, where, q, sort):
            keys = _LinkKeys(store, page, fields)
            for record in page:
                cells = [_cell(store, record, field, keys) for field in fields]
                if len(cells) < len(names):
                    cells.insert(0, str(record.id))
                writer.writerow([shield(cell) for cell in cells])
            count += len(page)
    return count


def _pages(
    store: Store,
    entity: str,
    fields: Sequence[Field],
    where: Sequence[Formula | str],
    q: str | None,
    sort: Sequence[Sort],
) -> Iterator[list[Record]]:
    paths = [field.key for field in fields if field.key != "id"]
    order = sort or (Sort("created_at"),)
    cursor: str | None = None
    while True:
        page = store.list(entity, columns=paths, where=where, q=q, sort=order, limit=PAGE, cursor=cursor)
        yield page.rows
        if page.next is None:
            return
        cursor = page.next


def _cell(store: Store, record: Record, field: Field, keys: _LinkKeys) -> str:
    if field.key == "id":
        return str(record.id)
    value = record[field.key]
    kind = field.type.formula_type()
    if kind.kind not in LINKS or value is None:
        return field.type.write_text(value, store.principal.reader)
    several = len(kind.entities) != 1
    return "; ".join(keys.text(ref, with_entity=several) for ref in _refs(value))


def _refs(value: Value) -> Iterable[Ref]:
    return (value,) if isinstance(value, Ref) else value


class _LinkKeys:
    """What the records that a page links to are known by: one statement for each entity."""

    def __init__(self, store: Store, page: Sequence[Record], fields: Sequence[Field]) -> None:
        self.store = store
        wanted: dict[str, set[UUID]] = {}
        for field in fields:
            if field.type.formula_type().kind in LINKS:
                for record in page:
                    for ref in _refs(record[field.key] or ()):
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
