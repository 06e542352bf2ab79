"""The syntax tree of a formula: what was written, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the text from `start` to `end`; `depth` is how deep it nests, `size` how many nodes it has."""

    start: int
    end: int
    depth: int
    size: int


@dataclass(frozen=True, slots=True)
class LiteralNode(Node):
    """A number, a text, true, false or blank (None)."""

    value: Decimal | str | bool | None


@dataclass(frozen=True, slots=True)
class ListNode(Node):
    """Values in parentheses."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class NameNode(Node):
    """A plain name."""

    name: str


@dataclass(frozen=True, slots=True)
class MemberNode(Node):
    """A name after a dot; `name_start` is where the name begins."""

    of: Node
    name: str
    name_start: int


@dataclass(frozen=True, slots=True)
class CallNode(Node):
    """A function with its arguments."""

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class UnaryNode(Node):
    """`-x`, `+x` or `not x`."""

    op: str
    of: Node


@dataclass(frozen=True, slots=True)
class BinaryNode(Node):
    """Arithmetic, a comparison, `in` or `between` (with a list of two); `op_start` is where the sign is."""

    op: str
    left: Node
    right: Node
    op_start: int


@dataclass(frozen=True, slots=True)
class ChainNode(Node):
    """`and`, `or` or `&` over two or more."""

    op: str
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class OuterNode(Node):
    """Inside an aggregate, a part that is read in the record around it: made by the check, never written."""

    of: Node


def parts(node: Node) -> tuple[Node, ...]:
    """What a node is made of, as it was written."""
    match node:
        case MemberNode() | UnaryNode():
            return (node.of,)
        case BinaryNode():
            return (node.left, node.right)
        case ListNode() | ChainNode():
            return node.items
        case CallNode():
            return node.args
    return ()


def with_parts(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with each of its parts changed."""
    match node:
        case MemberNode() | UnaryNode():
            return replace(node, of=change(node.of))
        case BinaryNode():
            return replace(node, left=change(node.left), right=change(node.right))
        case ListNode() | ChainNode():
            return replace(node, items=tuple(change(i) for i in node.items))
        case CallNode():
            return replace(node, args=tuple(change(a) for a in node.args))
    return node
