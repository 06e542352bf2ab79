"""changed, entity_of."""

from __future__ import annotations

from trellis.formula.checker import Checker
from trellis.formula.functions.registry import special
from trellis.formula.nodes.base import Expr
from trellis.formula.nodes.changed import Changed
from trellis.formula.nodes.links import EntityOf
from trellis.formula.nodes.paths import Member, Root
from trellis.formula.syntax import CallNode

FAMILY = "links"


@special(
    "changed",
    "changed(field, …)",
    "Does this save change one of the fields? Not when the record is new.",
    family=FAMILY,
)
def _changed(checker: Checker, node: CallNode) -> Expr:
    if not node.args:
        raise checker.wrong_count(node)
    fields = checker.all(node.args)
    for field in fields:
        if not (isinstance(field, Member) and isinstance(field.of, Root) and field.of.which == "record"):
            raise checker.fault("E405", "changed takes fields of the record", field, "write changed(stage)")
    checker.uses.add("changed")
    return Changed(node.start, node.end, tuple(f.name for f in fields if isinstance(f, Member)))


@special("entity_of", "entity_of(link)", "The key of the entity that a link points to.", family=FAMILY)
def _entity_of(checker: Checker, node: CallNode) -> Expr:
    if len(node.args) != 1:
        raise checker.wrong_count(node)
    (of,) = checker.all(node.args)
    if of.type.kind != "record":
        raise checker.fault("E405", f"entity_of takes a link, not a {of.type}", of)
    return EntityOf(node.start, node.end, of)
