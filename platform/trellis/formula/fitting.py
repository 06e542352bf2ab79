"""Which types fit where, and the conversions that a formula need not write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.config.phrase import phrase
from trellis.config.problem import did_you_mean
from trellis.formula.functions.registry import LITERALS, TYPES
from trellis.formula.nodes.base import Expr, Literal
from trellis.formula.nodes.call import Overload, Param
from trellis.formula.nodes.convert import AsText, as_amount, as_date, as_datetime, as_money, from_json
from trellis.formula.nodes.links import Widened
from trellis.formula.types import BLANK, BOOLEAN, DATETIME, MONEY, TEXT, Type, of_any

if TYPE_CHECKING:
    from trellis.formula.checker import Checker
    from trellis.formula.syntax import Node

FROM_JSON = ("text", "number", "boolean", "date", "datetime")
_PRICES: dict[tuple[str, str], int] = {
    ("date", "datetime"): 3,
    ("number", "money"): 3,
    ("name", "text"): 2,
    ("address", "text"): 2,
}
"""What the conversions of arguments cost: the signature that needs least is taken."""


class Fitting:
    """The type rules for one check."""

    def __init__(self, checker: Checker) -> None:
        self.checker = checker

    def price_of(self, arg: Expr, param: Param) -> int | None:
        """What it costs to give the argument to the parameter; None when it does not fit."""
        have, want = arg.type.kind, param.kind
        if want == "any" or have == want:
            return 0
        if have == "blank" and not param.literal:
            return 1
        if have in ("json", "any") and want in FROM_JSON:
            return 2 + FROM_JSON.index(want)
        return _PRICES.get((have, want))

    def price(self, overload: Overload, args: list[Expr]) -> int | None:
        """What it costs to give the arguments to a signature."""
        prices = [self.price_of(a, overload.param(i)) for i, a in enumerate(args)]
        return None if any(p is None for p in prices) else sum(p for p in prices if p is not None)

    def as_kind(self, arg: Expr, kind: str) -> Expr:
        """An argument as a kind that it has a price for."""
        have = arg.type.kind
        if kind == "any" or have == kind:
            return arg
        if have == "blank":
            return Literal(arg.start, arg.end, TYPES.get(kind, TEXT), None)
        return self.converted(arg, Type(kind))  # type: ignore[arg-type]

    def converted(self, arg: Expr, want: Type) -> Expr:
        """A value by the conversion for its kind."""
        have = arg.type.kind
        if have in ("json", "any"):
            return from_json(arg, want)
        if want.kind == "datetime":
            return as_datetime(arg)
        if want.kind == "date":
            return as_date(arg)
        if want.kind == "money":
            return as_money(arg)
        return AsText(arg, spread=True)

    def literal(self, arg: Expr, name: str) -> Expr:
        """An argument that must be written as a text, one of a set."""
        if not isinstance(arg, Literal) or arg.type != TEXT:
            raise self.checker.fault(
                "E405",
                "a text must be written here",
                arg,
                phrase('such as "{what}"', what=next(iter(LITERALS[name]), "0.00")),
            )
        known = LITERALS[name]
        if known and arg.constant not in known:
            hint = did_you_mean(str(arg.constant), known)
            raise self.checker.fault(
                "E405", phrase("unknown {what} '{value}'", what=name.replace("_", " "), value=arg.constant), arg, hint
            )
        return arg

    def to(self, node: Expr, want: Type, code: str = "E405") -> Expr:
        """A value where a type is expected."""
        have = node.type
        if have == want or want.kind == "any":
            return node
        if have == BLANK:
            return Literal(node.start, node.end, want, None)
        if have.kind == "record" and want.kind == "record":
            if not want.entities or not have.entities or set(have.entities) & set(want.entities):
                return node
        elif have.kind in ("json", "any") and want.kind in FROM_JSON:
            return from_json(node, want)
        elif self._same(have, want):
            return node
        elif (have.kind, want.kind) == ("money", "number"):
            return as_amount(node)
        elif want.kind == "text" and have.kind in ("name", "address"):
            return AsText(node, spread=True)
        elif (have.kind, want.kind) in (("number", "money"), ("date", "datetime"), ("datetime", "date")):
            return self.converted(node, want)
        raise self.checker.fault(
            code,
            phrase("a {want} is expected here, not a {have}", want=want, have=have),
            node,
            self._advice(have, want),
        )

    def _same(self, have: Type, want: Type) -> bool:
        if have.kind == want.kind == "list":
            return want.item is None or have.item == want.item
        return have.kind == want.kind

    def _advice(self, have: Type, want: Type) -> str:
        if want == BOOLEAN:
            return "compare it with something, or use is_blank(x)"
        if want == TEXT and have.kind in ("number", "money", "date", "datetime", "boolean", "record"):
            return 'join it with a text: "" & x'
        if have.kind == "records":
            return "use count(…), sum(…) or first(…)"
        return ""

    def comparable(self, at: Node, left: Expr, right: Expr) -> tuple[Expr, Expr]:
        """Two values as one type; money stays beside a number, a datetime beside a date."""
        a, b = left.type, right.type
        if a == BLANK:
            return Literal(left.start, left.end, b, None), right
        if b == BLANK:
            return left, Literal(right.start, right.end, a, None)
        if a.kind in ("json", "any") and b.kind in ("json", "any"):
            return from_json(left, TEXT), from_json(right, TEXT)
        if a.kind in ("json", "any") and b.kind in FROM_JSON:
            return from_json(left, b), right
        if b.kind in ("json", "any") and a.kind in FROM_JSON:
            return left, from_json(right, a)
        if a.kind in ("name", "address"):
            left, a = AsText(left, spread=True), TEXT
        if b.kind in ("name", "address"):
            right, b = AsText(right, spread=True), TEXT
        if a.kind == b.kind == "record":
            if a.entities and b.entities and not set(a.entities) & set(b.entities):
                raise self.checker.fault("E405", phrase("a {a} is never a {b}", a=a, b=b), at)
            return left, right
        pairs = {("money", "number"), ("number", "money"), ("date", "datetime"), ("datetime", "date")}
        if a.kind == b.kind or (a.kind, b.kind) in pairs:
            return left, right
        raise self.checker.fault(
            "E405", phrase("cannot compare a {a} with a {b}", a=a, b=b), at, self._comparison_hint(a, b)
        )

    def _comparison_hint(self, a: Type, b: Type) -> str:
        kinds = {a.kind, b.kind}
        if kinds == {"duration", "number"}:
            return "date - date is a number of days; a duration compares with days(3), hours(4)"
        if "date" in kinds and kinds & {"number", "text"}:
            return "a day is written as date(2026, 12, 31)"
        if "datetime" in kinds and kinds & {"number", "text"}:
            return "a moment is written as datetime(date(2026, 12, 31), 18, 0)"
        if kinds == {"boolean", "text"}:
            return "write true or false"
        if kinds == {"text", "record"}:
            return "compare a field of the record, or the record with another"
        if "list" in kinds:
            return "use 'x in list'"
        return ""

    def common(self, at: Node, items: list[Expr]) -> tuple[Type, list[Expr]]:
        """Several values as one type: for if, case, coalesce, min and max."""
        types = [i.type for i in items if i.type != BLANK]
        if not types:
            return BLANK, items
        kinds = {t.kind for t in types}
        want = types[0]
        if kinds == {"number", "money"}:
            want = MONEY
        elif kinds == {"date", "datetime"}:
            want = DATETIME
        elif kinds == {"record"}:
            entities = dict.fromkeys(e for t in types for e in t.entities)
            want = Type("record", tuple(entities) if all(t.entities for t in types) else ())
            return want, [self._widened(i, want) for i in items]
        elif kinds <= {"text", "name", "address"} and len(kinds) > 1:
            want = TEXT
        elif kinds & {"json", "any"}:
            want = next((t for t in types if t.kind in FROM_JSON), TEXT)
        elif len(kinds) > 1:
            raise self.checker.fault(
                "E405",
                phrase("the values are of different types: {what}", what=list(dict.fromkeys(types))),
                at,
            )
        elif want.kind in ("text", "list") and all(t == want for t in types):
            want = of_any(types)
        return want, [self.to(i, want) for i in items]

    def _widened(self, item: Expr, want: Type) -> Expr:
        return item if item.type == want else Widened(item, want)
