"""Several entities that a report asks at once: what stands for its common names in each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trellis.formula.parser import parse
from trellis.formula.syntax import BinaryNode, LiteralNode, MemberNode, NameNode, Node, parts

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.reports.report import Condition

COMMON = "~union"  # whose records the common names belong to: no entity is called so
KIND = "kind"  # the common name of the entity that a row comes from
SPACES = ("param", "setting")


@dataclass(frozen=True)
class Branch:
    """One of the entities of a union. `names`: what stands for each common name, as a formula over its records.

    `rows` and `measures` are the report's formulas over this entity, by what is written in the report.
    """

    entity: str
    names: Mapping[str, str]
    only: Condition | None = None  # its own filter
    filter: Condition | None = None  # its own and the report's
    rows: Mapping[str, Formula] = field(default_factory=dict)
    measures: Mapping[str, Formula] = field(default_factory=dict)

    def put(self, source: str) -> str:
        """A formula over the common names as one over this entity's records."""
        return put(source, self.names)

    def is_kind(self, condition: str) -> bool | None:
        """Whether a group's condition is this entity, or another; None where it is about something else."""
        match parse(condition):
            case BinaryNode(op="==", left=NameNode(name=name), right=LiteralNode(value=value)) if name == KIND:
                return value == self.entity
        return None


def put(source: str, names: Mapping[str, str]) -> str:
    """A formula's text with something else in the places of names."""
    found = sorted(_named(parse(source), names), key=lambda n: n.start, reverse=True)
    for node in found:
        source = source[: node.start] + _wrapped(names[node.name]) + source[node.end :]
    return source


def _named(node: Node, names: Mapping[str, str]) -> Iterator[NameNode]:
    if isinstance(node, MemberNode) and isinstance(node.of, NameNode) and node.of.name in SPACES:
        return
    if isinstance(node, NameNode) and node.name in names:
        yield node
    for part in parts(node):
        yield from _named(part, names)


def _wrapped(text: str) -> str:
    return text if text.replace("_", "a").replace(".", "a").isalnum() else f"({text})"
