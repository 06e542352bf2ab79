"""The text of a report's formulas: where it begins, which function it calls, what its one aggregate asks."""

from __future__ import annotations

from trellis.formula.errors import FormulaError
from trellis.formula.formula import Formula
from trellis.formula.nodes.gathered import Gathered
from trellis.formula.parser import parse
from trellis.formula.syntax import CallNode, Node
from trellis.model.compile.item import Item


def source_of(item: Item) -> tuple[str, int]:
    """A formula's text without the sign that may begin it, and where it starts."""
    text = item.text
    source = text.lstrip()
    if source.startswith("=") and not source.startswith("=="):
        source = source[1:]
    return source, len(text) - len(source)


def call_of(source: str) -> CallNode | None:
    """The function that a formula is a call of."""
    try:
        node: Node = parse(source)
    except FormulaError:  # told where it is compiled
        return None
    return node if isinstance(node, CallNode) else None


def condition_of(value: Formula) -> str | None:
    """The condition of a measure that is one aggregate."""
    node = value.node
    if not isinstance(node, Gathered) or node.condition is None:
        return None
    call = parse(value.source)
    if not isinstance(call, CallNode):
        return None
    at = call.args[-1]
    return value.source[at.start : at.end]
