"""Where an SQL expression stands: a row of a table, the joins its paths need, and the reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause

from trellis.formula.env import NO_GRAPH, Env, Graph, RecordLike
from trellis.formula.reader import Reader
from trellis.formula.sql.parameters import parameter
from trellis.formula.types import Ref, Value

if TYPE_CHECKING:
    from trellis.formula.sql.grouped import Grouped


@dataclass(frozen=True, slots=True, eq=False)
class SqlMoney:
    """Money in columns: the amount, its currency, and the amount in the tenant's currency.

    `places`: of a field that is entered, to how many decimals its base is shown and added up; formulas use all of it.
    """

    amount: ColumnElement[Any]
    currency: ColumnElement[Any]
    base: ColumnElement[Any]
    places: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SqlLink:
    """A link that may point to several entities: the id and the entity's key. A plain link is its id column."""

    id: ColumnElement[Any]
    entity: ColumnElement[Any]


@dataclass(frozen=True, slots=True, eq=False)
class SqlLocation:
    """A point in columns, in degrees."""

    latitude: ColumnElement[Any]
    longitude: ColumnElement[Any]


@dataclass(frozen=True, slots=True, eq=False)
class SqlParts:
    """A name or an address whose parts have columns of their own; one in a JSONB column is that column."""

    parts: Mapping[str, ColumnElement[Any]]


SqlValue: TypeAlias = ColumnElement[Any] | SqlMoney | SqlLink | SqlLocation | SqlParts
"""A formula's value in SQL. Lists (choices, tags, list) are text arrays; a duration is an interval."""


@dataclass(frozen=True, slots=True)
class Children:
    """How an inverse list or a links field joins.

    An inverse list: rows of `entity` whose column `column` holds this record's id (and, for an any_link, whose
    `entity_column` holds this record's entity). A links field: rows of `entity` by `links`, a table whose column `near`
    holds this record's id and `far` the listed record's. `order` names the columns that first and last go by: of
    `links`, if there is one.
    """

    entity: str
    column: str = ""
    entity_column: str | None = None
    links: sa.Table | None = None
    near: str = "source"
    far: str = "target"
    order: tuple[str, ...] = ("created_at", "id")


class SqlCatalog(Protocol):
    """The tables behind the Model.

    `is_late`: what depends on the reader is read when a statement runs. `is_personal` is set when something of the
    reader went into an expression all the same.
    """

    is_late: bool
    is_personal: bool

    def table(self, entity: str) -> sa.Table:
        """The entity's table."""

    def field(self, scope: SqlScope, name: str) -> SqlValue:
        """A field of `scope.entity` at `scope.alias`: stored columns, or a derived field's formula in this scope."""

    def title(self, scope: SqlScope) -> ColumnElement[Any]:
        """What names the record at `scope.alias` in a text."""

    def target(self, entity: str, field: str) -> Sequence[str]:
        """The entities that a link points to."""

    def children(self, entity: str, name: str) -> Children:
        """How a list of the entity joins."""

    def column(self, entity: str, name: str, links: FromClause, column: str) -> SqlValue:
        """A column (`via.part`) of a links field's rows at the alias `links`."""

    def reach(self, scope: SqlScope) -> ColumnElement[bool] | None:
        """Which rows of the scope may be counted and listed; None: all."""


class SqlScope:
    """A row of `entity` at `alias`, for formulas to be read in. Dotted paths add LEFT JOINs, each once.

    Values that do not depend on the row (reader, variables, a `this` that is in hand) go in as bind parameters.
    """

    def __init__(
        self,
        catalog: SqlCatalog,
        entity: str,
        alias: FromClause,
        reader: Reader,
        this: RecordLike | SqlScope | None = None,
        variables: Mapping[str, Value] | None = None,
        *,
        old: RecordLike | None = None,
        graph: Graph = NO_GRAPH,
        via: FromClause | None = None,
        via_of: tuple[str, str] | None = None,
    ) -> None:
        self.catalog = catalog
        self.entity = entity
        self.alias = alias
        self.reader = reader
        self.this = this
        self.via = via
        self.via_of = via_of
        self.order: list[ColumnElement[Any]] = []  # what first and last go by, in a list's subquery
        outer = None if isinstance(this, SqlScope) else this
        self.env = Env(None, reader, graph, old=old, this=outer, variables=variables or {})
        # parameters of the reader are read when the statement runs; what is in hand is bound at once
        self.is_late = catalog.is_late and outer is None and old is None and not variables
        self.grouped: Grouped | None = None  # where the aggregates over this row's lists are gathered
        self.kept: dict[str, SqlValue] = {}  # derived values that are computed apart
        self.keeps = False
        self._joins: dict[tuple[object, ...], SqlScope] = {}
        self._clauses: list[tuple[FromClause, ColumnElement[bool]]] = []
        self._root: SqlScope = self

    def column(self, name: str) -> ColumnElement[Any]:
        """A column of the row's table."""
        return self.alias.c[name]

    def field(self, name: str) -> SqlValue:
        """A field's value in this row."""
        return self.catalog.field(self, name)

    def follow(self, name: str, entity: str) -> SqlScope:
        """The row of `entity` that the link `name` points to, by a LEFT JOIN that is made once."""
        link = self.field(name)
        # a link that is blank where the reader may not see it is another one than the bare column
        key = (id(self.alias), name, entity, type(link.id if isinstance(link, SqlLink) else link))
        if isinstance(link, SqlLink):
            return self._join(key, entity, link.id, link.entity == entity)
        if not isinstance(link, ColumnElement):
            raise TypeError(f"{self.entity}.{name} is no link")
        return self._join(key, entity, link, None)

    def follow_ref(self, ref: Ref) -> SqlScope:
        """The row of a record that is known by its id, such as `me`."""
        return self._join((ref.entity, ref.id), ref.entity, self.ref_id(ref), None)

    def ref_id(self, ref: Ref) -> ColumnElement[Any]:
        """The id of a known record as a parameter; the reader's own when the statement runs."""
        if not self.is_late:
            return sa.literal(ref.id, sa.Uuid())
        if ref == self.reader.me:
            return parameter(self, lambda env: None if env.reader.me is None else env.reader.me.id, sa.Uuid())
        if ref == self.reader.contact:
            return parameter(self, lambda env: None if env.reader.contact is None else env.reader.contact.id, sa.Uuid())
        if ref == self.reader.my_team:
            return parameter(self, lambda env: None if env.reader.my_team is None else env.reader.my_team.id, sa.Uuid())
        self.catalog.is_personal = True
        return sa.literal(ref.id, sa.Uuid())

    def follow_id(self, id_: ColumnElement[Any], entity: str, only: ColumnElement[bool] | None = None) -> SqlScope:
        """The row of `entity` with a computed id."""
        return self._join((id(id_), entity), entity, id_, only)

    def add_join(self, table: FromClause, on: ColumnElement[bool]) -> None:
        """Another LEFT JOIN, of what has one row."""
        self._root._clauses.append((table, on))

    def _join(
        self, key: tuple[object, ...], entity: str, id_: ColumnElement[Any], only: ColumnElement[bool] | None
    ) -> SqlScope:
        root = self._root
        if (known := root._joins.get(key)) is not None:
            return known
        alias = self.catalog.table(entity).alias()
        on = alias.c.id == id_
        root._clauses.append((alias, on if only is None else sa.and_(on, only)))
        inner = self.at(entity, alias)
        root._joins[key] = inner
        return inner

    def at(self, entity: str, alias: FromClause) -> SqlScope:
        """A scope for another row in the same FROM."""
        inner = SqlScope(self.catalog, entity, alias, self.reader, self.this)
        inner.env, inner.is_late = self.env, self.is_late
        inner._root = self._root
        return inner

    def inside(self, entity: str, alias: FromClause) -> SqlScope:
        """A scope of its own for a correlated subquery, whose `this` is the present row."""
        inner = SqlScope(self.catalog, entity, alias, self.reader, self)
        inner.env, inner.is_late = self.env, self.is_late
        return inner

    def joined(self, from_clause: FromClause | None = None) -> FromClause:
        """The FROM (the row's own alias unless another is given) with the joins asked for so far."""
        result = self.alias if from_clause is None else from_clause
        for alias, on in self._root._clauses:
            result = result.outerjoin(alias, on)
        return result
