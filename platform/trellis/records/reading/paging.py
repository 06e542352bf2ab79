"""Keyset paging: a page begins after the last row of the one before it, however deep that is."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from trellis.records.refusal import Fault, Refused

_WRITE: dict[type, Callable[[Any], list[Any]]] = {
    type(None): lambda v: ["n"],
    str: lambda v: ["s", v],
    bool: lambda v: ["b", v],
    int: lambda v: ["i", str(v)],
    float: lambda v: ["f", v.hex()],
    Decimal: lambda v: ["d", str(v)],
    datetime: lambda v: ["t", v.isoformat()],
    date: lambda v: ["y", v.isoformat()],
    time: lambda v: ["h", v.isoformat()],
    timedelta: lambda v: ["l", [v.days, v.seconds, v.microseconds]],
    UUID: lambda v: ["u", v.hex],
}
_READ: dict[str, Callable[..., Any]] = {
    "n": lambda: None,
    "s": str,
    "b": bool,
    "i": int,
    "f": float.fromhex,
    "d": Decimal,
    "t": datetime.fromisoformat,
    "y": date.fromisoformat,
    "h": time.fromisoformat,
    "l": lambda v: timedelta(*v),
    "u": UUID,
}


def _read(tag: str, *value: Any) -> Any:
    return _READ[tag](*value)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One expression that a list is ordered by; blanks come last unless `nulls_first`."""

    expression: sa.ColumnElement[Any]
    descending: bool = False
    nullable: bool = True
    indexed: bool = False

    @property
    def splits(self) -> bool:
        """Whether blanks are better listed apart, after the others: an index then serves either part."""
        return self.nullable and self.indexed

    def filled(self) -> SortKey:
        """The key over rows that have a value."""
        return SortKey(self.expression, self.descending, nullable=False)

    @property
    def nulls_first(self) -> bool:
        """Where PostgreSQL puts blanks by itself; kept for columns that have none, so that a plain index serves."""
        return self.descending and not self.nullable

    def order(self) -> sa.ColumnElement[Any]:
        """The ORDER BY item."""
        if not self.descending:
            return self.expression.asc()
        return self.expression.desc() if self.nulls_first else self.expression.desc().nulls_last()

    def after(self, value: Any) -> sa.ColumnElement[bool]:
        """Whether a row comes after the value."""
        column = self.expression
        if value is None:
            return column.is_not(None) if self.nulls_first else sa.false()
        bound = _bound(value, column)
        further = column < bound if self.descending else column > bound
        return sa.or_(further, column.is_(None)) if self.nullable and not self.nulls_first else further

    def same(self, value: Any) -> sa.ColumnElement[bool]:
        """Whether a row has the value."""
        return self.expression.is_(None) if value is None else self.expression == _bound(value, self.expression)


def _bound(value: Any, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A cursor's value as a parameter; its own type where the column's is not known."""
    known = column.type
    return sa.literal(value) if isinstance(known, sa.types.NullType) else sa.literal(value, known)


def after(keys: Sequence[SortKey], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """The rows after those values in the order of the keys."""
    plain = all(not k.nullable for k in keys) and None not in values
    if plain and len({k.descending for k in keys}) == 1:
        row = sa.tuple_(*(k.expression for k in keys))
        bound = sa.tuple_(*(_bound(v, k.expression) for k, v in zip(keys, values, strict=True)))
        return row < bound if keys[0].descending else row > bound
    either: list[sa.ColumnElement[bool]] = []
    for index, key in enumerate(keys):
        ties = [k.same(v) for k, v in zip(keys[:index], values[:index], strict=True)]
        either.append(sa.and_(*ties, key.after(values[index])))
    first, value = keys[0], values[0]
    # said twice, so that an index on the first key can be entered at the right place
    return sa.and_(sa.or_(first.same(value), first.after(value)), sa.or_(*either))


def fingerprint(*parts: object) -> str:
    """What a cursor belongs to: a list with another sort refuses it."""
    return blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def write_cursor(mark: str, values: Sequence[Any]) -> str:
    """The place after a row with these sort values, as opaque text."""
    return base64.urlsafe_b64encode(orjson.dumps([mark, *(_WRITE[type(v)](v) for v in values)])).decode().rstrip("=")


def read_cursor(cursor: str, mark: str, count: int) -> list[Any]:
    """The sort values of a cursor; Refused when it is not one of this list's."""
    try:
        given = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(given, list) or given[0] != mark or len(given) != count + 1:
            raise ValueError("of another list")
        return [_read(*item) for item in given[1:]]
    except (ValueError, TypeError, KeyError, IndexError, ArithmeticError, binascii.Error) as error:
        raise Refused([Fault("invalid", "This page address does not belong to this list.", "cursor")]) from error
