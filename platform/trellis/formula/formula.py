"""A compiled formula: one meaning, evaluated in Python on a record in hand and in SQL over a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement

from trellis.formula.checker import check_formula, check_template, check_tree
from trellis.formula.env import Env
from trellis.formula.errors import FormulaError, FormulaFault
from trellis.formula.nodes.base import Expr, Literal
from trellis.formula.nodes.convert import Rounded
from trellis.formula.types import Type, Value

if TYPE_CHECKING:
    from trellis.formula.scope import Scope
    from trellis.formula.sql.scope import SqlScope, SqlValue
    from trellis.formula.syntax import Node

__all__ = ["Formula", "FormulaError", "FormulaFault", "compile_formula", "compile_template", "compile_tree", "constant"]


@dataclass(frozen=True, eq=False)
class Formula:
    """A checked formula.

    `reads`: the dotted paths it reads, lists included (("account", "industry"), ("lines", "amount")).
    `uses`: which of now, me, old, this, is_new, setting, param, changed, language, rates, titles it depends on.
    """

    source: str
    node: Expr
    type: Type
    reads: frozenset[tuple[str, ...]] = frozenset()
    uses: frozenset[str] = frozenset()
    advice: tuple[FormulaFault, ...] = ()  # what is most likely a slip, though it fits

    @property
    def is_constant(self) -> bool:
        """Has the same value always: reads no record and nothing of the reader."""
        return self.node.is_constant

    @cached_property
    def evaluate(self) -> Callable[[Env], Value]:
        """The formula as a function from an Env to a value."""
        return self.node.python(False)

    @cached_property
    def _check(self) -> Callable[[Env], Value]:
        return self.node.python(True)

    def refuses(self, env: Env) -> bool:
        """As a `check`: is it false? A comparison with blank is unknown, which refuses nothing."""
        return self._check(env) is False

    def sql(self, scope: SqlScope) -> SqlValue:
        """The formula's value over the row of `scope`."""
        return self.node.value(scope)

    def predicate(self, scope: SqlScope) -> ColumnElement[bool]:
        """The formula as a condition: rows for which it is true."""
        return self.node.truth(scope)

    def rounded(self, scale: int | None = None) -> Formula:
        """The same formula with a number, or money, rounded half away from zero: money to its currency's minor unit."""
        return Formula(self.source, Rounded(self.node, scale), self.type, self.reads, self.uses)


def compile_formula(source: str, scope: Scope, *, expected: Type | None = None) -> Formula:
    """Parse and check a formula; raises FormulaError with every fault."""
    checked = check_formula(source, scope, expected)
    return Formula(source, checked.node, checked.node.type, checked.reads, checked.uses, checked.advice)


def compile_tree(tree: Node, source: str, scope: Scope, *, expected: Type | None = None) -> Formula:
    """Check a formula that is parsed already, or a part of one; raises FormulaError with every fault."""
    checked = check_tree(tree, source, scope, expected)
    return Formula(source, checked.node, checked.node.type, checked.reads, checked.uses, checked.advice)


def compile_template(text: str, scope: Scope) -> Formula:
    """Parse and check a text with {formulas}; `{{` is a brace. Raises FormulaError with every fault."""
    checked = check_template(text, scope)
    return Formula(text, checked.node, checked.node.type, checked.reads, checked.uses, checked.advice)


def constant(value: Value, type: Type) -> Formula:
    """A formula that is always `value`."""
    return Formula("", Literal(0, 0, type, value), type)
