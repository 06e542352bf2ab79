"""if, case, coalesce, is_blank."""

from __future__ import annotations

from trellis.formula.checker import Checker
from trellis.formula.functions.registry import special
from trellis.formula.nodes.base import Expr, Literal
from trellis.formula.nodes.logic import Choose, Coalesce, IsBlank
from trellis.formula.syntax import CallNode
from trellis.formula.types import BLANK, BOOLEAN

FAMILY = "choosing"


@special("if", "if(condition, then, else)", "One value or the other; without `else`, blank.", family=FAMILY)
def _if(checker: Checker, node: CallNode) -> Expr:
    if len(node.args) not in (2, 3):
        raise checker.wrong_count(node)
    condition, *results = checker.all(node.args, conditions=1)
    if len(results) == 1:
        results.append(Literal(node.end, node.end, BLANK, None))
    type_, results = checker.fit.common(node, results)
    return Choose(node.start, node.end, type_, (condition,), (results[0],), results[1])


@special(
    "case",
    "case(x, value, result, …, else)",
    "The result after the first value that equals x; or, with conditions, after the first that is true. "
    "Without `else`, blank.",
    family=FAMILY,
    example='case(priority, "high", 3, "normal", 2, 1)',
)
def _case(checker: Checker, node: CallNode) -> Expr:
    if len(node.args) < 2:
        raise checker.wrong_count(node)
    args = checker.all(node.args)
    if args[0].type == BOOLEAN and (len(args) < 3 or args[1].type != BOOLEAN or len(args) % 2):
        pairs, conditions = args, [checker.fit.to(a, BOOLEAN) for a in args[: len(args) // 2 * 2 : 2]]
    else:
        subject, *pairs = args
        if len(pairs) < 2:
            raise checker.wrong_count(node)
        values = zip(node.args[1::2], pairs[: len(pairs) // 2 * 2 : 2], strict=False)
        conditions = [checker.compare(at, "==", subject, v) for at, v in values]
    results = pairs[1 : len(conditions) * 2 : 2]
    otherwise = pairs[-1] if len(pairs) % 2 else Literal(node.end, node.end, BLANK, None)
    type_, found = checker.fit.common(node, [*results, otherwise])
    return Choose(node.start, node.end, type_, tuple(conditions), tuple(found[:-1]), found[-1])


@special("coalesce", "coalesce(a, b, …)", "The first value that is not blank.", family=FAMILY)
def _coalesce(checker: Checker, node: CallNode) -> Expr:
    if not node.args:
        raise checker.wrong_count(node)
    type_, items = checker.fit.common(node, checker.all(node.args))
    return Coalesce(node.start, node.end, type_, tuple(items))


@special(
    "is_blank",
    "is_blank(x)",
    "Is there no value? A text without characters and an empty list are blank.",
    family=FAMILY,
)
def _is_blank(checker: Checker, node: CallNode) -> Expr:
    if len(node.args) != 1:
        raise checker.wrong_count(node)
    from trellis.formula.functions.aggregates import listed_in
    from trellis.formula.nodes.aggregate import AnyAll
    from trellis.formula.nodes.logic import Not

    listed = listed_in(checker, node.args[0])
    if listed is not None and listed.is_whole:
        return Not(node.start, node.end, AnyAll(node.start, node.end, "any", listed.listed, None, None))
    return IsBlank(node.start, node.end, checker.check(node.args[0]))
