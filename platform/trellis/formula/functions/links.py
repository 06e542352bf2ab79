"""changed, entity_of, in_tree."""

from __future__ import annotations

from trellis.config.phrase import phrase
from trellis.formula.checker import Checker
from trellis.formula.functions.registry import special
from trellis.formula.nodes.base import Expr
from trellis.formula.nodes.changed import Changed
from trellis.formula.nodes.links import EntityOf
from trellis.formula.nodes.paths import Member, Root
from trellis.formula.nodes.tree import InTree
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
        raise checker.fault("E405", phrase("entity_of takes a link, not a {type}", type=of.type), of)
    return EntityOf(node.start, node.end, of)


@special(
    "in_tree",
    "in_tree(link, top)",
    "Is the linked record the top, or below it in its tree? The top is a record or an id, the same for every row.",
    family=FAMILY,
)
def _in_tree(checker: Checker, node: CallNode) -> Expr:
    if len(node.args) != 2:
        raise checker.wrong_count(node)
    of, top = checker.all(node.args)
    if of.type.kind != "record" or len(of.type.entities) != 1:
        raise checker.fault("E405", phrase("in_tree takes a link to one entity, not a {type}", type=of.type), of)
    entity = of.type.entities[0]
    parent = checker.scope.tree(entity)
    if parent is None:
        hint = "a tree is made by a link of an entity to itself with tree: true"
        raise checker.fault("E405", phrase("{entity} is no tree", entity=entity), of, hint)
    if not (top.type.kind == "text" or (top.type.kind == "record" and top.type.entities == (entity,))):
        raise checker.fault(
            "E405", phrase("the top is a record of {entity} or its id, not a {type}", entity=entity, type=top.type), top
        )
    if not top.is_outer:
        raise checker.fault(
            "E405",
            "the top must be the same for every record",
            top,
            "name it by this., me, a setting or an id",
        )
    checker.reads.add((*_path_of(of), parent))
    return InTree(node.start, node.end, of, top, parent)


def _path_of(link: Expr) -> tuple[str, ...]:
    """The names that lead to a link."""
    names: list[str] = []
    at: Expr | None = link
    while isinstance(at, Member):
        names.insert(0, at.name)
        at = at.of
    return tuple(names) if isinstance(at, Root) and at.which == "record" else ("this", *names)
