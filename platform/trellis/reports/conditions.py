"""A report's filter for what a reader has chosen: to run, and as a text that a list takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from trellis.formula.formula import Formula, FormulaError, compile_tree
from trellis.formula.nodes.gathered import GATHERS
from trellis.formula.parser import parse
from trellis.formula.pruning import SPACE, params_in, prune
from trellis.formula.rows import RowsScope
from trellis.formula.syntax import (
    BinaryNode,
    CallNode,
    ChainNode,
    ListNode,
    LiteralNode,
    MemberNode,
    NameNode,
    Node,
    UnaryNode,
    with_parts,
)
from trellis.formula.types import BOOLEAN, Money, Ref, Type, Value
from trellis.model.reports.keys import literal, quoted
from trellis.records.reading.concealed import conceals
from trellis.records.reading.filtering import Asked
from trellis.records.reading.scope import ReaderScope
from trellis.records.refusal import Fault, Refused
from trellis.reports.result import Behind

if TYPE_CHECKING:
    from trellis.model.compile.reports.kinds.matched import TargetSpec
    from trellis.model.reports.report import Condition, Measure, Report
    from trellis.records.store import Store
    from trellis.reports.params import Chosen


class ParamScope(ReaderScope):
    """What a reader may name, and the report's params."""

    params: Mapping[str, Type]

    @classmethod
    def of(cls, store: Store, report: Report, entity: str | None = None) -> ParamScope:
        """The scope of a report's formulas for the reader of a store."""
        session = store.session
        scope = cls(session.model, entity or report.entity, session.permit)
        scope.params = {f"param.{key}": p.field.type.formula_type() for key, p in report.params.items()}
        return scope

    def name(self, name: str) -> Type | None:
        """The type of a name."""
        return self.params.get(name) or super().name(name)


def where(
    store: Store, report: Report, condition: Condition | None, chosen: Chosen, entity: str | None = None
) -> tuple[Formula | str, ...]:
    """The filter to run; what asks for a param is read with the reader's eyes. Raises Refused."""
    if condition is None:
        return ()
    tree = parse(condition.source)
    if not report.is_own and not any(True for _ in params_in(tree)):
        return (condition.formula,)
    kept = prune(tree, chosen.unset(report))
    if kept is None:
        return ()
    found = _compiled(store, report, kept, condition.source, entity)
    return (Asked(found.source, found.node, found.type, found.reads, found.uses),)


def _compiled(store: Store, report: Report, tree: Node, source: str, entity: str | None) -> Formula:
    try:
        return compile_tree(tree, source, ParamScope.of(store, report, entity), expected=BOOLEAN)
    except FormulaError as error:
        message = "This report is filtered by something that you may not see."
        raise Refused([Fault("hidden", message)]) from error


def settled(store: Store, report: Report, measure: Measure, chosen: Chosen, entity: str | None = None) -> Measure:
    """A measure without the comparisons that name a param which is not set."""
    unset = chosen.unset(report)
    tree = parse(measure.formula.source)
    if not any(name in unset for name in params_in(tree)):
        return measure
    kept = _without(tree, unset)
    formula = compile_tree(kept, measure.formula.source, RowsScope(ParamScope.of(store, report, entity)))
    return replace(measure, formula=formula)


def _without(node: Node, unset: frozenset[str]) -> Node:
    if not (isinstance(node, CallNode) and node.name in GATHERS and node.args):
        return with_parts(node, lambda part: _without(part, unset))
    first, *rest = node.args
    if node.name == "count" and not rest:
        only = prune(first, unset)
        return replace(node, args=() if only is None else (only,))
    kept = [k for arg in rest if (k := prune(arg, unset)) is not None]
    return replace(node, args=(first, *kept))


# ── as text ──────────────────────────────────────────────────────────────────────────────────────────────────


def of_matched(store: Store, report: Report, chosen: Chosen, spec: TargetSpec, path: Sequence[Value]) -> Behind | None:
    """The records of another entity that meet a report's groups; None where their filter is kept from the reader."""
    own = spec.filter
    if own is not None and conceals(store.session, spec.entity, own.formula):
        return None
    texts = [] if own is None else [text_of(own.source, report, chosen)]
    texts += [k.condition(v, store.principal.reader) for k, v in zip(spec.keys, path, strict=False)]
    return Behind(tuple(t for t in texts if t), spec.entity)


def text_of(source: str, report: Report, chosen: Chosen) -> str:
    """A condition with the params' values in their places, as somebody could type it."""
    kept = prune(parse(source), chosen.unset(report))
    return "" if kept is None else write(kept, source, chosen.values)


def write(node: Node, source: str, values: Mapping[str, Value]) -> str:
    """A part of a formula as text. Parentheses are not nodes: they are written where a part needs them."""
    match node:
        case MemberNode():
            if isinstance(node.of, NameNode) and node.of.name == SPACE:
                return value_text(values.get(node.name))
            return f"{_inside(node.of, source, values)}.{node.name}"
        case LiteralNode() | NameNode():
            return source[node.start : node.end]
        case ListNode():
            return "(" + ", ".join(write(i, source, values) for i in node.items) + ")"
        case CallNode():
            return f"{node.name}({', '.join(write(a, source, values) for a in node.args)})"
        case UnaryNode():
            return f"{node.op} {_inside(node.of, source, values)}"
        case BinaryNode():
            if isinstance(found := _param(node.right, values), Ref):  # a record has no other name in a text
                return f"{_inside(node.left, source, values)}.id {node.op} {quoted(str(found.id))}"
            right = write(node.right, source, values)
            if not isinstance(node.right, ListNode):
                right = _inside(node.right, source, values)
            return f"{_inside(node.left, source, values)} {node.op} {right}"
        case ChainNode():
            return f" {node.op} ".join(_inside(i, source, values) for i in node.items)
    return source[node.start : node.end]


def _param(node: Node, values: Mapping[str, Value]) -> Value:
    is_param = isinstance(node, MemberNode) and isinstance(node.of, NameNode) and node.of.name == SPACE
    return values.get(node.name) if is_param and isinstance(node, MemberNode) else None


def _inside(node: Node, source: str, values: Mapping[str, Value]) -> str:
    text = write(node, source, values)
    return f"({text})" if isinstance(node, UnaryNode | BinaryNode | ChainNode) else text


def value_text(value: Value) -> str:
    """A value as a formula writes it; a record by its id."""
    if value is None:
        return "blank"
    if isinstance(value, Money):
        return f"{value.amount}"
    if isinstance(value, Ref):
        return quoted(str(value.id))
    if isinstance(value, tuple):
        return "(" + ", ".join(value_text(v) for v in value) + ")"
    return literal(value)


def both(*conditions: str) -> str:
    """Conditions that all hold, as one."""
    given = [c for c in conditions if c]
    return given[0] if len(given) == 1 else " and ".join(f"({c})" for c in given)
