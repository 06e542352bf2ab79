"""A condition without the comparisons that name a parameter which is not set."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from trellis.formula.syntax import BinaryNode, ChainNode, ListNode, MemberNode, NameNode, Node, UnaryNode, parts

SPACE = "param"


def params_in(node: Node) -> Iterator[str]:
    """The parameters that a part of a formula names."""
    if isinstance(node, MemberNode) and isinstance(node.of, NameNode) and node.of.name == SPACE:
        yield node.name
        return
    for part in parts(node):
        yield from params_in(part)


def prune(node: Node, unset: Collection[str]) -> Node | None:
    """The condition without what depends on a parameter that is not set; None: nothing is left of it."""
    if not any(name in unset for name in params_in(node)):
        return node
    match node:
        case ChainNode(op="and") | ChainNode(op="or"):
            kept = [k for item in node.items if (k := prune(item, unset)) is not None]
            if len(kept) < 2:
                return kept[0] if kept else None
            return replace(node, items=tuple(kept))
        case UnaryNode(op="not"):
            inner = prune(node.of, unset)
            return None if inner is None else replace(node, of=inner)
        case BinaryNode(op="between"):
            return _half(node, unset)
    return None


def _half(node: BinaryNode, unset: Collection[str]) -> Node | None:
    """`x between (a, b)` of which one end is open."""
    if not isinstance(node.right, ListNode) or len(node.right.items) != 2:
        return None
    low, high = node.right.items
    open_low, open_high = (any(n in unset for n in params_in(end)) for end in (low, high))
    if (open_low and open_high) or any(n in unset for n in params_in(node.left)):
        return None
    return replace(node, op="<=" if open_low else ">=", right=high if open_low else low)
