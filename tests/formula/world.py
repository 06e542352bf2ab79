"""A small world for formulas: entities with every type, as Python records and as tables with the same rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from trellis.formula.env import Env
from trellis.formula.formula import Formula, compile_formula
from trellis.formula.reader import Reader
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import Children, SqlLink, SqlLocation, SqlMoney, SqlScope, SqlValue
from trellis.formula.types import (
    ADDRESS,
    BOOLEAN,
    DATE,
    DATETIME,
    DURATION,
    JSON,
    LOCATION,
    MONEY,
    NAME,
    NUMBER,
    TEXT,
    TIME,
    Location,
    Money,
    Ref,
    Type,
    Value,
    list_of,
    record_of,
    records_of,
)

TAGS = list_of(TEXT)
FIELDS: dict[str, dict[str, Type]] = {
    "user": {"name": TEXT, "email": TEXT, "manager": record_of("user")},
    "team": {"name": TEXT},
    "account": {
        "name": TEXT,
        "industry": TEXT,
        "city": TEXT,
        "parent": record_of("account"),
        "deals": records_of("deal"),
        "remarks": records_of("deal"),
    },
    "contact": {
        "name": TEXT,
        "full": NAME,
        "account": record_of("account"),
        "born": DATE,
        "deals": records_of("deal"),
        "remarks": records_of("deal"),
    },
    "deal": {
        "name": TEXT,
        "other": TEXT,
        "stage": TEXT,
        "account": record_of("account"),
        "owner": record_of("user"),
        "about": record_of("account", "contact"),
        "contacts": records_of("contact"),
        "lines": records_of("line"),
        "amount": MONEY,
        "cost": MONEY,
        "discount": NUMBER,
        "quantity": NUMBER,
        "count_": NUMBER,
        "open": BOOLEAN,
        "close_date": DATE,
        "started": DATE,
        "created_at": DATETIME,
        "ended_at": DATETIME,
        "at": TIME,
        "effort": DURATION,
        "tags": TAGS,
        "person": NAME,
        "address": ADDRESS,
        "place": LOCATION,
        "spot": LOCATION,
        "extra": JSON,
        "double": NUMBER,
    },
    "line": {
        "deal": record_of("deal"),
        "product": TEXT,
        "kind": TEXT,
        "amount": MONEY,
        "price": NUMBER,
        "quantity": NUMBER,
        "position": NUMBER,
        "took": DURATION,
        "done": BOOLEAN,
        "due": DATE,
    },
}
"""The fields by entity; `double` is derived."""
VIA: dict[str, Type] = {"part": TEXT, "share": NUMBER}
LISTS: dict[tuple[str, str], tuple[str, str]] = {
    ("account", "deals"): ("deal", "account"),
    ("account", "remarks"): ("deal", "about"),
    ("contact", "remarks"): ("deal", "about"),
    ("deal", "lines"): ("line", "deal"),
}
WHOLE = {"count_", "position"}

COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "number": sa.Numeric(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "datetime": sa.DateTime(timezone=True),
    "time": sa.Time(),
    "duration": sa.Interval(),
    "list": pg.ARRAY(sa.Text()),
    "name": pg.JSONB(none_as_null=True),
    "address": pg.JSONB(none_as_null=True),
    "json": pg.JSONB(none_as_null=True),
    "record": sa.Uuid(),
}
METADATA = sa.MetaData()


def _table(entity: str) -> sa.Table:
    columns: list[sa.Column[Any]] = [sa.Column("id", sa.Uuid(), primary_key=True)]
    for name, type_ in FIELDS[entity].items():
        if type_.kind == "records" or name == "double":
            continue
        match type_.kind:
            case "money":
                columns += [
                    sa.Column(name, sa.Numeric()),
                    sa.Column(f"{name}_currency", sa.Text()),
                    sa.Column(f"{name}_base", sa.Numeric()),
                ]
            case "location":
                columns += [sa.Column(name, sa.Double()), sa.Column(f"{name}_longitude", sa.Double())]
            case _:
                columns.append(sa.Column(name, sa.Integer() if name in WHOLE else COLUMNS[type_.kind]))
        if len(type_.entities) > 1:
            columns.append(sa.Column(f"{name}_entity", sa.Text()))
    if "created_at" not in FIELDS[entity]:
        columns.append(sa.Column("created_at", sa.DateTime(timezone=True)))
    columns.append(sa.Column("deleted_at", sa.DateTime(timezone=True)))
    return sa.Table(f"formula_{entity}", METADATA, *columns)


TABLES = {entity: _table(entity) for entity in FIELDS}
LINKS = sa.Table(
    "formula_deal__contacts",
    METADATA,
    sa.Column("source", sa.Uuid()),
    sa.Column("target", sa.Uuid()),
    sa.Column("position", sa.Integer()),
    sa.Column("part", sa.Text()),
    sa.Column("share", sa.Numeric()),
)


class WorldScope:
    """The names of an entity's record."""

    def __init__(self, entity: str | None = "deal", variables: Mapping[str, Type] | None = None) -> None:
        self.entity = entity
        self.variables = variables or {}
        self.shadows: Collection[str] = ()

    def name(self, name: str) -> Type | None:
        if name in self.variables:
            return self.variables[name]
        return FIELDS[self.entity].get(name) if self.entity else None

    def names(self) -> Iterable[str]:
        return [*self.variables, *(FIELDS[self.entity] if self.entity else ())]

    def member(self, type: Type, name: str) -> Type | None:
        return next((t for e in type.entities if (t := FIELDS.get(e, {}).get(name)) is not None), None)

    def members(self, type: Type) -> Iterable[str]:
        return [n for e in type.entities for n in FIELDS.get(e, {})]

    def roles(self) -> None:
        return None

    def columns(self, entity: str, name: str) -> Mapping[str, Type]:
        return VIA if (entity, name) in (("deal", "contacts"), ("contact", "deals")) else {}


@dataclass
class Row:
    """A record of the world."""

    entity: str
    id: UUID
    values: dict[str, Value] = field(default_factory=dict)
    deleted: bool = False

    def get(self, name: str) -> Value:
        if name == "double":
            quantity = self.values.get("quantity")
            return None if quantity is None else quantity * 2
        return self.values.get(name)

    @property
    def ref(self) -> Ref:
        return Ref(self.entity, self.id)


class World:
    """Records and the links between them."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, UUID], Row] = {}
        self.links: list[tuple[Row, Row, dict[str, Value]]] = []
        self._number = 0

    def add(self, entity: str, *, deleted: bool = False, **values: Value) -> Row:
        self._number += 1
        row = Row(entity, UUID(int=self._number), dict(values), deleted)
        self.rows[entity, row.id] = row
        return row

    def link(self, deal: Row, contact: Row, **columns: Value) -> None:
        self.links.append((deal, contact, columns))

    # Graph

    def follow(self, ref: Ref) -> Row | None:
        return self.rows.get((ref.entity, ref.id))

    def title(self, ref: Ref) -> str | None:
        row = self.follow(ref)
        return None if row is None else row.get("name")

    def children(self, record: Any, name: str) -> Sequence[Row]:
        return list(self._children(record, name))

    def _children(self, record: Row, name: str) -> Iterator[Row]:
        if name in ("contacts", "deals") and record.entity in ("deal", "contact"):
            for deal, contact, columns in self.links:
                near, far = (deal, contact) if record.entity == "deal" else (contact, deal)
                if near.id == record.id and not far.deleted:
                    yield Row(far.entity, far.id, {**far.values, **{f"via.{k}": v for k, v in columns.items()}})
            return
        entity, link = LISTS[record.entity, name]
        found = [r for (e, _), r in self.rows.items() if e == entity and r.get(link) == record.ref and not r.deleted]
        yield from sorted(found, key=lambda r: (r.get("position") or 0, r.id.int))

    # tables

    def store(self, connection: sa.Connection) -> None:
        """Makes the tables, with the rows."""
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
        self.insert(connection, self.rows.values())
        for position, (deal, contact, columns) in enumerate(self.links):
            connection.execute(LINKS.insert().values(source=deal.id, target=contact.id, position=position, **columns))

    @staticmethod
    def insert(connection: sa.Connection, rows: Iterable[Row]) -> None:
        for row in rows:
            connection.execute(TABLES[row.entity].insert().values(**columns_of(row)))


def columns_of(row: Row) -> dict[str, Any]:
    """A row as column values."""
    found: dict[str, Any] = {"id": row.id, "deleted_at": NOW if row.deleted else None}
    for name, value in row.values.items():
        type_ = FIELDS[row.entity][name]
        match type_.kind:
            case "money" if value is not None:
                found |= {name: value.amount, f"{name}_currency": value.currency, f"{name}_base": value.base}
            case "location" if value is not None:
                found |= {name: value.latitude, f"{name}_longitude": value.longitude}
            case "record" if value is not None:
                found[name] = value.id
                if len(type_.entities) > 1:
                    found[f"{name}_entity"] = value.entity
            case "list" if value is not None:
                found[name] = list(value)
            case _:
                found[name] = value
    return found


class WorldCatalog:
    """The tables of the world."""

    is_late = False
    is_personal = False

    def reach(self, scope: SqlScope) -> sa.ColumnElement[bool] | None:
        return None

    def table(self, entity: str) -> sa.Table:
        return TABLES[entity]

    def field(self, scope: SqlScope, name: str) -> SqlValue:
        if name == "double":
            return DOUBLE.sql(scope)
        type_, c = FIELDS[scope.entity][name], scope.alias.c
        if type_.kind == "money":
            return SqlMoney(c[name], c[f"{name}_currency"], c[f"{name}_base"])
        if type_.kind == "location":
            return SqlLocation(c[name], c[f"{name}_longitude"])
        return SqlLink(c[name], c[f"{name}_entity"]) if len(type_.entities) > 1 else c[name]

    def title(self, scope: SqlScope) -> sa.ColumnElement[Any]:
        return scope.alias.c.name

    def target(self, entity: str, field: str) -> Sequence[str]:
        return FIELDS[entity][field].entities

    def children(self, entity: str, name: str) -> Children:
        if (entity, name) == ("deal", "contacts"):
            return Children("contact", links=LINKS, order=("position",))
        if (entity, name) == ("contact", "deals"):
            return Children("deal", links=LINKS, near="target", far="source", order=("position",))
        child, link = LISTS[entity, name]
        several = len(FIELDS[child][link].entities) > 1
        order = ("position", "id") if child == "line" else ("id",)
        return Children(child, link, f"{link}_entity" if several else None, order=order)

    def column(self, entity: str, name: str, links: sa.FromClause, column: str) -> SqlValue:
        return links.c[column]


DOUBLE = compile_formula("quantity * 2", WorldScope())
NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # 1 April in Berlin
ZONE = ZoneInfo("Europe/Berlin")
RATES = {"USD": Decimal("0.9"), "JPY": Decimal("0.006"), "KWD": Decimal("3")}


def small_world() -> tuple[World, Row, Row, Reader]:
    """Some records: a deal with everything, an empty deal, and who reads them."""
    w = World()
    boss = w.add("user", name="Mona", email="mona@trellis.example")
    anna = w.add("user", name="Anna", email="anna@trellis.example", manager=boss.ref)
    holding = w.add("account", name="Holding", industry="finance", city="Köln")
    acme = w.add("account", name="Acme 有限公司", industry="retail", city="München", parent=holding.ref)
    li = w.add("contact", name="Li", full={"first": "小龙", "last": "李"}, account=acme.ref, born=date(2000, 2, 29))
    eva = w.add("contact", name="Eva", full={"title": "Dr.", "first": "Eva", "last": "Groß"}, born=date(1990, 4, 1))
    gone = w.add("contact", name="Gone", deleted=True)
    full = w.add(
        "deal",
        name="Große Sache",
        other="ŒUVRE straße",
        stage="won",
        account=acme.ref,
        owner=anna.ref,
        about=li.ref,
        amount=Money(Decimal("1000.50"), "EUR", Decimal("1000.50")),
        cost=Money(Decimal("200"), "USD", Decimal("190")),
        discount=Decimal("12.5"),
        quantity=Decimal("3"),
        count_=7,
        open=True,
        close_date=date(2026, 1, 31),
        started=date(2024, 2, 29),
        created_at=datetime(2026, 3, 29, 0, 30, tzinfo=UTC),  # the night in which clocks go forward
        ended_at=datetime(2026, 4, 2, 10, 15, 30, 250_000, tzinfo=UTC),
        at=time(9, 5),
        effort=timedelta(days=1, hours=2, minutes=30),
        tags=("vip", "北京"),
        person={"first": "Ada", "middle": "B.", "last": "Lovelace"},
        address={"street": "Domplatz 1", "postcode": "50667", "city": "Köln", "country": "DE"},
        place=Location(52.52, 13.405),
        spot=Location(48.137, 11.575),
        extra={"a": {"n": 5, "s": "x", "d": "2026-01-02", "f": True}, "t": "12.50"},
    )
    empty = w.add("deal")
    w.add("deal", name="Second", stage="open", account=acme.ref, about=acme.ref, quantity=Decimal(10))
    w.add("deal", name="Binned", stage="open", account=acme.ref, deleted=True, quantity=Decimal(99))
    euro, dollar = Money(Decimal("10.10"), "EUR", Decimal("10.10")), Money(Decimal("20"), "USD", Decimal("18.50"))
    lines: list[dict[str, Value]] = [
        {
            "product": "b",
            "kind": "service",
            "amount": dollar,
            "price": Decimal("2.5"),
            "quantity": Decimal(4),
            "position": 2,
        },
        {
            "product": "a",
            "kind": "good",
            "amount": euro,
            "price": Decimal("1.25"),
            "quantity": Decimal(2),
            "position": 1,
        },
        {"product": "a", "kind": "good", "position": 3, "quantity": Decimal(1), "due": date(2026, 5, 1)},
    ]
    for line in lines:
        took = timedelta(minutes=90) if line["kind"] == "good" else None
        w.add("line", deal=full.ref, done=line["kind"] == "good", took=took, **line)
    w.add("line", deal=full.ref, product="z", price=Decimal(1000), position=0, deleted=True)
    w.link(full, eva, part="buyer", share=Decimal(60))
    w.link(full, li, part="user", share=Decimal(40))
    w.link(full, gone, part="buyer", share=Decimal(5))
    reader = Reader(
        me=anna.ref,
        roles=frozenset({"sales-rep"}),
        teams=frozenset({"north"}),
        time_zone=ZONE,
        now=NOW,
        settings={"points": Decimal(2), "prefix": "D-"},
        rates=RATES,
    )
    return w, full, empty, reader


CATALOG = WorldCatalog()


def in_python(formula: Formula, row: Row, world: World, reader: Reader, **more: Any) -> Value:
    """The formula's value by the Python back end."""
    return formula.evaluate(Env(row, reader, world, **more))


def select(formula: Formula, reader: Reader, entity: str = "deal", **more: Any) -> tuple[sa.Select[Any], SqlValue]:
    """The formula's value by the SQL back end, for every row, with the row's id before it."""
    scope = SqlScope(CATALOG, entity, TABLES[entity].alias("t"), reader, **more)
    value = formula.sql(scope)
    truth = formula.predicate(scope) if formula.type == BOOLEAN else sa.null()
    columns = [c.label(f"c{i}") for i, c in enumerate(sqlv.parts(value))]
    return sa.select(scope.alias.c.id, truth.label("truth"), *columns).select_from(scope.joined()), value


def from_sql(formula: Formula, value: SqlValue, columns: Sequence[Any]) -> Value:
    """Columns as a value."""
    first = columns[0]
    if isinstance(value, SqlMoney):
        return None if first is None else Money(*columns)
    if isinstance(value, SqlLink):
        return None if first is None else Ref(columns[1], first)
    if isinstance(value, SqlLocation):
        return None if first is None else Location(*columns)
    if first is None:
        return None
    if formula.type.kind == "record":
        return Ref(formula.type.entities[0], first)
    return tuple(first) if isinstance(first, list) and formula.type.kind == "list" else first


def in_sql(formula: Formula, row: Row, connection: sa.Connection, reader: Reader, **more: Any) -> Value:
    """The formula's value by the SQL back end."""
    statement, value = select(formula, reader, row.entity, **more)
    with connection.begin_nested():
        found = connection.execute(statement.where(statement.selected_columns.id == row.id)).one()
    if formula.type == BOOLEAN:
        assert (found.truth is True) == (found.c0 is True)
    return from_sql(formula, value, found[2:])
