"""What happened to a record's lines in one change: which came and went, and what is different in those that stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING
from uuid import UUID

from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.reading import shown
from trellis.records.reading.catalog import link_columns
from trellis.records.record import Change, FieldChange

if TYPE_CHECKING:
    from trellis.records.store import Store

CAME, WENT, STAYED = "came", "went", "stayed"


@dataclass
class LineChange:
    """One line of a list: what became of it, and the fields that are different."""

    entity: Entity
    id: UUID
    columns: Mapping[str, Field]  # what may be different in it
    became: str = STAYED
    title: str = ""
    fields: list[FieldChange] = dc_field(default_factory=list)


def line_changes(store: Store, entity: Entity, change: Change, lists: Sequence[str]) -> list[LineChange]:
    """The lines that a change is about, in the order in which they are told; only what this person may see."""
    found: dict[UUID, LineChange] = {}
    entities = store.tenant.model.entities
    for name, id, rest, told in _parts(change):
        if lists and name not in lists:
            continue
        if rest and name in entity.fields:
            _add_kept(store, entity.fields[name], found, id, rest, told)
            continue
        inverse = entity.inverses.get(name)
        if inverse is None or inverse.entity not in entities:
            continue
        child = entities[inverse.entity]
        if not store.may("read", child.key):
            continue
        line = found.setdefault(id, LineChange(child, id, child.fields))
        if not rest:
            line.became = CAME if told.old is None else WENT
            line.title = str(told.new if told.old is None else told.old)
        elif rest in store.readable_fields(child.key) and not child.fields[rest].is_derived:
            line.fields.append(FieldChange(rest, told.old, told.new))
    return [line for line in found.values() if line.became != STAYED or line.fields]


def _add_kept(
    store: Store, field: Field, found: dict[UUID, LineChange], id: UUID, column: str, told: FieldChange
) -> None:
    """What a link keeps with it is told like a line: which record it links to, and what is different."""
    columns = link_columns(field)
    if column not in columns:
        return
    target = store.tenant.model.entities[field.type.formula_type().entities[0]]
    if store.may("read", target.key):
        line = found.setdefault(id, LineChange(target, id, columns))
        line.fields.append(FieldChange(column, told.old, told.new))


def _parts(change: Change) -> Iterator[tuple[str, UUID, str, FieldChange]]:
    """Of paths like lines.<id>.quantity: the list, the line, the field (blank for the line itself)."""
    for told in change.changes:
        name, _dot, rest = told.field.partition(".")
        id, _dot, key = rest.partition(".")
        if not rest or "." in key:
            continue
        try:
            yield name, UUID(id), key, told
        except ValueError:
            continue


def titles_of(store: Store, changes: Sequence[LineChange]) -> Mapping[tuple[str, UUID], str]:
    """What the lines that stayed are called."""
    refs = [Ref(line.entity.key, line.id) for line in changes if line.became == STAYED]
    if not refs:
        return {}
    with store.transaction():
        return shown.titles(store.session, refs)
