"""Records found by the values people know them by: a whole batch in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.fields.base import Invalid
from trellis.records.reading.filtering import restrict
from trellis.records.reading.selection import Selection
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

MOST_REMEMBERED = 50_000


def known_by(entity: Entity) -> str | None:
    """The field that people name an entity's records by: the natural key, else a title that is a field."""
    key = entity.natural_key or entity.title_field
    return key if key is not None and entity.fields[key].is_stored else None


def comparable(entity: Entity, field: str, value: Value) -> Any:
    """A value as its column holds it: what is compared. Names and addresses are compared by their parts."""
    found = value if field == "id" else entity.fields[field].type.to_columns(value).get("")
    return tuple(sorted(found.items())) if isinstance(found, dict) else found


def find_rows(
    session: Session, entity: str, field: str, values: Iterable[Any] | None, paths: Sequence[str] = ()
) -> dict[Any, list[dict[str, Value]]]:
    """The live records, within this person's reach, whose `field` has one of the values, by value; `id` and paths.

    No values (None) ask for all records.
    """
    wanted = None if values is None else list(dict.fromkeys(values))
    if wanted == []:
        return {}
    selection = Selection(session, entity)
    own, id = selection.alias.c[short(field)], selection.add(selection.alias.c.id)
    place = selection.add(own)
    slots = {path: selection.slot(path) for path in paths}
    conditions = restrict(selection, ())
    if wanted is not None:
        conditions.append(own.in_(wanted))
    statement = selection.select().where(*conditions)
    old = _old_keys(session, selection, entity, field, wanted) if wanted is not None else {}
    found: dict[Any, list[dict[str, Value]]] = defaultdict(list)
    for row in session.execute(statement):
        found[row[place]].append({"id": row[id], **{path: slot(row) for path, slot in slots.items()}})
    for value, id_ in old.items():  # the key of a record that was merged finds the one that it became
        if value not in found:
            own_row = selection.select().where(*restrict(selection, ()), selection.alias.c.id == id_)
            for row in session.execute(own_row):
                found[value].append({"id": row[id], **{path: slot(row) for path, slot in slots.items()}})
    return found


def _old_keys(
    session: Session, selection: Selection, entity: str, field: str, wanted: Sequence[Any]
) -> dict[Any, UUID]:
    """What the records of these keys that were merged into others have become; a value of several says nothing."""
    table, old = session.tables.platform.merged, session.table(entity).alias()
    own = old.c[short(field)]
    statement = sa.select(own.label("value"), table.c.winner).join(table, table.c.loser == old.c.id)
    statement = statement.where(table.c.entity == entity, own.in_(list(wanted)))
    winners: dict[Any, set[UUID]] = defaultdict(set)
    for row in session.execute(statement).all():
        winners[row.value].add(row.winner)
    return {value: next(iter(ids)) for value, ids in winners.items() if len(ids) == 1}


class Ambiguous(LookupError):
    """Several records have the value."""


class Links:
    """Finds the records that cells name. Found ones are remembered; ask `prepare` for a batch before `ref`."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._known: dict[tuple[str, str], dict[Any, list[UUID]]] = defaultdict(dict)
        self._wanted: dict[tuple[str, str], set[Any]] = defaultdict(set)

    def wish(self, entity: str, via: str | None, text: str) -> None:
        """Note that a record will be asked for."""
        for key, value in self._ways(entity, via, text):
            if value not in self._known[key]:
                self._wanted[key].add(value)

    def prepare(self) -> None:
        """Look up everything that was noted: one statement for each entity and field."""
        for (entity, field), values in self._wanted.items():
            known = self._known[entity, field]
            if len(known) > MOST_REMEMBERED:
                known.clear()
            found = find_rows(self.session, entity, field, values)
            known.update({value: [row["id"] for row in rows] for value, rows in found.items()})
        self._wanted.clear()

    def remember(self, entity: str, field: str, value: Any, id: UUID) -> None:
        """A record that was just made."""
        self._known[entity, field][value] = [id]

    def ref(self, entity: str, via: str | None, text: str) -> Ref | None:
        """The record that a text names; None when there is none. Raises Ambiguous."""
        for key, value in self._ways(entity, via, text):
            ids = self._known[key].get(value, [])
            if len(ids) > 1:
                raise Ambiguous(text)
            if ids:
                return Ref(entity, ids[0], text)
        return None

    def _ways(self, entity: str, via: str | None, text: str) -> Iterable[tuple[tuple[str, str], Any]]:
        """How a text may name a record: by the field that was said, else by what it is known by, or by its id."""
        definition = self.session.entity(entity)
        field = via or known_by(definition)
        if field not in (None, "id"):
            type = definition.fields[field].type
            try:
                value = type.read_text(text, self.session.reader)
            except Invalid:
                value = None
            if value is not None and (column := comparable(definition, field, value)) is not None:
                yield (entity, field), column
        if via in (None, "id"):
            try:
                yield (entity, "id"), UUID(text)
            except ValueError:
                return


def link_texts(
    entities: Sequence[str], several: bool, text: str, all_entities: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """The (entity, text) pairs in a link's cell: `deal:D-1` where entities differ, `a; b` for several links."""
    parts = [part.strip() for part in text.replace("\n", ";").split(";") if part.strip()] if several else [text.strip()]
    found = []
    for part in parts:
        head, colon, tail = part.partition(":")
        if colon and head in (entities or all_entities) and (len(entities) != 1 or head == entities[0]):
            found.append((head, tail.strip()))
        elif len(entities) == 1:
            found.append((entities[0], part))
        else:
            raise Invalid("link", "“{value}” names no record: write entity:key.", value=part[:60])
    return found
