"""Parameters that are read when a statement runs: one statement then serves every reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula.env import Env
from trellis.formula.reader import Reader

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope

_reading: ContextVar[Env] = ContextVar("reading")
Get = Callable[[Env], Any]


@contextmanager
def read_by(reader: Reader) -> Iterator[None]:
    """Within the block, statements run for this reader."""
    token = _reading.set(Env(None, reader))
    try:
        yield
    finally:
        _reading.reset(token)


def parameter(scope: SqlScope, get: Get, type_: sa.types.TypeEngine[Any]) -> ColumnElement[Any]:
    """What `get` gives for the reader: the one who runs the statement, if the scope is late, else the scope's."""
    if not scope.is_late:
        return sa.literal(get(scope.env), type_)
    return sa.bindparam(None, callable_=lambda: get(_reading.get()), type_=type_, unique=True)
