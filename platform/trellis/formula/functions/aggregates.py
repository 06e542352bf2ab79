"""sum, count, count_distinct, avg, any, all, first, last over lists; min and max also of several values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from trellis.config.phrase import phrase
from trellis.formula import exact
from trellis.formula.checker import Checker
from trellis.formula.functions.registry import special
from trellis.formula.naming import Frame, names_of
from trellis.formula.nodes.aggregate import Aggregate, AnyAll, Ends
from trellis.formula.nodes.base import Expr
from trellis.formula.nodes.call import Call, Overload, Param
from trellis.formula.nodes.compare import sql_compare
from trellis.formula.nodes.gathered import gathered
from trellis.formula.nodes.listed import Held, Listed, Step
from trellis.formula.nodes.paths import Place, Root
from trellis.formula.sql import values as sqlv
from trellis.formula.syntax import CallNode, MemberNode, NameNode, Node, OuterNode, parts, with_parts
from trellis.formula.types import BOOLEAN, MONEY, NUMBER, RECORDS, TEXT, Type, record_of

FAMILY = "aggregates"
ORDERED = ("number", "money", "text", "date", "datetime", "time", "duration")
SORTED = ("number", "text", "date", "datetime", "time", "duration")


@dataclass
class Found:
    """A list that an argument goes over."""

    listed: Listed
    path: tuple[str, ...]
    via: tuple[str, str] | None
    is_whole: bool  # the argument is the list itself
    reads: tuple[str, ...]


def listed_in(checker: Checker, node: Node) -> Found | None:
    """The list that an argument goes over; None when it goes over none."""
    paths = {p for n in _paths(node) if (p := _list_path(checker, n)) is not None}
    if not paths:
        return None
    if len(paths) > 1:
        both = " and ".join(".".join(p) for p in sorted(paths))
        raise checker.fault("E405", phrase("an aggregate goes over one list, not over {both}", both=both), node)
    (path,) = paths
    at = next(n for n in _paths(node) if _list_path(checker, n) == path)
    return _found(checker, node, at, path)


def _paths(node: Node) -> Iterator[Node]:
    """The dotted names in an argument, outside of aggregates of its own."""
    if names_of(node) is not None:
        yield node
        return
    if isinstance(node, CallNode) and node.name in AGGREGATES:
        return
    for part in parts(node):
        yield from _paths(part)


def _types(checker: Checker, names: list[str]) -> list[Type]:
    """The types along a path, as far as they are records."""
    scope, frame = checker.scope, checker.frame
    first = names[0]
    type_: Type | None = scope.member(record_of(frame.entity), first) if frame.entity is not None else None
    if type_ is None and first == "this" and frame.outer is not None:
        type_ = record_of(frame.outer.entity or "")
    if type_ is None and first in ("me", "my_team"):
        type_ = record_of("user" if first == "me" else "team")
    type_ = type_ or scope.name(first)
    if type_ is None and first == "this" and frame.entity is not None:
        type_ = record_of(frame.entity)
    found: list[Type] = []
    for name in [*names[1:], ""]:
        if type_ is None:
            break
        found.append(type_)
        if type_.kind not in ("record", "records") or not name:
            break
        if type_.kind == "record" and len(type_.entities) > 1 and name in type_.entities:
            type_ = record_of(name)
            continue
        steps = [t for e in type_.entities if (t := scope.member(record_of(e), name)) is not None]
        kinds = {t.kind for t in steps}
        if kinds == {"record"}:
            type_ = record_of(*dict.fromkeys(e for t in steps for e in t.entities))
        else:
            type_ = steps[0] if steps else None
    return found


def _list_path(checker: Checker, node: Node) -> tuple[str, ...] | None:
    names = names_of(node)
    assert names is not None
    types = _types(checker, names)
    last = max((i for i, t in enumerate(types) if t.kind == "records"), default=None)
    return None if last is None else tuple(names[: last + 1])


def _found(checker: Checker, whole: Node, node: Node, path: tuple[str, ...]) -> Found:
    names = names_of(node) or []
    types = _types(checker, names)
    first = next(i for i, t in enumerate(types) if t.kind == "records")
    if first == 0 and not _is_member(checker, path[0]):
        return _held(checker, whole, node, path, types)
    base = _place(checker, node, len(names), first)
    steps = tuple(Step(path[i], types[i].kind == "records", types[i].entities) for i in range(first, len(path)))
    entity = types[len(path) - 1].entities[0]
    parent = types[len(path) - 2] if len(path) > 1 else None
    owner = parent.entities[0] if parent is not None and parent.entities else checker.frame.entity or ""
    via = (owner, path[-1]) if checker.scope.columns(owner, path[-1]) else None
    before = checker.naming.path(base)
    reads = () if before is None else (*before, *path[first:])
    if reads:
        for end in range(len(before or ()) + 1, len(reads) + 1):
            checker.reads.add(reads[:end])
    is_whole = whole is node and tuple(names) == path
    return Found(Listed(base, steps, entity), path, via, is_whole, reads)


def _is_member(checker: Checker, name: str) -> bool:
    """Whether a list is the record's own, not what a variable holds."""
    entity = checker.frame.entity
    return entity is not None and checker.scope.member(record_of(entity), name) is not None


def _held(checker: Checker, whole: Node, node: Node, path: tuple[str, ...], types: list[Type]) -> Found:
    """A list that begins with a variable, such as the records that a step has found."""
    names = names_of(node) or []
    base = _place(checker, node, len(names), 1)
    steps = tuple(Step(path[i], types[i].kind == "records", types[i].entities) for i in range(1, len(path)))
    owner = types[len(path) - 2].entities[0] if len(path) > 1 else ""
    via = (owner, path[-1]) if owner and checker.scope.columns(owner, path[-1]) else None
    is_whole = whole is node and tuple(names) == path
    return Found(Held(base, steps, types[len(path) - 1].entities[0]), path, via, is_whole, ())


def _place(checker: Checker, node: Node, length: int, keep: int) -> Place:
    """The place that the first `keep` names of a path stand for."""
    if keep == 0:
        return Root(node.start, node.start, record_of(checker.frame.entity or ""), "record")
    for _ in range(length - keep):
        assert isinstance(node, MemberNode)
        node = node.of
    place = checker.check(node)
    assert isinstance(place, Place)
    return place


def _inner(node: Node, path: tuple[str, ...]) -> Node:
    """An argument as the listed records see it: their paths without the list's, everything else from outside."""
    names = names_of(node)
    if names is not None:
        if tuple(names[: len(path)]) == path and len(names) > len(path):
            return _stripped(node, len(path))
        return OuterNode(node.start, node.end, node.depth, node.size, node)
    if isinstance(node, CallNode) and node.name in AGGREGATES:
        return OuterNode(node.start, node.end, node.depth, node.size, node)
    return with_parts(node, lambda part: _inner(part, path))


def _stripped(node: Node, count: int) -> Node:
    assert isinstance(node, MemberNode)
    names = names_of(node.of) or []
    if len(names) == count:
        return NameNode(node.name_start, node.end, 1, 1, node.name)
    return replace(node, of=_stripped(node.of, count))


def _parts(checker: Checker, node: CallNode, found: Found) -> tuple[Expr | None, Expr | None, Expr | None]:
    """The value, the condition and what the records are ordered by, as the listed records see them."""
    outer = checker.frame
    checker.frame = Frame(found.listed.entity, outer, found.via, found.reads)
    try:
        of = None if found.is_whole else checker.check(_inner(node.args[0], found.path))
        condition = checker.condition(node.args[1]) if len(node.args) > 1 else None
        by = checker.check(node.args[2]) if len(node.args) > 2 else None
    finally:
        checker.frame = outer
    return of, condition, by


def _over_list(checker: Checker, node: CallNode, measure: str) -> Expr:
    if (rows := _rows(checker)) is not None:
        return gathered(checker, node, measure, rows)
    most = 3 if measure in ("first", "last") else 2
    if not 1 <= len(node.args) <= most:
        raise checker.wrong_count(node)
    found = listed_in(checker, node.args[0])
    if found is None:
        subject = checker.check(node.args[0])
        if subject.type.kind == "list" and len(node.args) == 1 and measure in _OF_VALUES:
            return _of_values(node, measure, subject)
        raise checker.fault(
            "E405",
            phrase("{measure} goes over an inverse list or a links field", measure=measure),
            node.args[0],
            phrase("write {measure}(lines.field, condition)", measure=measure),
        )
    of, condition, by = _parts(checker, node, found)
    if measure in ("any", "all"):
        if of is None and condition is not None:
            of, condition = condition, None
        if of is None and measure == "all":
            raise checker.wrong_count(node)
        if of is not None:
            of = checker.fit.to(of, BOOLEAN)
        return AnyAll(node.start, node.end, measure, found.listed, of, condition)
    if measure in ("first", "last"):
        if by is not None and by.type.kind not in SORTED:
            raise checker.fault(
                "E405", phrase("{measure} is not ordered by a {type}", measure=measure, type=by.type), node.args[2]
            )
        return Ends(node.start, node.end, measure, found.listed, of, condition, by)
    if measure == "count":
        return Aggregate(node.start, node.end, NUMBER, measure, found.listed, of, condition)
    if measure == "count_distinct":
        of = of or Root(node.start, node.end, record_of(found.listed.entity), "record")
        return Aggregate(node.start, node.end, NUMBER, measure, found.listed, of, condition)
    takes = ("number", "money", "duration") if measure in ("sum", "avg", "median") else ORDERED
    if of is None or of.type.kind not in takes:
        what = of.type if of is not None else RECORDS
        raise checker.fault(
            "E405",
            phrase("{measure} takes a number, money or duration of the list, not a {what}", measure=measure, what=what),
            node.args[0],
            phrase("write {measure}(lines.field)", measure=measure),
        )
    if of.type == MONEY:
        checker.uses.add("rates")
    return Aggregate(node.start, node.end, of.type, measure, found.listed, of, condition)


def _rows(checker: Checker) -> str | None:
    """The entity whose records a report's measure goes over, where the check stands outside of them."""
    return getattr(checker.scope, "rows", None) if checker.frame.entity is None else None


def _gathers(node: Node) -> bool:
    """Whether there is an aggregate in a part of a measure."""
    return (isinstance(node, CallNode) and node.name in AGGREGATES) or any(_gathers(part) for part in parts(node))


def _items(value: Any) -> Any:
    """An array in parentheses, so that it can be indexed."""
    return sa.sql.elements.Grouping(value)


_OF_VALUES = {
    "count": Overload(
        (Param("list"),),
        NUMBER,
        lambda v: exact.decimal(len(v)),
        lambda s, v: sa.cast(sa.func.cardinality(v), sa.Numeric()),
    ),
    "first": Overload((Param("list"),), TEXT, lambda v: v[0] if v else None, lambda s, v: _items(v)[1]),
    "last": Overload(
        (Param("list"),), TEXT, lambda v: v[-1] if v else None, lambda s, v: _items(v)[sa.func.cardinality(v)]
    ),
}


def _of_values(node: CallNode, measure: str, subject: Expr) -> Expr:
    overload = _OF_VALUES[measure]
    if measure == "count":
        overload = replace(
            overload,
            blanks=True,
            python=lambda v: exact.decimal(len(v or ())),
            sql=lambda s, v: sa.cast(sa.func.coalesce(sa.func.cardinality(v), 0), sa.Numeric()),
        )
    item = subject.type.item or TEXT
    return Call(node.start, node.end, overload, [subject], overload.result if measure == "count" else item)


def _extreme(checker: Checker, node: CallNode, measure: str) -> Expr:
    """min and max: over a list, or of the values given, of which blanks do not count."""
    if not node.args:
        raise checker.wrong_count(node)
    if (rows := _rows(checker)) is not None and not any(_gathers(arg) for arg in node.args):
        return gathered(checker, node, measure, rows)
    if len(node.args) <= 2 and listed_in(checker, node.args[0]) is not None:
        return _over_list(checker, node, measure)
    type_, items = checker.fit.common(node, checker.all(node.args))
    if type_.kind not in ORDERED:
        raise checker.fault("E405", phrase("{measure} does not take a {type}", measure=measure, type=type_), node)
    return Call(node.start, node.end, _EXTREMES[measure, type_.kind == "money"], items, type_)


def _pick(choose: Any) -> Any:
    def pick(*values: Any) -> Any:
        return choose((v for v in values if v is not None), default=None)

    return pick


def _pick_sql(function: Any) -> Any:
    def pick(scope: Any, *values: Any) -> Any:
        first = values[0]
        if isinstance(first.type, sa.String):
            return function(*(v.collate("C") for v in values), type_=sa.Text())
        if isinstance(first.type, (sa.Numeric, sa.Integer)):
            return function(*(sqlv.numeric(v) for v in values), type_=sa.Numeric())
        return function(*values, type_=first.type)

    return pick


def _pick_money(choose: Any) -> Any:
    from trellis.formula import money

    def pick(env: Any, *values: Any) -> Any:
        best = None
        for value in values:
            if value is None:
                continue
            pair = None if best is None else money.comparable(value, best, env.reader)
            if best is None or (pair is not None and pair[0] != pair[1] and choose(pair) == pair[0]):
                best = value
        return best

    return pick


def _pick_money_sql(is_less: bool) -> Any:
    def pick(scope: Any, *values: Any) -> Any:
        best = values[0]
        for value in values[1:]:
            better = sa.func.coalesce(sql_compare("<" if is_less else ">", value, best, MONEY, MONEY), sa.false())
            best = sqlv.choose(sa.or_(best.amount.is_(None), better), value, best)
        return best

    return pick


_MANY = (Param("any"), Param("any", True, True))
_EXTREMES = {
    ("min", False): Overload(_MANY, NUMBER, _pick(min), _pick_sql(sa.func.least), blanks=True),
    ("max", False): Overload(_MANY, NUMBER, _pick(max), _pick_sql(sa.func.greatest), blanks=True),
    ("min", True): Overload(_MANY, MONEY, _pick_money(min), _pick_money_sql(True), env=True, blanks=True, times=6),
    ("max", True): Overload(_MANY, MONEY, _pick_money(max), _pick_money_sql(False), env=True, blanks=True, times=6),
}

AGGREGATES = {
    "sum": ("sum(lines.amount, condition)", "The sum, money in the tenant's currency; of nothing 0."),
    "count": ("count(lines, condition)", "How many records, or how many values that are not blank; of nothing 0."),
    "count_distinct": ("count_distinct(lines.product, condition)", "How many different values; blanks do not count."),
    "avg": ("avg(lines.amount, condition)", "The mean of the values that are not blank; of nothing blank."),
    "min": ("min(lines.amount, condition) or min(a, b, …)", "The least value; blanks do not count."),
    "max": ("max(lines.amount, condition) or max(a, b, …)", "The greatest value; blanks do not count."),
    "median": (
        "median(lines.amount, condition)",
        "The middle value, of two in the middle their mean; of nothing blank.",
    ),
    "any": ("any(lines, condition)", "Does the condition hold for one record at least? Of nothing, no."),
    "all": ("all(lines, condition)", "Does the condition hold for every record? Of nothing, yes."),
    "first": (
        "first(lines, condition, by)",
        "The first record, or a field of it; `by` a value, else by position or creation.",
    ),
    "last": (
        "last(lines, condition, by)",
        "The last record, or a field of it; `by` a value, else by position or creation.",
    ),
}


def _register() -> None:
    for name, (usage, doc) in AGGREGATES.items():
        check = _extreme if name in ("min", "max") else _over_list
        special(name, usage, doc, family=FAMILY)(lambda c, n, check=check, name=name: check(c, n, name))  # type: ignore[misc]


_register()
