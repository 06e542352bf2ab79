"""What people who know another language most likely meant, and values that a field never has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trellis.config.phrase import phrase
from trellis.config.problem import did_you_mean
from trellis.formula.errors import Failed
from trellis.formula.nodes.base import Expr, Literal
from trellis.formula.syntax import MemberNode, NameNode
from trellis.formula.types import TEXT

if TYPE_CHECKING:
    from trellis.formula.checker import Checker
    from trellis.formula.syntax import BinaryNode

_MEANT = {
    "null": "write blank",
    "none": "write blank",
    "nil": "write blank",
    "empty": "write blank, or is_blank(x)",
    "yes": "write true",
    "no": "write false",
    "user": "the reader is me",
    "current_user": "the reader is me",
    "record": "the record's own fields are named plainly: amount",
    "self": "the record's own fields are named plainly: amount",
    "iif": "write if(condition, then, else)",
    "ifs": "write case(condition, result, …, else)",
    "switch": "write case(x, value, result, …, else)",
    "isnull": "write is_blank(x)",
    "isempty": "write is_blank(x)",
    "countif": "write count(list, condition)",
    "sumif": "write sum(list.field, condition)",
    "concat": "join texts with &",
    "concatenate": "join texts with &",
    "substring": "write mid(text, from, length)",
    "datediff": "date - date is a number of days",
    "dateadd": "write date + days(3)",
}


def name_hint(name: str) -> str:
    """What a name that is not known is called here."""
    from trellis.formula.functions.registry import functions

    small = name.lower()
    if small != name and small in functions():
        return phrase("write {usage}", usage=functions()[small].usage)
    if small != name and small in ("true", "false", "and", "or", "not", "in", "blank", "between"):
        return phrase("write {small}", small=small)
    return _MEANT.get(small, "")


def calculation_hint(node: BinaryNode, left: Expr, right: Expr) -> str:
    """How two values are put together that no sign calculates with."""
    kinds = {left.type.kind, right.type.kind}
    if node.op == "+" and "text" in kinds:
        return "join texts with &"
    if node.op in ("+", "-") and kinds == {"datetime", "number"}:
        return "write days(3) or hours(4) for a length of time"
    return ""


def known_values(checker: Checker, field: Expr, *others: Expr) -> None:
    """Advise where a field of given values is compared with a text that is none of them."""
    for one, other in [(field, o) for o in others] + [(o, field) for o in others]:
        item = one.type.item if one.type.kind == "list" else one.type
        if item is None or item.choices is None or not isinstance(other, Literal) or other.type != TEXT:
            continue
        value = other.constant
        if value is None or value in item.choices:
            continue
        meant = next((k for k, label in item.choices.items() if str(label).casefold() == str(value).casefold()), None)
        hint = (
            phrase("did you mean '{meant}'?", meant=meant)
            if meant is not None
            else did_you_mean(str(value), item.choices)
        )
        checker.advise(
            "W608", phrase("'{value}' is not one of the choices, so this is never equal", value=value), other, hint
        )


def unquoted_values(checker: Checker, node: BinaryNode) -> None:
    """Say of a name that is not known that it is a value of the field it stands beside: `status == open`."""
    for one, other in ((node.left, node.right), (node.right, node.left)):
        if not isinstance(other, NameNode) or not isinstance(one, NameNode | MemberNode):
            continue
        told = len(checker.faults)
        try:
            known = checker.check(one).type.choices or ()
        except Failed:
            del checker.faults[told:]
            continue
        if other.name in known:
            unknown = [f for f in checker.faults if f.code == "E402" and f.offset == other.start]
            for fault in unknown:
                at = checker.faults.index(fault)
                checker.faults[at] = replace(
                    fault, hint=phrase('a value is written in quotes: "{name}"', name=other.name)
                )


def known_roles(checker: Checker, names: list[Expr]) -> None:
    """Advise where a role is asked for that there is not."""
    known = checker.scope.roles()
    for name in names:
        if known is not None and isinstance(name, Literal) and name.constant not in (None, *known):
            hint = did_you_mean(str(name.constant), known)
            checker.advise("W609", phrase("there is no role '{value}'", value=name.constant), name, hint)
