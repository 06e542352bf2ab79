"""What a report groups by: a value, a part of the calendar, a range, a level of a tree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula.formula import Formula
from trellis.formula.sql import moments as sqlm
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.scope import SqlMoney, SqlScope
from trellis.formula.types import DATE, NUMBER, Money, Ref, Type, Value
from trellis.model.reports.periods import Period
from trellis.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trellis.formula.reader import Reader

Column = ColumnElement[Any]
FISCAL = "fiscal_year_start"  # the setting with the number of the month that the fiscal year begins with
GROUPED = ("text", "number", "money", "boolean", "date", "datetime", "record")


@dataclass(frozen=True)
class Key:
    """A value that records are grouped by: what a formula gives."""

    key: str
    label: Text
    formula: Formula

    @property
    def type(self) -> Type:
        """The type of the groups' values."""
        return self.formula.type

    @property
    def period(self) -> Period | None:
        """The part of the calendar that the values are."""
        return None

    def columns(self, scope: SqlScope) -> list[Column]:
        """The columns that tell groups apart."""
        value = self.formula.sql(scope)
        return [value.base] if isinstance(value, SqlMoney) else list(sqlv.parts(value))

    def read(self, row: Sequence[Any], reader: Reader) -> Value:
        """The columns of a result as the group's value."""
        if row[0] is None:
            return None
        kind = self.type
        if kind.kind == "record":
            return Ref(kind.entities[0] if len(kind.entities) == 1 else row[1], row[0])
        return Money(row[0], reader.currency, row[0]) if kind.kind == "money" else row[0]

    def condition(self, value: Value, reader: Reader) -> str:
        """A filter, as a person may write it, for the records of a group."""
        source = _wrapped(self.formula.source)
        if value is None:
            return f"is_blank({self.formula.source.strip()})" if self.type.kind != "boolean" else f"not {source}"
        match self.type.kind:
            case "boolean":
                return source if value else f"not {source}"
            case "record":
                return f"{source}.id == {quoted(str(value.id))}"
            case "money":
                return f"{source}.base == {value.amount}"
        return f"{source} == {literal(value)}"


@dataclass(frozen=True)
class PeriodKey(Key):
    """Days put together to weeks, months, …; a moment counts for its day on the reader's clock."""

    unit: Period

    @property
    def type(self) -> Type:
        """The first day."""
        return DATE

    @property
    def period(self) -> Period | None:
        """The part of the calendar that the values are."""
        return self.unit

    def columns(self, scope: SqlScope) -> list[Column]:
        """The first day of the period."""
        return [self.unit.sql(day_of(self.formula, scope), fiscal_start(scope.reader))]

    def condition(self, value: Value, reader: Reader) -> str:
        """A filter for the records of a group."""
        source = _wrapped(self.formula.source)
        if value is None:
            return f"is_blank({self.formula.source.strip()})"
        last = self.unit.end(value) - timedelta(days=1)
        return f"{source} >= {literal(value)} and {source} <= {literal(last)}"


@dataclass(frozen=True)
class BandKey(Key):
    """Numbers put together to ranges: up to the first bound, from each bound up to the next, from the last one on."""

    bounds: tuple[Decimal, ...]

    @property
    def type(self) -> Type:
        """The number of the range."""
        return NUMBER

    def columns(self, scope: SqlScope) -> list[Column]:
        """The number of the range, from 0."""
        value = self.formula.sql(scope)
        column = value.base if isinstance(value, SqlMoney) else value
        if not isinstance(column, ColumnElement):
            raise TypeError("ranges are of numbers")
        whens: list[tuple[Column, Any]] = [(column.is_(None), sa.null())]
        whens += [(column < sqlv.number(bound), n) for n, bound in enumerate(self.bounds)]
        return [sa.cast(sa.case(*whens, else_=len(self.bounds)), sa.Integer())]

    def condition(self, value: Value, reader: Reader) -> str:
        """A filter for the records of a group."""
        source = _wrapped(self.formula.source)
        if value is None:
            return f"is_blank({self.formula.source.strip()})"
        if self.formula.type.kind == "money":
            source += ".base"
        low, high = self.range(int(value))
        parts = [f"{source} >= {low}"] if low is not None else []
        parts += [f"{source} < {high}"] if high is not None else []
        return " and ".join(parts)

    def range(self, number: int) -> tuple[Decimal | None, Decimal | None]:
        """The least value of a range, and the first one above it."""
        low = self.bounds[number - 1] if number > 0 else None
        return low, self.bounds[number] if number < len(self.bounds) else None


@dataclass(frozen=True)
class AgeKey(BandKey):
    """Days put together to buckets: 0 to 30, 31 to 60, …, over 90; what is not due yet before them."""

    def days(self, number: int) -> tuple[int | None, int | None]:
        """The first and the last day of a bucket."""
        low, high = self.range(number)
        return None if low is None else int(low), None if high is None else int(high) - 1


@dataclass(frozen=True)
class LevelKey(Key):
    """Records of a tree put together under those that stand `level` steps from the top: 1 is the top itself."""

    level: int
    parent: str

    def columns(self, scope: SqlScope) -> list[Column]:
        """The id of the record above, or of the record itself where it stands higher."""
        link = sqlv.key(self.formula.sql(scope))
        entity = self.type.entities[0]
        top = scope.catalog.table(entity).alias()
        above = scope.inside(entity, top)
        at_top = sqlv.key(above.field(self.parent)).is_(None)
        first = sa.select(top.c.id.label("id"), top.c.id.label("top"), sa.literal_column("1").label("depth"))
        tree = first.where(at_top).cte(recursive=True, nesting=True)
        child = scope.catalog.table(entity).alias()
        below = scope.inside(entity, child)
        deeper = sa.case((tree.c.depth < self.level, child.c.id), else_=tree.c.top)
        more = sa.select(child.c.id, deeper, tree.c.depth + 1)
        more = more.select_from(child.join(tree, sqlv.key(below.field(self.parent)) == tree.c.id))
        found = tree.union_all(more)
        scope.add_join(found, found.c.id == link)
        return [found.c.top]

    def condition(self, value: Value, reader: Reader) -> str:
        """A filter for the records of a group."""
        if value is None:
            return f"is_blank({self.formula.source.strip()})"
        return f"in_tree({self.formula.source.strip()}, {quoted(str(value.id))})"


def day_of(formula: Formula, scope: SqlScope) -> Column:
    """A date, or the day of a moment on the reader's clock."""
    value = formula.sql(scope)
    assert isinstance(value, ColumnElement)
    return sa.cast(sqlm.to_local(value, scope.reader), sa.Date()) if formula.type.kind == "datetime" else value


def fiscal_start(reader: Reader) -> int:
    """The month that the fiscal year begins with: 1 unless a setting says another."""
    found = reader.settings.get(FISCAL)
    return int(found) if isinstance(found, Decimal | int) and 1 <= found <= 12 else 1


def quoted(text: str) -> str:
    """A text as a formula writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(value: Value) -> str:
    """A value as a formula writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return f"date({value.year}, {value.month}, {value.day})"
    if isinstance(value, Decimal | int):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return quoted(str(value))


def _wrapped(source: str) -> str:
    text = source.strip()
    return text if text.replace("_", "a").replace(".", "a").isalnum() else f"({text})"
