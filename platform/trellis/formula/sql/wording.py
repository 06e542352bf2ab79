"""Values as text in SQL, letter for letter what wording.py gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql as pg

from trellis.formula.nodes.paths import Row
from trellis.formula.sql import moments as sqlm
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlLink, SqlLocation, SqlMoney, SqlParts, SqlScope, SqlValue
from trellis.formula.types import Ref, Type
from trellis.formula.wording import CJK, NAME_PARTS

Column = ColumnElement[Any]
_TEXT = sa.Text()
_EMPTY: Column = sa.literal_column("''", _TEXT)  # written out: a title has a dozen of them


def part(value: SqlValue, name: str) -> Column:
    """A part of a name or an address; blank when it is empty."""
    if isinstance(value, SqlParts):
        return value.parts.get(name, sa.literal(None, _TEXT))
    assert isinstance(value, ColumnElement)
    return sa.func.nullif(value.op("->>", return_type=_TEXT)(sa.literal_column(f"'{name}'")), _EMPTY, type_=_TEXT)


def _joined(separator: str, columns: Sequence[Column]) -> Column:
    between: Column = sa.literal_column(f"'{separator}'", _TEXT)
    return sa.func.nullif(sa.func.concat_ws(between, *columns), _EMPTY, type_=_TEXT)


def _name(value: Any, scope: SqlScope) -> Column:
    given = {p: part(value, p) for p in NAME_PARTS}
    cjk = (
        sa.func.concat(given["first"], given["last"], type_=_TEXT)
        .collate("C")
        .op("~", return_type=sa.Boolean())(sqlv.text(CJK))
    )
    own = _joined("", [given[p] for p in ("last", "middle", "first")])
    return sa.case(
        (cjk, _joined(" ", [given["title"], own, given["suffix"]])), else_=_joined(" ", [given[p] for p in NAME_PARTS])
    )


def _address(value: Any, scope: SqlScope) -> Column:
    town = _joined(" ", [part(value, p) for p in ("postcode", "city", "region")])
    return _joined(", ", [part(value, "street"), part(value, "street2"), town, part(value, "country")])


def _number(value: Any, scope: SqlScope) -> Column:
    return sa.cast(sa.func.trim_scale(sqlv.numeric(value)), _TEXT)


def _money(value: SqlMoney, scope: SqlScope) -> Column:
    amount = sa.func.round(value.amount, sqlv.minor_units(value.currency), type_=sa.Numeric())
    return sa.cast(amount, _TEXT).concat(sa.literal_column("' '")).concat(value.currency)


def _datetime(value: Any, scope: SqlScope) -> Column:
    return sa.func.to_char(sqlm.to_local(value, scope.reader), "YYYY-MM-DD HH24:MI", type_=_TEXT)


def _duration(value: Any, scope: SqlScope) -> Column:
    seconds = sa.cast(sa.extract("epoch", value), sa.Numeric())
    minutes = sa.func.div(sa.func.abs(seconds), 60, type_=sa.Numeric())
    sign = sa.case((seconds < 0, "-"), else_="")
    hours = sa.cast(sa.func.div(minutes, 60), _TEXT)
    return sign.concat(hours).concat(":").concat(sa.func.lpad(sa.cast(sa.func.mod(minutes, 60), _TEXT), 2, "0"))


def _location(value: SqlLocation, scope: SqlScope) -> Column:
    def degrees(c: Column) -> Column:
        return sa.cast(sa.func.round(sa.cast(c, sa.Numeric()), 6), _TEXT)

    return degrees(value.latitude).concat(", ").concat(degrees(value.longitude))


_WRITERS: dict[str, Callable[[Any, SqlScope], Column]] = {
    "text": lambda v, scope: v,
    "number": _number,
    "boolean": lambda v, scope: sa.case((v.is_(None), sa.null()), (v, "true"), else_="false"),
    "date": lambda v, scope: sa.func.to_char(v, "YYYY-MM-DD", type_=_TEXT),
    "datetime": _datetime,
    "time": lambda v, scope: sa.func.left(sa.cast(v, _TEXT), 5, type_=_TEXT),
    "duration": _duration,
    "period": lambda v, scope: sa.cast(v, _TEXT),
    "money": _money,
    "list": lambda v, scope: sa.func.array_to_string(sqlm.text_array(v), ", ", type_=_TEXT),
    "name": _name,
    "address": _address,
    "location": _location,
    "json": lambda v, scope: v.op("#>>", return_type=_TEXT)(sa.literal_column("'{}'")),
}


def written(value: SqlValue, type_: Type, scope: SqlScope) -> Column:
    """A value as text; NULL when it is blank."""
    if type_.kind == "blank":
        return sa.literal(None, _TEXT)
    if type_.kind == "record":
        columns = sqlv.parts(value)
        entities = type_.entities
        rows: list[Row] = []
        for entity in entities:
            only = value.entity == entity if isinstance(value, SqlLink) else None
            rows.append(scope.follow_id(columns[0], entity, only))
        return titles(rows, scope)
    if type_.kind == "any":
        return sa.cast(sqlv.key(value), _TEXT)
    return _WRITERS[type_.kind](value, scope)


def titles(rows: Sequence[Row], scope: SqlScope) -> Column:
    """What names the records at some rows, of which one is there at most."""
    found: list[Column] = []
    for row in rows:
        inner = scope.follow_ref(row) if isinstance(row, Ref) else row
        if isinstance(inner, SqlScope):
            found.append(inner.catalog.title(inner))
        elif inner is not None and inner.id is not None:
            found.append(sqlv.text(scope.env.graph.title(Ref(inner.entity, inner.id))))
    return sa.func.coalesce(*found, type_=_TEXT) if found else sa.literal(None, _TEXT)


def json_as(value: Column, type_: Type, scope: SqlScope) -> SqlValue:
    """A JSON value as a text, number, boolean, date or datetime; NULL where it is none."""
    as_text = value.op("#>>", return_type=_TEXT)(sa.literal_column("'{}'"))
    kind = sa.func.jsonb_typeof(sa.cast(value, pg.JSONB()))

    def where(pattern: str, type_: Any) -> Column:
        return sa.case((as_text.op("~")(sqlv.text(pattern)), sa.cast(as_text, type_)))

    match type_.kind:
        case "number":
            return where(r"^\s*[-+]?[0-9]{1,38}(\.[0-9]{1,38})?\s*$", sa.Numeric())
        case "boolean":
            return sa.case((kind == "boolean", sa.cast(as_text, sa.Boolean())))
        case "date":
            return where(r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", sa.Date())
        case "datetime":
            return where(r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ][0-9]{2}:[0-9]{2}.*$", sqlm.MOMENT)
    return sa.case((kind.in_(["string", "number", "boolean"]), as_text))
