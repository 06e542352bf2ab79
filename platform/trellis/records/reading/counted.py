"""`counted("report", "number")`: a filter for the records behind a number that no plain filter can tell apart.

How far a record has come by its history, or which fifth of all customers one is in, is not said by the record's own
fields. Such a number gives a predicate instead, which is made anew, with the reader's rights, wherever the filter runs:
in a list, its count, an export, a change of many records.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement

from trellis.config.phrase import phrase
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.syntax import CallNode, LiteralNode
from trellis.formula.types import BOOLEAN
from trellis.records.reading.scope import ReaderScope
from trellis.records.refusal import Fault, Forbidden, Missing, Refused

if TYPE_CHECKING:
    from trellis.formula.checker import Checker
    from trellis.formula.env import Env
    from trellis.formula.sql.scope import SqlScope, SqlValue
    from trellis.records.session import Session

NAME = "counted"
Predicate = Callable[["SqlScope"], ColumnElement[bool]]
Resolve = Callable[["Session", str, str, str], Predicate]
"""Gives the predicate for a session, an entity, a report's address and the name of a number. Raises Refused, Missing,
Forbidden."""

resolvers: list[Resolve] = []
"""Who knows the numbers: reports, which stand above the records."""


class FilterScope(ReaderScope):
    """What a person's filter may name: what they may see, and the numbers of the reports that they may run."""

    def __init__(self, session: Session, entity: str) -> None:
        super().__init__(session.model, entity, session.permit)
        self._session = session

    def function(self, name: str) -> Callable[[Any, CallNode], Expr] | None:
        """`counted`, which formulas elsewhere do not have."""
        return self._counted if name == NAME else None

    def _counted(self, checker: Checker, node: CallNode) -> Expr:
        texts = [a.value for a in node.args if isinstance(a, LiteralNode) and isinstance(a.value, str)]
        if len(node.args) != 2 or len(texts) != 2:
            raise checker.fault("E404", "Write counted(report, number), both as texts.", node)
        if checker.frame.outer is not None or self.entity is None:
            raise checker.fault("E405", "What a report counts is asked of the records of the list itself.", node)
        found = Counted(node.start, node.end, texts[0], texts[1])
        try:
            found.resolved(self._session, self.entity)
        except (Refused, Missing, Forbidden):
            message = phrase("The report has no number “{name}” of these records.", name=texts[1])
            raise checker.fault("E405", message, node) from None
        checker.uses |= {"counted", "now"}
        return found


class Counted(Expr):
    """Whether a record is one of those that a number of a report counts."""

    __slots__ = ("number", "report")

    def __init__(self, start: int, end: int, report: str, number: str) -> None:
        super().__init__(start, end, BOOLEAN, outer=False, constant=False)
        self.report, self.number = report, number

    def resolved(self, session: Session, entity: str) -> Predicate:
        """The predicate for this reader. Raises Refused, Missing, Forbidden."""
        for resolve in resolvers:
            return resolve(session, entity, self.report, self.number)
        raise Missing(f"report {self.report}")

    def python(self, unknown: bool) -> Closure:
        def of_all(env: Env) -> bool:
            raise Refused([Fault("filter", "What a report counts is asked of a list, not of one record.", "filter")])

        return of_all

    def sql(self, scope: SqlScope) -> SqlValue:
        return self.truth(scope)

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        session: Session = scope.catalog.session  # type: ignore[attr-defined] # the records' own catalogue has it
        return self.resolved(session, scope.entity)(scope)
