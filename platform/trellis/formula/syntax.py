"""The syntax tree of a formula: what was written, and where."""

from __future__ import annotations

from dataclasses import dataclass
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
