"""The tables behind the Model, as formulas read them in SQL, with what this person may not know left out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from trellis.formula.formula import compile_formula
from trellis.formula.nodes.listed import correlated
from trellis.formula.sql.grouped import once
from trellis.formula.sql.scope import Children, SqlLink, SqlLocation, SqlMoney, SqlParts, SqlScope, SqlValue
from trellis.formula.sql.values import to_sql
from trellis.model.entity import Inverse
from trellis.model.field import Field
from trellis.model.fields.money import money_places
from trellis.records.deriving.rates import sql_rate
from trellis.records.pools import standing
from trellis.records.reading.names import title_expression
from trellis.records.reading.scope import ReaderScope
from trellis.storage.names import short
from trellis.storage.ordering import name_order, ordered_field

if TYPE_CHECKING:
    from trellis.records.session import Session

NEVER_BLANK = frozenset({"id", "created_at", "updated_at", "version"})


_pool: OrderedDict[tuple[str, str], list[sa.FromClause]] = OrderedDict()
POOLED = 4096


class PooledTable:
    """A table whose aliases are made once and used again by every later query: their columns take long to make."""

    def __init__(self, table: sa.Table, aliases: list[sa.FromClause]) -> None:
        self._table = table
        self._aliases = aliases
        self._used = 0

    def alias(self) -> sa.FromClause:
        """An alias that this query does not use yet."""
        if self._used == len(self._aliases):
            self._aliases.append(self._table.alias())
        self._used += 1
        return self._aliases[self._used - 1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


def _pooled(session: Session, entity: str) -> PooledTable:
    key = (session.model.hash, entity)
    aliases = _pool.get(key)
    if aliases is None:
        aliases = _pool[key] = []
        while len(_pool) > POOLED:
            _pool.popitem(last=False)
    return PooledTable(session.table(entity), aliases)


class Catalog:
    """One query's view of the tables.

    `guarded`: what is read over a link from a record that this person may not read is blank. Derived fields and
    permission predicates are computed with the system's eyes, so that a value is the same for everybody.
    """

    def __init__(self, session: Session, *, guarded: bool = True, late: bool = False) -> None:
        self.session = session
        self._guards = guarded and not session.principal.is_system
        self._names = False  # what is read now is shown as a part of a title
        self._guard_of: dict[sa.FromClause, sa.ColumnElement[bool] | None] = {}
        self._cover_of: dict[tuple[sa.FromClause, str], sa.ColumnElement[bool] | None] = {}
        self._rows: set[sa.FromClause] = set()
        self._tables: dict[str, PooledTable] = {}
        self.is_late = late  # what depends on the reader is read when the statement runs
        self.is_personal = False  # something of the reader went into an expression all the same

    # ── what formulas ask ────────────────────────────────────────────────────────────────────────────────

    def table(self, entity: str) -> sa.Table:
        """The entity's table."""
        found = self._tables.get(entity)
        if found is None:
            found = self._tables[entity] = _pooled(self.session, entity)
        return cast(sa.Table, found)

    def field(self, scope: SqlScope, name: str) -> SqlValue:
        """A field in the scope: stored columns, or a derived field's formula."""
        definition = self.session.model.entities[scope.entity]
        field = definition.fields.get(name)
        if field is None:
            return self._single(scope, definition.inverses[name])
        kind = field.type.formula_type()
        if self._names and self._guards and self.is_concealed(scope.entity, name):
            return to_sql(None, kind, scope.reader)
        if field.formula is not None:
            with self.unguarded():
                made = partial(field.formula.sql, scope)
                value = once(scope, name, made) if scope.keeps else made()
            return self._guarded_value(scope, value)
        suffixes = tuple(field.type.columns())
        if kind.kind == "money":
            amount, currency, base = (self.stored(scope, field, s) for s in ("", "_currency", "_base"))
            return SqlMoney(amount, currency, base, money_places(field, self.session.reader.currency))
        if kind.kind == "record" and "_entity" in suffixes:
            return SqlLink(self.stored(scope, field, ""), self.stored(scope, field, "_entity"))
        if kind.kind == "location" and len(suffixes) == 2:
            return SqlLocation(*(self.stored(scope, field, s) for s in suffixes))
        if name == "id":  # text to a formula, whatever the column is
            return sa.cast(self.stored(scope, field, ""), sa.Text)
        if "" in suffixes:
            return self.stored(scope, field, "")
        return SqlParts({s.lstrip("_"): self.stored(scope, field, s) for s in suffixes})

    def title(self, scope: SqlScope) -> sa.ColumnElement[Any]:
        """What names the record at the scope's row."""
        return self.guard(scope, title_expression(self, scope, self.session.model.entities[scope.entity]))

    def has_order(self, entity: str) -> bool:
        """Whether the records' titles have an order of their own that this person may know."""
        definition = self.session.model.entities[entity]
        titled = ordered_field(definition)
        if titled is None or self.is_concealed(entity, titled.key):
            return False
        return definition.title is None or set(definition.title.reads) == {(titled.key,)}

    def target(self, entity: str, field: str) -> Sequence[str]:
        """The entities that a link points to."""
        definition = self.session.model.entities[entity]
        if field not in definition.fields:
            return (definition.inverses[field].entity,)
        found = definition.fields[field].type.formula_type().entities
        return found or tuple(self.session.model.entities)

    def children(self, entity: str, name: str) -> Children:
        """How an inverse list or a links field joins."""
        definition = self.session.model.entities[entity]
        inverse = definition.inverses.get(name)
        if inverse is None:
            target = definition.fields[name].type.formula_type().entities[0]
            return Children(target, links=self.session.tables.links[entity, name], order=("position", "target"))
        if inverse.many:
            links = self.session.tables.links[inverse.entity, inverse.field]
            return Children(inverse.entity, links=links, near="target", far="source", order=("position", "source"))
        table = self.table(inverse.entity)
        order = ("position", "created_at", "id") if "position" in table.c else ("created_at", "id")
        link = self.session.model.entities[inverse.entity].fields[inverse.field]
        kind = short(f"{inverse.field}_entity") if "_entity" in link.type.columns() else None
        return Children(inverse.entity, short(inverse.field), kind, order=order)

    def column(self, entity: str, name: str, links: sa.FromClause, column: str) -> SqlValue:
        """A column of a links field's rows."""
        definition = self.session.model.entities[entity]
        inverse = definition.inverses.get(name)
        owner, field = (inverse.entity, inverse.field) if inverse else (entity, name)
        extra = link_columns(self.session.model.entities[owner].fields[field])[column]
        suffixes = tuple(extra.type.columns())
        if extra.type.formula_type().kind == "money":
            amount, currency, base = (links.c[short(column + s)] for s in ("", "_currency", "_base"))
            return SqlMoney(amount, currency, base)
        found: sa.ColumnElement[Any] = links.c[short(column + suffixes[0])]
        return found

    def _single(self, scope: SqlScope, inverse: Inverse) -> sa.ColumnElement[Any]:
        """The one record that points here (`one: true`), as its id."""
        far = scope.inside(inverse.entity, self.table(inverse.entity).alias())
        row = far.alias.c
        found = sa.select(row.id).where(row[short(inverse.field)] == scope.alias.c.id, row.deleted_at.is_(None))
        within = self.reach(far)
        if within is not None:
            found = found.where(within)
        found = found.order_by(row.created_at, row.id).limit(1)
        return self.guard(scope, correlated(far, found, far.alias).scalar_subquery())

    def rate(self, scope: SqlScope, currency: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The rate of a currency at the row's date; everybody's, whoever may read the table of rates."""
        with self.unguarded():
            return sql_rate(self.session, scope, currency)

    # ── what selections ask ──────────────────────────────────────────────────────────────────────────────

    def stored(self, scope: SqlScope, field: Field, suffix: str) -> sa.ColumnElement[Any]:
        """One of a field's own columns."""
        return self.guard(scope, self._covered(scope, field.key, scope.alias.c[short(field.key + suffix)]))

    def _covered(self, scope: SqlScope, name: str, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The column, or blank while the record lies in a pool that hides the field from this person."""
        if not self._guards or not standing.hides(self.session.permit, scope.entity, name):
            return column
        key = (scope.alias, name)
        if key not in self._cover_of:
            with self.unguarded():
                self._cover_of[key] = standing.covers(self.session.permit, scope, name)
        covered = self._cover_of[key]
        return column if covered is None else sa.case((covered, None), else_=column)

    def path(self, scope: SqlScope, path: str) -> SqlValue:
        """A dotted path that ends in a part of a value, such as address.city, or goes over an any_link."""
        formula = compile_formula(path, ReaderScope(self.session.model, scope.entity, self.session.permit))
        return formula.sql(scope)

    def name_order(self, scope: SqlScope, field: Field) -> sa.ColumnElement[Any]:
        """What a name or an address is sorted by: its parts one after the other."""
        value = self.field(scope, field.key)
        if isinstance(value, SqlParts):
            order = ("last", "first", "country", "city", "street")
            parts = [value.parts[p] for p in order if p in value.parts] or list(value.parts.values())
            return sa.func.concat_ws(" ", *parts, type_=sa.Text())
        if isinstance(value, sa.ColumnElement):
            if field.type.formula_type().kind == "name":
                return name_order(value)
            texts = [value.op("->>", return_type=sa.Text())(key) for key in ("country", "city", "street")]
            return sa.case((value.is_not(None), sa.func.concat_ws(" ", *texts, type_=sa.Text())), else_=None)
        raise TypeError(f"{field.key} has no order")

    def start(self, scope: SqlScope) -> None:
        """Say that the scope's rows are what the query lists: its own predicate restricts them, not a guard."""
        self._rows.add(scope.alias)

    def guard(self, scope: SqlScope, value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """The value, or blank where this person may not read the record that it is read from."""
        condition = self._condition(scope)
        return value if condition is None else sa.case((condition, value), else_=None)

    def reach(self, scope: SqlScope) -> sa.ColumnElement[bool] | None:
        """Which rows of a list this person may read; None: all, also for what is computed with the system's eyes."""
        return self._condition(scope)

    def _condition(self, scope: SqlScope) -> sa.ColumnElement[bool] | None:
        if not self._guards or scope.alias in self._rows:
            return None
        key = scope.alias
        if key not in self._guard_of:
            with self.unguarded():
                self._guard_of[key] = self.session.permit.reach("read", scope)
        return self._guard_of[key]

    def _guarded_value(self, scope: SqlScope, value: SqlValue) -> SqlValue:
        if self._condition(scope) is None:
            return value
        if isinstance(value, SqlMoney):
            amount, currency, base = (self.guard(scope, part) for part in (value.amount, value.currency, value.base))
            return SqlMoney(amount, currency, base, value.places)
        if isinstance(value, SqlLink):
            return SqlLink(self.guard(scope, value.id), self.guard(scope, value.entity))
        if isinstance(value, SqlLocation):
            return SqlLocation(self.guard(scope, value.latitude), self.guard(scope, value.longitude))
        if isinstance(value, SqlParts):
            return SqlParts({name: self.guard(scope, part) for name, part in value.parts.items()})
        return self.guard(scope, value)

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        """Compute with the system's eyes."""
        before, self._guards = self._guards, False
        try:
            yield
        finally:
            self._guards = before

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Read with the person's eyes what makes a title: the Model chose the fields, not the person."""
        before, self._names = self._names, True
        try:
            yield
        finally:
            self._names = before

    def is_hidden(self, entity: str, field: str) -> bool:
        """Whether the field does not exist for this person."""
        return self.session.permit.hides(entity, field)

    def is_masked(self, entity: str, field: str) -> bool:
        """Whether the field is only shown in part."""
        return self.session.permit.modes(entity).get(field) == "masked"

    def is_concealed(self, entity: str, field: str) -> bool:
        """Whether the field's true value is kept from this person."""
        return self.session.permit.conceals(entity, field)


def system_scope(session: Session, entity: str, *, late: bool = False) -> SqlScope:
    """The entity's rows with the system's eyes, for what is not shown to anybody: rights, roll-ups, checks."""
    catalog = Catalog(session, guarded=False, late=late)
    return SqlScope(catalog, entity, catalog.table(entity).alias(), session.reader)


def is_blank_free(field: Field) -> bool:
    """Whether the database itself holds that the field is never blank."""
    return field.key in NEVER_BLANK


def link_columns(field: Field) -> Mapping[str, Field]:
    """The fields that each row of a links field carries."""
    found: Mapping[str, Field] = getattr(field.type, "link_columns", {})
    return found
