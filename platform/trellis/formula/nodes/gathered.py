"""Aggregates over the records of a report's group: `count()`, `sum(amount, stage_type == "won")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.config.phrase import phrase
from trellis.formula.naming import Frame
from trellis.formula.nodes.aggregate import OF_NOTHING_0, countable_sql
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.sql import moments as sqlm
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.gathering import Gathering, GatherScope
from trellis.formula.sql.scope import SqlLink, SqlMoney, SqlScope, SqlValue
from trellis.formula.types import BOOLEAN, NUMBER, Type

if TYPE_CHECKING:
    from trellis.formula.checker import Checker
    from trellis.formula.syntax import CallNode

Column = ColumnElement[Any]
ADDED = ("number", "money", "duration")
ORDERED = ("number", "money", "text", "date", "datetime", "time", "duration")
GATHERED = "gathered"  # the variable that holds aggregates, by the node
GATHERS = ("count", "count_distinct", "sum", "avg", "min", "max", "median")


class Gathered(Expr):
    """`measure` of `of` over the group's records for which `condition` holds; of nothing but them: how many."""

    __slots__ = ("condition", "measure", "of")

    def __init__(self, start: int, end: int, type: Type, measure: str, of: Expr | None, condition: Expr | None) -> None:
        super().__init__(start, end, type, outer=False, constant=False)
        self.measure = measure
        self.of = of
        self.condition = condition
        self.weight += sum(p.weight for p in (of, condition) if p is not None)

    def python(self, unknown: bool) -> Closure:
        # whoever has the records in hand gives the aggregates that he has computed of them
        return lambda env: env.variables[GATHERED][id(self)]

    def sql(self, scope: SqlScope) -> SqlValue:
        assert isinstance(scope, GatherScope)
        return self._made(scope.gathering)

    def _made(self, gathering: Gathering) -> SqlValue:
        found = gathering.measured(id(self), self.measure, self._input(gathering))
        if self.measure in ("count", "count_distinct"):
            return sa.cast(found, sa.Numeric())
        if self.type.kind == "money":
            currency: Column = sqlv.text(gathering.rows.reader.currency)
            if self.measure not in OF_NOTHING_0:
                currency = sa.case((found.is_not(None), currency))
            return SqlMoney(found, currency, found)
        if self.type.kind == "duration" and self.measure in ("sum", "avg", "median"):
            return sqlm.from_microseconds(found)
        return found

    def _input(self, gathering: Gathering) -> Column:
        """What is measured of a row; NULL where the row does not count."""
        column = self._value(gathering.rows, gathering.is_united)
        return column if self.condition is None else sa.case((self.condition.truth(gathering.rows), column))

    def _value(self, rows: SqlScope, is_united: bool) -> Column:
        of = self.of
        if of is None:
            return sa.literal_column("1", sa.Integer())
        value = of.value(rows)
        if self.measure in ("count", "count_distinct"):
            if is_united and of.type.kind == "record" and isinstance(value, ColumnElement):
                value = SqlLink(value, sqlv.text(of.type.entities[0]))  # as links to several entities are counted
            return countable_sql(value)
        if isinstance(value, SqlMoney):
            return sqlv.counted(value) if self.measure in ("sum", "avg", "median") else value.base
        assert isinstance(value, ColumnElement)
        if of.type.kind == "duration" and self.measure in ("sum", "avg", "median"):
            return sqlm.microseconds(value)
        return value


def gathered(checker: Checker, node: CallNode, measure: str, rows: str) -> Expr:
    """The check of an aggregate that stands outside of any record: it goes over the report's own."""
    if len(node.args) > 2 or (not node.args and measure != "count"):
        raise checker.wrong_count(node)
    if measure not in GATHERS:
        message = phrase("{measure} is no measure of a report", measure=measure)
        raise checker.fault("E405", message, node, phrase("measures are made of {names}", names=list(GATHERS)))
    before = checker.frame
    checker.frame = Frame(rows)
    try:
        of = checker.check(node.args[0]) if node.args else None
        condition = checker.condition(node.args[1]) if len(node.args) > 1 else None
    finally:
        checker.frame = before
    if measure == "count":
        if of is not None and of.type == BOOLEAN and condition is None:  # how many it is true of
            of, condition = None, of
        return Gathered(node.start, node.end, NUMBER, measure, of, condition)
    assert of is not None
    if of.type.kind == "money":
        checker.uses.add("rates")
    if measure == "count_distinct":
        return Gathered(node.start, node.end, NUMBER, measure, of, condition)
    takes = ORDERED if measure in ("min", "max") else ADDED
    if of.type.kind not in takes:
        message = phrase("{measure} takes a number, money or duration, not a {what}", measure=measure, what=of.type)
        raise checker.fault("E405", message, node.args[0])
    return Gathered(node.start, node.end, of.type, measure, of, condition)
