"""Records in hand for formulas in Python: stored ones read once, drafts as they are about to be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.env import Env, RecordLike
from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.money import money_places
from trellis.records.kept import kept
from trellis.records.reading.catalog import Catalog, link_columns
from trellis.storage.names import short
from trellis.storage.ordering import ORDER

if TYPE_CHECKING:
    from trellis.records.session import Session

Row = Mapping[str, Any] | sa.RowMapping


class LiveRecord:
    """A record's values by field; derived ones are computed when they are asked for."""

    def __init__(
        self,
        graph: StoreGraph,
        entity: Entity,
        id: UUID,
        values: dict[str, Value],
        *,
        is_new: bool = False,
        row: Row | None = None,
    ) -> None:
        self.graph = graph
        self.definition = entity
        self.is_new = is_new
        self.via: Mapping[str, Value] = {}
        self.lists: dict[str, list[LiveRecord]] = {}  # lines about to be saved, by list
        self.kept: dict[str, dict[UUID, Mapping[str, Value]]] = {}  # what links are about to keep, by links field
        self._id = id
        self._values = values
        self._row = row
        self._derived: dict[str, Value] = {}
        self._busy: set[str] = set()
        self.touched: set[str] = set()  # fields that were given a value

    @property
    def row(self) -> Row | None:
        """The record's columns as they are stored; a new one has none."""
        return self._row

    @property
    def entity(self) -> str:
        """The entity's key."""
        return self.definition.key

    def money_places(self, name: str) -> int | None:
        """To how many decimals the base amount of a field counts; None where a formula has rounded it."""
        field = self.definition.fields.get(name)
        return None if field is None else money_places(field, self.graph.session.reader.currency)

    @property
    def id(self) -> UUID:
        """The record's id; a new one has it before it is saved."""
        return self._id

    @property
    def version(self) -> int:
        """Which save this is."""
        return int(self._row["version"]) if self._row is not None else 0

    @property
    def ref(self) -> Ref:
        """The record as a link's value."""
        return Ref(self.entity, self._id)

    def get(self, name: str) -> Value:
        """A field's value as a formula sees it."""
        if name.startswith("via."):
            return self.via.get(name[4:])
        field = self.definition.fields.get(name)
        if field is None:
            return self._single(name)
        if field.formula is not None:
            return self._compute(field)
        return field.type.formula_value(self.value(name))

    def value(self, name: str) -> Value:
        """A stored field's own value."""
        if name in self._values:
            return self._values[name]
        field = self.definition.fields.get(name)
        if field is None:
            return None
        if field.formula is not None:
            return self._compute(field)
        value: Value = None
        if field.type.formula_type().kind == "records":
            return self.graph.refs(self, name)
        if name == "id":
            value = self._id
        elif self._row is not None:
            row = self._row
            suffixes = field.type.columns()
            if field.stored and all(short(name + s) in row for s in suffixes):
                value = field.type.from_columns({s: row[short(name + s)] for s in suffixes})
        self._values[name] = value
        return value

    def has(self, name: str) -> bool:
        """Whether the record has a value of its own in hand, beside what is stored."""
        return name in self._values

    def set(self, name: str, value: Value) -> None:
        """Give a field a value; what is computed from it is computed anew."""
        self._values[name] = value
        self.touched.add(name)
        self._derived.clear()

    def forget_derived(self) -> None:
        """Compute derived fields anew when they are asked for."""
        self._derived.clear()

    def copy(self) -> LiveRecord:
        """The same record, to be changed."""
        other = LiveRecord(self.graph, self.definition, self._id, dict(self._values), row=self._row)
        other.via = self.via
        return other

    def env(self, *, old: LiveRecord | None = None, this: RecordLike | None = None) -> Env:
        """What a formula about this record is evaluated with."""
        return Env(self, self.graph.session.reader, self.graph, old=old, this=this, is_new=self.is_new)

    def _compute(self, field: Field) -> Value:
        if field.key in self._derived:
            return self._derived[field.key]
        if field.key in self._busy or field.formula is None:
            return None
        self._busy.add(field.key)
        try:
            value = field.formula.evaluate(self.env())
        finally:
            self._busy.discard(field.key)
        value = settle(field, value)
        self._derived[field.key] = value
        return value

    def _single(self, name: str) -> Value:
        """The one record that points here (`one: true`)."""
        found = self.graph.children(self, name)
        return Ref(found[0].entity, found[0].id) if found and found[0].id is not None else None


def settle(field: Field, value: Value) -> Value:
    """A computed value as the field keeps it: rounded to its scale."""
    rounding = getattr(field.type, "settle", None)
    return value if value is None or rounding is None else rounding(value)


class StoreGraph:
    """The tenant's records as formulas walk them, with the system's eyes: each is read once."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._records: dict[tuple[str, UUID], LiveRecord | None] = {}
        self._lists: dict[tuple[UUID, str], list[LiveRecord]] = {}

    def follow(self, ref: Ref) -> LiveRecord | None:
        """The record that a link points to; also one in the bin."""
        key = (ref.entity, ref.id)
        if key not in self._records:
            self.load(ref.entity, [ref.id])
        return self._records[key]

    def load(self, entity: str, ids: Iterable[UUID]) -> list[LiveRecord]:
        """Read several records of an entity at once."""
        wanted = list(dict.fromkeys(ids))
        missing = [id for id in wanted if (entity, id) not in self._records]
        if missing:
            for id in missing:
                self._records[entity, id] = None
            for row in self.session.execute(_load_statement(self.session, entity), {"_ids": missing}).mappings():
                self._records[entity, row["id"]] = self.record(entity, dict(row))
        return [r for id in wanted if (r := self._records[entity, id]) is not None]

    def record(self, entity: str, row: Row) -> LiveRecord:
        """A stored row as a record."""
        return LiveRecord(self, self.session.model.entities[entity], row["id"], {}, row=row)

    def put(self, record: LiveRecord) -> None:
        """From now on this is the record: a draft stands for what is stored."""
        self._records[record.entity, record.id] = record

    def forget(self) -> None:
        """Read everything anew."""
        self._records.clear()
        self._lists.clear()

    def children(self, record: RecordLike, name: str) -> Sequence[LiveRecord]:
        """The live records of an inverse list or a links field, in order; of a draft, those it is about to have."""
        if record.id is None:
            return ()
        is_new = False
        if isinstance(record, LiveRecord):
            if name in record.lists:
                return record.lists[name]
            if record.has(name) and name not in record.definition.inverses:
                return self._about_to_have(record, name)
            is_new = record.is_new
        key = (record.id, name)
        if key not in self._lists:
            self._lists[key] = [] if is_new else self._read(record, name)
        return self._lists[key]

    def load_children(self, records: Sequence[LiveRecord], name: str) -> list[LiveRecord]:
        """Read the same inverse list of several records at once; what was read before is left as it is."""
        definition = records[0].definition if records else None
        inverse = definition.inverses.get(name) if definition is not None else None
        wanted = [r for r in records if not r.is_new and name not in r.lists and (r.id, name) not in self._lists]
        if definition is not None and inverse is not None and not inverse.many and len(wanted) > 1:
            entity, column, statement = _lists_statement(self.session, definition.key, name)
            found: dict[UUID, list[LiveRecord]] = {record.id: [] for record in wanted}
            for row in self.session.execute(statement, {"_parents": list(found)}).mappings():
                found[row[column]].append(self._child(wanted[0], name, entity, dict(row)))
            for id, children in found.items():
                self._lists[id, name] = children
        return [child for record in records for child in self.children(record, name)]

    def _about_to_have(self, record: LiveRecord, name: str) -> list[LiveRecord]:
        """The records of a links field in a draft, each with what its link will keep."""
        found = [r for ref in record.value(name) or () if (r := self.follow(ref)) is not None]
        if not link_columns(record.definition.fields[name]):
            return found
        key, stored = (record.id, name), {}
        if not record.is_new:
            if key not in self._lists:
                self._lists[key] = self._read(record, name)
            stored = {child.id: child.via for child in self._lists[key]}
        given = record.kept.get(name, {})
        made = [child.copy() for child in found]
        for child in made:
            child.via = {**stored.get(child.id, {}), **given.get(child.id, {})}
        return made

    def _read(self, record: RecordLike, name: str) -> list[LiveRecord]:
        entity, statement = _children_statement(self.session, record.entity, name)
        rows = self.session.execute(statement, {"_parent": record.id}).mappings()
        return [self._child(record, name, entity, dict(row)) for row in rows]

    def _child(self, record: RecordLike, name: str, entity: str, row: Row) -> LiveRecord:
        known = self._records.get((entity, row["id"]))
        child = known if known is not None else self.record(entity, row)
        self._records[entity, child.id] = child
        if "via__source" not in row:
            return child
        child = child.copy()
        definition = self.session.model.entities[record.entity]
        inverse = definition.inverses.get(name)
        owner, key = (inverse.entity, inverse.field) if inverse is not None else (record.entity, name)
        fields = link_columns(self.session.model.entities[owner].fields[key])
        child.via = {
            c: f.type.from_columns({s: row[f"via__{c}{s}"] for s in f.type.columns()}) for c, f in fields.items()
        }
        return child

    def refs(self, record: LiveRecord, name: str) -> tuple[Ref, ...]:
        """The value of a links field."""
        return tuple(child.ref for child in self.children(record, name))

    def title(self, ref: Ref) -> str | None:
        """What names a record."""
        if ref.title is not None:
            return ref.title
        record = self.follow(ref)
        return None if record is None else title_of(record)


def title_of(record: LiveRecord) -> str:
    """What names a record for people."""
    entity = record.definition
    if entity.title is not None:
        return str(entity.title.evaluate(record.env()) or "")
    value = record.value(entity.title_field) if entity.title_field else None
    return "" if value is None else str(value)


def _load_statement(session: Session, entity: str) -> sa.Select[Any]:
    """Several records by their ids."""

    def make() -> sa.Select[Any]:
        table = session.table(entity)
        return sa.select(*stored_columns(table)).where(table.c.id.in_(sa.bindparam("_ids", expanding=True)))

    return cast("sa.Select[Any]", kept((session.model.hash, "load", entity), make))


def _children_statement(session: Session, entity: str, name: str) -> tuple[str, sa.Select[Any]]:
    """The live records of a list, in order, with the entity they are of."""

    def make() -> tuple[str, sa.Select[Any]]:
        how = Catalog(session, guarded=False).children(entity, name)
        table = session.table(how.entity)
        parent = sa.bindparam("_parent", type_=sa.Uuid())
        columns = list(stored_columns(table))
        if how.links is not None:
            extra = [c.label(f"via__{c.name}") for c in how.links.c]
            statement = sa.select(*columns, *extra).join(how.links, how.links.c[how.far] == table.c.id)
            statement = statement.where(how.links.c[how.near] == parent)
            order = [how.links.c[o] for o in how.order]
        else:
            statement = sa.select(*columns).where(table.c[how.column] == parent)
            if how.entity_column is not None:
                statement = statement.where(table.c[how.entity_column] == entity)
            order = [table.c[o] for o in how.order]
        return how.entity, statement.where(table.c.deleted_at.is_(None)).order_by(*order)

    return cast("tuple[str, sa.Select[Any]]", kept((session.model.hash, "children", entity, name), make))


def _lists_statement(session: Session, entity: str, name: str) -> tuple[str, str, sa.Select[Any]]:
    """The live records of an inverse list of several records, with their entity and the column that says whose."""

    def make() -> tuple[str, str, sa.Select[Any]]:
        how = Catalog(session, guarded=False).children(entity, name)
        table = session.table(how.entity)
        whose = table.c[how.column]
        statement = sa.select(*stored_columns(table)).where(whose.in_(sa.bindparam("_parents", expanding=True)))
        if how.entity_column is not None:
            statement = statement.where(table.c[how.entity_column] == entity)
        statement = statement.where(table.c.deleted_at.is_(None)).order_by(*(table.c[o] for o in how.order))
        return how.entity, how.column, statement

    return cast("tuple[str, str, sa.Select[Any]]", kept((session.model.hash, "lists", entity, name), make))


def stored_columns(table: sa.Table) -> list[sa.Column[Any]]:
    """Every column but the search vector, which nobody reads."""
    return [c for c in table.c if c.name not in ("search", ORDER)]
