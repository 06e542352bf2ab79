"""Filters that people write: how deep they may look, and how long the database thinks about them.

A list of a list of a list multiplies: a dozen words could keep a connection, which all tenants share, for a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from trellis.formula.functions.aggregates import AGGREGATES
from trellis.formula.parser import parse
from trellis.formula.syntax import CallNode, Node, parts
from trellis.records.refusal import Fault, Refused

if TYPE_CHECKING:
    from trellis.records.session import Session

DEEPEST = 2  # lists within lists
LONGEST = timedelta(seconds=15)
CANCELLED = "57014"


def check_depth(text: str) -> None:
    """Raise Refused for a filter that looks into lists of lists of lists; it can be read."""
    found = _deeper(parse(text))
    if found is not None:
        message = "A filter looks into lists of lists, and no deeper."
        place = {"offset": found.start, "length": found.end - found.start}
        raise Refused([Fault("filter", message, "filter", place)])


def _deeper(node: Node, depth: int = 0) -> Node | None:
    """The part that goes too deep."""
    if isinstance(node, CallNode) and node.name in AGGREGATES:
        depth += 1
        if depth > DEEPEST:
            return node
    return next((found for part in parts(node) if (found := _deeper(part, depth)) is not None), None)


@contextmanager
def bounded(session: Session) -> Iterator[None]:
    """Statements with a person's filter end after a while. Raises Refused."""
    milliseconds = int(LONGEST.total_seconds() * 1000)
    session.execute(sa.text(f"SET LOCAL statement_timeout = {milliseconds}"))
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != CANCELLED:
            raise
        message = "This filter takes longer than {seconds} seconds. Ask for less."
        given = {"seconds": int(LONGEST.total_seconds())}
        raise Refused([Fault("timeout", message, "filter", given)]) from error
    session.execute(sa.text("SET LOCAL statement_timeout TO DEFAULT"))
