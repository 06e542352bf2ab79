"""A report's measures in SQL: what is added up at the finest groups first, and put together for every total after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula.functions.operators import quotient
from trellis.formula.sql.scope import SqlScope

Column = ColumnElement[Any]
BASE = "base"


@dataclass(frozen=True, slots=True)
class Way:
    """How a measure is computed: from the rows at once, or from the parts that smaller groups were measured in."""

    whole: Callable[[Column], Column]
    parts: tuple[Callable[[Column], Column], ...] = ()  # none: only the rows themselves tell
    joined: Callable[..., Column] | None = None


def _measure(name: str) -> Callable[[Column], Column]:
    def whole(column: Column) -> Column:
        from trellis.formula.nodes.aggregate import MEASURES

        return MEASURES[name].sql(column)

    return whole


def _sum(column: Column) -> Column:
    return sa.func.coalesce(sa.func.sum(column, type_=sa.Numeric()), 0, type_=sa.Numeric())


def _plain_sum(column: Column) -> Column:
    return sa.func.sum(column, type_=sa.Numeric())


WAYS: dict[str, Way] = {
    "count": Way(sa.func.count, (sa.func.count,), _sum),
    "sum": Way(_measure("sum"), (_plain_sum,), _sum),
    "avg": Way(
        _measure("avg"), (_plain_sum, sa.func.count), lambda total, n: quotient(_plain_sum(total), _plain_sum(n))
    ),
    "min": Way(_measure("min"), (_measure("min"),), _measure("min")),
    "max": Way(_measure("max"), (_measure("max"),), _measure("max")),
    "count_distinct": Way(_measure("count_distinct")),
    "median": Way(_measure("median")),
}


@dataclass
class Gathering:
    """The columns that measures need of the rows of `rows`, under names in the subquery `base`.

    `in_parts`: the base is grouped already, which one scan and one hash table do however many totals are wanted.
    `is_united`: the rows of other entities stand beside these, in columns of the same types.
    """

    rows: SqlScope
    in_parts: bool
    is_united: bool = False
    columns: list[Column] = field(default_factory=list)
    _known: dict[tuple[int, str], Column] = field(default_factory=dict)

    def measured(self, key: int, measure: str, value: Column) -> Column:
        """The measure of a value of each row, for the groups of the outer query."""
        found = self._known.get((key, measure))
        if found is None:
            way = WAYS[measure]
            if self.in_parts and way.joined is not None:
                found = way.joined(*(self._base(part(value)) for part in way.parts))
            else:
                found = way.whole(self._base(value))
            self._known[key, measure] = found
        return found

    def _base(self, column: Column) -> Column:
        self.columns.append(column)
        # by name: the subquery that holds it is made when every measure is known
        return sa.literal_column(f"{BASE}.m{len(self.columns)}", column.type)

    def labelled(self) -> list[Column]:
        """The columns as the base selects them."""
        return [column.label(f"m{n}") for n, column in enumerate(self.columns, 1)]


class GatherScope(SqlScope):
    """Where a measure stands: over groups of rows, not over a row."""

    def __init__(self, gathering: Gathering) -> None:
        rows = gathering.rows
        super().__init__(rows.catalog, rows.entity, rows.alias, rows.reader)
        self.env, self.is_late = rows.env, rows.is_late
        self.gathering = gathering


def can_part(measure: str) -> bool:
    """Whether a measure of many groups follows from the measures of each."""
    return WAYS[measure].joined is not None
