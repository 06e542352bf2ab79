"""Which columns a query reads, and how its rows become values: one SELECT, links' titles joined in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from trellis.formula.exact import round_half_away
from trellis.formula.sql.scope import SqlLink, SqlLocation, SqlMoney, SqlScope
from trellis.formula.sql.values import counted
from trellis.formula.types import Location, Money, Ref, Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.base import FieldType
from trellis.model.fields.choices import ChoiceLike
from trellis.model.fields.money import money_places
from trellis.records.access.masking import mask
from trellis.records.faults import unknown_field
from trellis.records.merging import lookup
from trellis.records.pools import standing
from trellis.records.reading.catalog import Catalog, is_blank_free
from trellis.records.reading.paging import SortKey
from trellis.records.record import Shape, Slot
from trellis.records.refusal import Fault, Refused
from trellis.storage.indexes import is_indexed
from trellis.storage.ordering import ORDER, ordered_field
from trellis.storage.tables import linked_entity

if TYPE_CHECKING:
    from trellis.records.session import Session


class Selection:
    """A SELECT in the making: its columns, the joins they need, and the readers of its rows."""

    def __init__(
        self,
        session: Session,
        entity: str,
        *,
        guarded: bool = True,
        late: bool = False,
        single: bool = False,
        variables: Mapping[str, Value] | None = None,
    ) -> None:
        self.session = session
        self.entity: Entity = session.entity(entity)
        self.catalog = Catalog(session, guarded=guarded, late=late)
        self.alias = self.catalog.table(entity).alias()
        self.scope = SqlScope(self.catalog, entity, self.alias, session.reader, variables=variables)
        self.catalog.start(self.scope)
        self.columns: list[sa.ColumnElement[Any]] = []
        self._places: dict[int, int] = {}
        self._single = single  # one row: titles are looked up apart, as planning many joins takes longer than that

    # ── columns ──────────────────────────────────────────────────────────────────────────────────────────

    def add(self, expression: sa.ColumnElement[Any]) -> int:
        """The place of an expression in the rows; the same object is read once."""
        place = self._places.get(id(expression))
        if place is None:
            place = self._places[id(expression)] = len(self.columns)
            self.columns.append(expression.label(f"c{place}"))
        return place

    def shape(self, paths: Sequence[str]) -> Shape:
        """Read the paths, and with them what every record has: id, version, title, deleted_at."""
        table = self.alias.c
        return Shape(
            entity=self.entity.key,
            id=self.add(table.id),
            version=self.add(table.version),
            deleted_at=self.add(table.deleted_at),
            title=itemgetter(self.add(self.catalog.title(self.scope))),
            slots={path: self.slot(path) for path in paths},
        )

    def slot(self, path: str) -> Slot:
        """A reader of the value at a path; Refused when this person knows no such field."""
        scope, field = self.locate(path)
        if field is None:
            return value_slot(self, self.catalog.path(self.scope, path))
        if self.catalog.is_masked(scope.entity, field.key):
            return _masked(field, self._field_slot(scope, field))
        return self._field_slot(scope, field)

    def _field_slot(self, scope: SqlScope, field: Field) -> Slot:
        kind = field.type.formula_type().kind
        if kind == "records":
            return self._links_slot(scope, field)
        if field.formula is not None:
            return self._derived_slot(scope, field)
        if kind == "record":
            return self._link_slot(scope, field)
        return self._stored_slot(scope, field)

    def _stored_slot(self, scope: SqlScope, field: Field) -> Slot:
        read = field.type.from_columns
        suffixes = tuple(field.type.columns())
        if suffixes == ("",):
            place = self.add(self.catalog.stored(scope, field, ""))
            if type(field.type).from_columns is FieldType.from_columns:
                return itemgetter(place)
            return lambda row: read({"": row[place]})
        places = [(s, self.add(self.catalog.stored(scope, field, s))) for s in suffixes]
        decimals = money_places(field, self.session.reader.currency)
        if decimals is not None:
            return lambda row: _shown(read({s: row[place] for s, place in places}), decimals)
        return lambda row: read({s: row[place] for s, place in places})

    def _derived_slot(self, scope: SqlScope, field: Field) -> Slot:
        value = self.catalog.field(scope, field.key)
        kind = field.type.formula_type()
        if kind.kind == "record" and len(kind.entities) == 1:
            target = kind.entities[0]
            assert isinstance(value, sa.ColumnElement)
            return self._titled(target, value, scope, field)
        if isinstance(value, SqlLink):
            return self._any_titled(value.id, value.entity, kind.entities)
        slot = value_slot(self, value)
        if isinstance(value, sa.ColumnElement) and type(field.type).from_columns is not FieldType.from_columns:
            of_column, read = slot, field.type.from_columns
            slot = lambda row: read({"": of_column(row)})  # noqa: E731
        settle = getattr(field.type, "settle", None)
        if settle is None:
            return slot
        return lambda row: None if (found := slot(row)) is None else settle(found)

    def _link_slot(self, scope: SqlScope, field: Field) -> Slot:
        target = linked_entity(field)
        if target is None:
            return self._any_link_slot(scope, field)
        own = self.catalog.stored(scope, field, "")
        return self._titled(target, own, scope, field)

    def _titled(self, target: str, own: sa.ColumnElement[Any], scope: SqlScope, field: Field) -> Slot:
        place = self.add(own)
        apart = self._single and scope is self.scope
        title = self.title_query(target, own) if apart else self.catalog.title(scope.follow(field.key, target))
        titled = self.add(title)
        return lambda row: None if (key := row[place]) is None else Ref(target, key, row[titled])

    def _any_link_slot(self, scope: SqlScope, field: Field) -> Slot:
        own, which = (self.catalog.stored(scope, field, suffix) for suffix in ("", "_entity"))
        return self._any_titled(own, which, field.type.formula_type().entities)

    def _any_titled(self, own: sa.ColumnElement[Any], which: sa.ColumnElement[Any], entities: tuple[str, ...]) -> Slot:
        """A link whose target's entity only the row knows."""
        targets = entities or tuple(self.session.model.entities)
        cases = [(which == target, self.title_query(target, own)) for target in targets]
        place, kind, titled = self.add(own), self.add(which), self.add(sa.case(*cases, else_=None))
        return lambda row: None if row[place] is None else Ref(row[kind], row[place], row[titled])

    def title_query(self, target: str, key: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """A record's title as a scalar subquery: for links whose target's entity only the row knows."""
        table = self.catalog.table(target).alias()
        inner = SqlScope(self.catalog, target, table, self.session.reader)
        title = self.catalog.title(inner)
        return sa.select(title).select_from(inner.joined(table)).where(table.c.id == key).scalar_subquery()

    def _links_slot(self, scope: SqlScope, field: Field) -> Slot:
        """A many-to-many as one array of [id, title] pairs, in order."""
        target = field.type.formula_type().entities[0]
        rows = self.session.tables.links[scope.entity, field.key].alias()
        table = self.catalog.table(target).alias()
        inner = SqlScope(self.catalog, target, table, self.session.reader)
        title = self.catalog.title(inner)
        pair = sa.func.jsonb_build_array(table.c.id, title)
        found = sa.select(sa.func.jsonb_agg(_ordered(pair, rows.c.position, table.c.id)))
        found = found.select_from(inner.joined(rows.join(table, rows.c.target == table.c.id)))
        found = found.where(rows.c.source == scope.alias.c.id, table.c.deleted_at.is_(None))
        return _refs(target, self.add(found.scalar_subquery()))

    # ── paths ────────────────────────────────────────────────────────────────────────────────────────────

    def locate(self, path: str) -> tuple[SqlScope, Field | None]:
        """The scope and field at the end of a path over links; no field: a part of a value, for the formulas."""
        *heads, last = path.split(".")
        scope = self.scope
        for head in heads:
            field = self._visible(scope, head, path)
            target = linked_entity(field)
            if target is None:
                return self.scope, None
            scope = scope.follow(head, target)
        return scope, self._visible(scope, last, path)

    def _visible(self, scope: SqlScope, name: str, path: str) -> Field:
        found = self.session.model.entities[scope.entity].fields.get(name)
        if found is None or self.catalog.is_hidden(scope.entity, name):
            raise Refused([unknown_field(self.session, scope.entity, name, path)])
        return found

    # ── sorting ──────────────────────────────────────────────────────────────────────────────────────────

    def sort_key(self, path: str, *, descending: bool) -> SortKey:
        """What a list is ordered by: choices in their order, links by title, money in the tenant's currency."""
        scope, field = self.locate(path)
        if field is None:
            return SortKey(_plain(self.catalog.path(self.scope, path)), descending)
        if self.catalog.is_masked(scope.entity, field.key) or not field.type.can_sort:
            raise Refused([Fault("invalid", "{field} cannot be sorted by.", path, {"field": path})])
        kind = field.type.formula_type()
        if kind.kind == "record":
            return SortKey(self._title_at(scope, field), descending)
        entity = self.session.model.entities[scope.entity]
        if (titled := ordered_field(entity)) is not None and titled.key == field.key:
            indexed = scope is self.scope and is_indexed(self.entity, field)
            return SortKey(self._order_at(scope), descending, indexed=indexed)
        value = self.catalog.field(scope, field.key)
        if kind.kind == "text" and isinstance(field.type, ChoiceLike):
            keys = [c.key for c in field.type.options()]
            ordered = sa.func.array_position(sa.literal(keys, sa.ARRAY(sa.Text())), value, type_=sa.Integer())
            return SortKey(ordered, descending)
        if kind.kind in ("name", "address"):
            served = kind.kind == "name" and scope is self.scope and is_indexed(self.entity, field)
            return SortKey(self.catalog.name_order(scope, field), descending, indexed=served)
        nullable = scope is not self.scope or not is_blank_free(field)
        indexed = scope is self.scope and self.entity.key == scope.entity and is_indexed(self.entity, field)
        return SortKey(_plain(value), descending, nullable, indexed=indexed and not isinstance(value, SqlMoney))

    def _title_at(self, scope: SqlScope, field: Field) -> sa.ColumnElement[Any]:
        target = linked_entity(field)
        if target is None:
            link = self.catalog.field(scope, field.key)
            own, which = (link.id, link.entity) if isinstance(link, SqlLink) else (_plain(link), sa.null())
            targets = field.type.formula_type().entities or tuple(self.session.model.entities)
            return sa.case(*((which == t, self.title_query(t, own)) for t in targets), else_=None)
        hop = scope.follow(field.key, target)
        return self._order_at(hop) if self.catalog.has_order(target) else self.catalog.title(hop)

    def _order_at(self, scope: SqlScope) -> sa.ColumnElement[Any]:
        """The order of the title of the scope's row."""
        return self.catalog.guard(scope, scope.alias.c[ORDER])

    # ── totals ───────────────────────────────────────────────────────────────────────────────────────────

    def plain(self, path: str) -> sa.ColumnElement[Any]:
        """One expression for the value at a path; Refused when this person does not know it."""
        scope, field = self.locate(path)
        if field is None:
            return _plain(self.catalog.path(self.scope, path))
        if self.catalog.is_masked(scope.entity, field.key):
            raise Refused([unknown_field(self.session, scope.entity, field.key, path)])
        return _plain(self.catalog.field(scope, field.key))

    def number(self, path: str) -> sa.ColumnElement[Any]:
        """The same, for something that can be added up; money in the tenant's currency, as each record shows it."""
        scope, field = self.locate(path)
        countable = ("number", "money", "duration", "date", "datetime")
        if field is not None and field.type.formula_type().kind not in countable:
            raise Refused([Fault("invalid", "{field} cannot be added up.", path, {"field": path})])
        found = self.plain(path)
        value = self.catalog.field(scope, field.key) if field is not None and self.is_money(path) else None
        return counted(value) if isinstance(value, SqlMoney) else found

    def is_money(self, path: str) -> bool:
        """Whether the value at a path is money."""
        _, field = self.locate(path)
        return field is not None and field.type.formula_type().kind == "money"

    @property
    def is_open(self) -> bool:
        """Whether this person may see every field that records of the entity are found by."""
        permit = self.session.permit
        return all(
            permit.names_freely(f) and not permit.conceals(self.entity.key, f.key) for f in self.entity.search_fields()
        )

    def matches(self, q: str) -> sa.ColumnElement[bool]:
        """Whether the row matches a search, by what this person may see."""
        own = self.alias.c
        return lookup.matches(
            self.session, self.entity.key, own.id, own.search, q, is_open=self.is_open, covered=self.covered()
        )

    def covered(self) -> sa.ColumnElement[bool] | None:
        """Whether a pool that the row lies in hides what it would be found by; None: none can."""
        permit, scope = self.session.permit, self.scope
        found = []
        with self.catalog.unguarded():
            for field in self.entity.search_fields():
                if (covered := standing.covers(permit, scope, field.key)) is not None:
                    found.append(covered)
        return sa.or_(*found) if found else None

    @property
    def is_shareable(self) -> bool:
        """Whether the statement is the same for everybody with the same roles: nothing of the reader went into it."""
        return not self.catalog.is_personal

    # ── the statement ────────────────────────────────────────────────────────────────────────────────────

    def source(self) -> sa.FromClause:
        """The FROM with every join that the expressions asked for."""
        return self.scope.joined()

    def select(self) -> sa.Select[Any]:
        """The SELECT of everything that was added."""
        return sa.select(*self.columns).select_from(self.source())


def _plain(value: Any) -> sa.ColumnElement[Any]:
    """One expression to compare and sort by: money in the tenant's currency."""
    if isinstance(value, SqlMoney):
        return sa.func.coalesce(value.base, value.amount)
    if isinstance(value, sa.ColumnElement):
        return value
    raise Refused([Fault("invalid", "This kind of value cannot be compared.")])


def _shown(value: Value, places: int) -> Value:
    """Money with its base rounded as it is counted."""
    if not isinstance(value, Money) or value.base is None:
        return value
    return Money(value.amount, value.currency, round_half_away(value.base, places))


def value_slot(selection: Selection, value: Any) -> Slot:
    """A computed value as it comes; money from its three expressions, a point from its two."""
    if isinstance(value, SqlLocation):
        latitude, longitude = selection.add(value.latitude), selection.add(value.longitude)
        return lambda row: None if row[latitude] is None else Location(row[latitude], row[longitude])
    if not isinstance(value, SqlMoney):
        return itemgetter(selection.add(value))
    amount, currency, base = (selection.add(part) for part in (value.amount, value.currency, value.base))
    return lambda row: None if row[amount] is None else Money(row[amount], row[currency], row[base])


def _ordered(pair: sa.ColumnElement[Any], *order: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return aggregate_order_by(pair, *order)


def _refs(target: str, place: int) -> Slot:
    def read(row: Sequence[Any]) -> Value:
        return tuple(Ref(target, UUID(key), title) for key, title in row[place] or ())

    return read


def _masked(field: Field, slot: Slot) -> Slot:
    def read(row: Sequence[Any]) -> Value:
        return mask(field.type, slot(row))

    return read
