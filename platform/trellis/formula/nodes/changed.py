"""changed(field): does this save change it?"""

from __future__ import annotations

from trellis.formula.env import Env
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.types import BOOLEAN, Value


class Changed(Expr):
    """True when a field differs from the record before the change; in a query nothing is being changed."""

    __slots__ = ("names",)

    def __init__(self, start: int, end: int, names: tuple[str, ...]) -> None:
        super().__init__(start, end, BOOLEAN, constant=False)
        self.names = names

    def python(self, unknown: bool) -> Closure:
        names = self.names

        def changed(env: Env) -> Value:
            old, new = env.old, env.record
            return old is not None and new is not None and any(old.get(n) != new.get(n) for n in names)

        return changed
