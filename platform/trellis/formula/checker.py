"""Syntax tree to checked formula: finds what names mean and whether types fit, and reports every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from trellis.config.phrase import phrase
from trellis.config.problem import did_you_mean
from trellis.formula import limits, template
from trellis.formula.errors import Failed, FormulaError, FormulaFault
from trellis.formula.fitting import Fitting
from trellis.formula.functions.operators import BINARY, NEGATIVE
from trellis.formula.functions.registry import Function, functions
from trellis.formula.hints import calculation_hint, known_roles, known_values, name_hint, unquoted_values
from trellis.formula.naming import Frame, Naming
from trellis.formula.nodes.aggregate import Outside, within_records
from trellis.formula.nodes.base import Expr, ListOf, Literal
from trellis.formula.nodes.call import Call, Overload
from trellis.formula.nodes.compare import Compare, DayCompare, Within, WithinList
from trellis.formula.nodes.concat import Concat
from trellis.formula.nodes.convert import AsText, Spoken, as_date
from trellis.formula.nodes.logic import And, IsBlank, Not, Or
from trellis.formula.parser import parse
from trellis.formula.scope import OwnFunctions
from trellis.formula.syntax import (
    BinaryNode,
    CallNode,
    ChainNode,
    ListNode,
    LiteralNode,
    MemberNode,
    NameNode,
    Node,
    OuterNode,
    UnaryNode,
)
from trellis.formula.types import ANY, BLANK, BOOLEAN, NUMBER, TEXT, Type, list_of

if TYPE_CHECKING:
    from trellis.formula.scope import Scope

ORDERED = ("text", "number", "money", "date", "datetime", "time", "duration", "period")
EQUAL = (*ORDERED, "boolean", "record", "location")


@dataclass(frozen=True)
class Checked:
    """A formula whose types fit."""

    node: Expr
    reads: frozenset[tuple[str, ...]]
    uses: frozenset[str]
    advice: tuple[FormulaFault, ...] = ()


class Checker:
    """One check of one formula."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.faults: list[FormulaFault] = []
        self.advice: list[FormulaFault] = []
        self.reads: set[tuple[str, ...]] = set()
        self.uses: set[str] = set()
        self.frame = Frame(scope.entity)
        self.naming = Naming(self)
        self.fit = Fitting(self)

    def fault(self, code: str, message: str, at: Node | Expr, hint: str = "", start: int | None = None) -> Failed:
        """Notes a fault; the caller raises the result."""
        begin = at.start if start is None else start
        self.faults.append(FormulaFault(code, message, begin, max(at.end - begin, 1), hint))
        return Failed(message)

    def advise(self, code: str, message: str, at: Expr, hint: str = "") -> None:
        """Notes what is most likely a slip, though it fits."""
        self.advice.append(FormulaFault(code, message, at.start, max(at.end - at.start, 1), hint))

    def suggest(self, wrong: str, known: Iterable[str]) -> str:
        """The did-you-mean of a name."""
        return did_you_mean(wrong, known)

    # expressions

    def check(self, node: Node) -> Expr:
        """A node with its type; raises Failed after noting what is wrong."""
        return self._checks[type(node)](node)

    @cached_property
    def _checks(self) -> dict[type[Node], Callable[..., Expr]]:
        return {
            LiteralNode: self._literal,
            ListNode: self._list,
            NameNode: self.naming.name,
            MemberNode: self.naming.member,
            CallNode: self._call,
            UnaryNode: self._unary,
            BinaryNode: self._binary,
            ChainNode: self._chain,
            OuterNode: self._outer,
        }

    def all(self, nodes: Iterable[Node], conditions: int = 0) -> list[Expr]:
        """Several nodes, the first ones conditions: all are checked, to find every fault, before Failed is raised."""
        done: list[Expr] = []
        failed: Failed | None = None
        for index, node in enumerate(nodes):
            try:
                done.append(self.condition(node) if index < conditions else self.check(node))
            except Failed as error:
                failed = failed or error
        if failed is not None:
            raise failed
        return done

    def condition(self, node: Node) -> Expr:
        """A node that must be true or false."""
        return self.fit.to(self.check(node), BOOLEAN)

    def _outer(self, node: OuterNode) -> Expr:
        inner = self.frame
        assert inner.outer is not None
        self.frame = inner.outer
        try:
            return Outside(self.check(node.of))
        finally:
            self.frame = inner

    def _literal(self, node: LiteralNode) -> Expr:
        value = node.value
        if value is None:
            return Literal(node.start, node.end, BLANK, None)
        if isinstance(value, bool):
            return Literal(node.start, node.end, BOOLEAN, value)
        if isinstance(value, str):
            return Literal(node.start, node.end, TEXT, value)
        if len(value.as_tuple().digits) > limits.MAX_DIGITS:
            raise self.fault("E407", phrase("a number has at most {most} digits", most=limits.MAX_DIGITS), node)
        return Literal(node.start, node.end, NUMBER, value)

    def _list(self, node: ListNode) -> Expr:
        items = [self.fit.to(i, TEXT) for i in self.all(node.items)]
        return ListOf(node.start, node.end, list_of(TEXT), tuple(items))

    def _unary(self, node: UnaryNode) -> Expr:
        if node.op == "not":
            return Not(node.start, node.end, self.condition(node.of))
        of = self.check(node.of)
        if node.op == "+":
            return of
        if isinstance(of, Literal) and of.type == NUMBER:
            return Literal(node.start, node.end, NUMBER, -of.constant if of.constant else of.constant)
        return self.overloaded(NEGATIVE, node, [of], phrase("a {type} has no negative", type=of.type))

    def _chain(self, node: ChainNode) -> Expr:
        if node.op == "&":
            return Concat(node.start, node.end, tuple(self.text(i) for i in self.all(node.items)))
        items = tuple(self.all(node.items, conditions=len(node.items)))
        return (And if node.op == "and" else Or)(node.start, node.end, items)

    def text(self, of: Expr) -> Expr:
        """A value as a part of a text."""
        if of.type.kind == "json":
            of = self.fit.to(of, TEXT)
        if of.type.kind == "records" or (of.type.kind == "list" and of.type.item != TEXT):
            raise self.fault("E405", phrase("a {type} cannot be put into a text", type=of.type), of)
        if isinstance(of, Concat) or (isinstance(of, Literal) and of.type == TEXT):
            return of
        if of.type.kind == "record" and not of.is_outer:
            self.naming.read_title(of)
        return AsText(of)

    def _binary(self, node: BinaryNode) -> Expr:
        if node.op in ("in", "not in"):
            return self._within(node)
        if node.op in ("between", "not between"):
            return self._between(node)
        try:
            left, right = self.all((node.left, node.right))
        except Failed:
            unquoted_values(self, node)
            raise
        if node.op in BINARY:
            message = phrase("cannot calculate {left} {op} {right}", left=left.type, op=node.op, right=right.type)
            return self.overloaded(BINARY[node.op], node, [left, right], message, calculation_hint(node, left, right))
        return self.compare(node, node.op, left, right)

    # comparisons

    def compare(self, at: Node, op: str, left: Expr, right: Expr) -> Expr:
        """left op right, with both sides made comparable."""
        for one, other in ((left, right), (right, left)):
            if other.type == BLANK and isinstance(other, Literal):
                if op in ("==", "!="):
                    return IsBlank(at.start, at.end, one, op == "!=")
                raise self.fault("E405", "blank is neither less nor greater", at, "use is_blank(x)")
        left, right = self.fit.comparable(at, left, right)
        if op in ("==", "!="):
            known_values(self, left, right)
        kind = left.type.kind
        if kind not in EQUAL and kind != "blank":
            raise self.fault("E405", phrase("a {type} cannot be compared", type=left.type), at)
        if op not in ("==", "!=") and kind not in ORDERED:
            raise self.fault("E405", phrase("a {type} is neither less nor greater", type=left.type), at)
        if (left.type.kind, right.type.kind) == ("datetime", "date"):
            return self._days(at, op, left, right)
        if (left.type.kind, right.type.kind) == ("date", "datetime"):
            turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
            return self._days(at, turned, right, left)
        return Compare(at.start, at.end, op, left, right)

    def _days(self, at: Node, op: str, moment: Expr, day: Expr) -> Expr:
        plain = Compare(at.start, at.end, op, as_date(moment), day)
        return DayCompare(op, moment, day, plain) if day.is_outer and not moment.is_outer else plain

    def _between(self, node: BinaryNode) -> Expr:
        assert isinstance(node.right, ListNode)
        subject, low, high = self.all((node.left, *node.right.items))
        both = And(
            node.start, node.end, (self.compare(node, ">=", subject, low), self.compare(node, "<=", subject, high))
        )
        if node.op == "between":
            return both
        return Or(node.start, node.end, (self.compare(node, "<", subject, low), self.compare(node, ">", subject, high)))

    def _within(self, node: BinaryNode) -> Expr:
        negated = node.op == "not in"
        listed = node.right.items if isinstance(node.right, ListNode) else ()
        if isinstance(node.right, LiteralNode) and node.right.value is not None:
            listed = (node.right,)  # (a) is a list of one here
        if listed:
            subject, *items = self.all((node.left, *listed))
            pairs = [self.fit.comparable(node, subject, i) for i in items if i.type != BLANK]
            left = pairs[0][0] if pairs else subject
            if not isinstance(left, Literal):
                known_values(self, left, *(p[1] for p in pairs))
            if any(p[0].type != left.type for p in pairs):
                raise self.fault("E405", "the values of the list are of different types", node.right)
            return Within(node.start, node.end, left, tuple(p[1] for p in pairs), negated)
        left, right = self.all((node.left, node.right))
        if right.type.kind == "list":
            known_values(self, right, left)
            return WithinList(node.start, node.end, self.fit.to(left, right.type.item or TEXT), right, negated)
        if right.type.kind == "records":
            return within_records(self, node, left, right, negated)
        hint = "did you mean contains(text, part)?" if right.type.kind == "text" else "write a list: (a, b)"
        raise self.fault("E405", phrase("'in' needs a list, not a {type}", type=right.type), right, hint)

    # calls

    def _call(self, node: CallNode) -> Expr:
        found = functions().get(node.name)
        if found is None and isinstance(self.scope, OwnFunctions) and (own := self.scope.function(node.name)):
            return own(self, node)
        if found is None:
            for arg in node.args:
                try:
                    self.check(arg)
                except Failed:
                    continue
            hint = name_hint(node.name) or (self.suggest(node.name, functions()) if len(node.name) > 1 else "")
            raise self._unknown_function(node, hint)
        if found.special is not None:
            return found.special(self, node)
        return self.overloaded(found, node, self.all(node.args), "")

    def _unknown_function(self, node: CallNode, hint: str) -> Failed:
        self.faults.append(
            FormulaFault("E403", phrase("unknown function '{name}'", name=node.name), node.start, len(node.name), hint)
        )
        return Failed(node.name)

    def wrong_count(self, node: CallNode) -> Failed:
        """Notes a wrong number of arguments."""
        return self.fault(
            "E404",
            phrase("{name} cannot take {count} arguments", name=node.name, count=len(node.args)),
            node,
            phrase("write {usage}", usage=functions()[node.name].usage),
        )

    def overloaded(self, function: Function, at: Node, args: list[Expr], message: str, hint: str = "") -> Expr:
        """A call of the signature that fits the arguments, exactly if one does, else with conversions."""
        counted = [o for o in function.overloads if o.accepts(len(args))]
        if not counted:
            assert isinstance(at, CallNode)
            raise self.wrong_count(at)
        best: Overload | None = None
        cost = 1_000
        for overload in counted:
            price = self.fit.price(overload, args)
            if price is not None and price < cost:
                best, cost = overload, price
        if best is None:
            if message:
                raise self.fault("E405", message, at, hint)
            raise self._misfit(function, at, counted, args)
        if function.name == "has_role":
            known_roles(self, args)
        fitted = [self._argument(best, i, a) for i, a in enumerate(args)]
        self.uses.update(best.uses)
        return Call(at.start, at.end, best, fitted)

    def _argument(self, overload: Overload, index: int, arg: Expr) -> Expr:
        param = overload.param(index)
        return self.fit.literal(arg, param.literal) if param.literal else self.fit.as_kind(arg, param.kind)

    def _misfit(self, function: Function, at: Node, counted: list[Overload], args: list[Expr]) -> Failed:
        usage = phrase("write {usage}", usage=function.usage)
        for index, arg in enumerate(args):
            kinds = [o.param(index).kind for o in counted]
            if all(self.fit.price_of(arg, o.param(index)) is None for o in counted):
                wanted = tuple(Type(kind) for kind in dict.fromkeys(kinds))  # type: ignore[arg-type]
                return self.fault(
                    "E405",
                    phrase(
                        "{name} takes a {wanted} here, not a {type}", name=function.name, wanted=wanted, type=arg.type
                    ),
                    arg,
                    usage,
                )
        given = [a.type for a in args]
        return self.fault("E405", phrase("{name} does not take ({given})", name=function.name, given=given), at, usage)

    # the whole

    def finish(self, node: Expr, source: str, expected: Type | None) -> Checked:
        """The checked formula, of the expected type."""
        wants_list = expected is not None and expected.kind == "records"
        if wants_list and node.type.kind not in _LISTS:
            hint = "an inverse list or a links field, such as account.deals"
            raise self.fault(
                "E406", phrase("a list of records is expected here, not a {type}", type=node.type), node, hint
            )
        if expected is not None and expected != ANY and not wants_list:
            node = self.fit.to(node, expected, "E406")
        if node.type.kind == "records" and not wants_list:
            raise self.fault("E405", "a list of records is no value", node, "use count(…), any(…) or first(…)")
        if node.weight > limits.MAX_WEIGHT:
            raise self.fault("E407", "the formula is too complex", node, "split it into several fields")
        return Checked(node, frozenset(self.reads), frozenset(self.uses), tuple(dict.fromkeys(self.advice)))


_LISTS = ("records", "list", "json", "any")  # what can be gone through one by one


def _failed(checker: Checker, source: str) -> FormulaError:
    unique = dict.fromkeys(checker.faults)
    return FormulaError(sorted(unique, key=lambda f: (f.offset, f.length)), source)


def check_formula(source: str, scope: Scope, expected: Type | None = None) -> Checked:
    """Parses and checks a formula; raises FormulaError with every fault."""
    return check_tree(parse(source), source, scope, expected)


def check_tree(tree: Node, source: str, scope: Scope, expected: Type | None = None) -> Checked:
    """Checks a formula that is parsed already; raises FormulaError with every fault."""
    checker = Checker(scope)
    try:
        checked = checker.finish(checker.check(tree), source, expected)
    except Failed:
        raise _failed(checker, source) from None
    if checker.faults:
        raise _failed(checker, source)
    return checked


def check_template(text: str, scope: Scope) -> Checked:
    """Parses and checks a text with {formulas}; raises FormulaError with every fault."""
    checker = Checker(scope)
    parts: list[Expr] = []
    for part in template.split(text):
        if part.formula is None:
            parts.append(Literal(part.start, part.end, TEXT, part.text))
            continue
        try:
            tree = parse(part.formula)
            before, told = len(checker.faults), len(checker.advice)
            with suppress(Failed):
                written = checker.text(checker.check(tree))
                parts.append(Spoken(written.of) if isinstance(written, AsText) else written)
            checker.faults[before:] = [_shifted(f, part.start) for f in checker.faults[before:]]
            checker.advice[told:] = [_shifted(f, part.start) for f in checker.advice[told:]]
        except FormulaError as error:
            checker.faults.extend(_shifted(f, part.start) for f in error.faults)
    if checker.faults:
        raise _failed(checker, text)
    node: Expr = Literal(0, 0, TEXT, "") if not parts else Concat(0, len(text), tuple(parts))
    if len(parts) == 1 and isinstance(parts[0], Literal):
        node = parts[0]
    return checker.finish(node, text, None)


def _shifted(fault: FormulaFault, by: int) -> FormulaFault:
    return FormulaFault(fault.code, fault.message, fault.offset + by, fault.length, fault.hint)
