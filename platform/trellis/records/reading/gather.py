"""Groups of records with their measures and totals: one statement under the reader's permissions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from trellis.formula.formula import Formula
from trellis.formula.nodes.gathered import Gathered
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.gathering import BASE, Gathering, GatherScope, can_part
from trellis.formula.sql.scope import SqlMoney
from trellis.formula.types import Money, Ref, Value
from trellis.records.reading.filtering import compile_all, require_readable, restrict
from trellis.records.reading.patient import rows_of
from trellis.records.reading.selection import Selection
from trellis.records.refusal import Fault, Refused

if TYPE_CHECKING:
    from trellis.model.reports.keys import Key
    from trellis.records.session import Session

Column = ColumnElement[Any]
MOST_GROUPS = 20_000


@dataclass(frozen=True)
class Top:
    """Only the groups of the first key that are first by a measure; the others are put together in one."""

    count: int
    measure: int
    descending: bool = True


@dataclass(frozen=True)
class Question:
    """What is asked: records of an entity, what they are grouped by, what each group is measured by.

    `sets`: which keys make a group together, for each kind of total; () is the total of everything.
    """

    entity: str
    where: tuple[Formula | str, ...] = ()
    keys: tuple[Key, ...] = ()
    measures: tuple[Formula, ...] = ()
    sets: tuple[tuple[int, ...], ...] = ((),)
    variables: Mapping[str, Value] = field(default_factory=dict)
    top: Top | None = None
    most: int = MOST_GROUPS
    union: tuple[Question, ...] = ()  # the same of several entities, whose rows are put together


@dataclass(frozen=True)
class Bundle:
    """A group: the keys that make it, their values, its measures. `is_rest`: what a limit put together."""

    made_of: tuple[int, ...]
    keys: tuple[Value, ...]
    values: tuple[Value, ...]
    is_rest: bool = False


def gather(session: Session, question: Question) -> list[Bundle]:
    """The groups with their measures. Raises Refused, Forbidden, Missing."""
    for each in question.union or (question,):
        require_readable(session, each.entity)
    statement, widths = _statement(session, question)
    rows = rows_of(session, statement.limit(question.most + 1))
    if len(rows) > question.most:
        message = "There are more than {most} groups. Narrow the report, or group by less."
        raise Refused([Fault("groups", message, None, {"most": question.most})])
    return [_bundle(session, question, widths, row) for row in rows]


def grouped(session: Session, question: Question) -> sa.Subquery:
    """The groups as rows of a statement around them: `k0` … their keys, `v0_0` … their measures."""
    for each in question.union or (question,):
        require_readable(session, each.entity)
    return _statement(session, question)[0].subquery()


def _statement(session: Session, question: Question) -> tuple[sa.Select[Any], list[int]]:
    made = [_rows(session, each, question) for each in question.union or (question,)]
    first = made[0]
    base = first.base if len(made) == 1 else sa.union_all(*(rows.base for rows in made))
    source, names = _limited(base, question, first.names, first.measured)
    return _totals(first.selection, question, source, names, first.measured), [len(n) for n in names]


@dataclass(frozen=True)
class _Rows:
    """What is totalled of one entity: its rows, and the measures of them, which are the same for every entity."""

    selection: Selection
    base: sa.Select[Any]
    names: list[list[str]]
    measured: list[list[Column]]


def _rows(session: Session, question: Question, whole: Question) -> _Rows:
    selection = Selection(session, question.entity, variables=question.variables)
    scope = selection.scope
    conditions = restrict(selection, compile_all(session, question.entity, question.where), many=True)
    keys = [_alike(key, key.columns(scope), like) for key, like in zip(question.keys, whole.keys, strict=True)]
    in_parts = all(can_part(n.measure) for m in question.measures for n in measures_in(m))
    gathering = Gathering(scope, in_parts, is_united=bool(whole.union))
    outer = GatherScope(gathering)
    measured = [_parts(m.sql(outer)) for m in question.measures]
    names = [[f"k{n}" if not at else f"k{n}_{at}" for at in range(len(columns))] for n, columns in enumerate(keys)]
    flat = [c.label(name) for columns, labels in zip(keys, names, strict=True) for c, name in _pairs(columns, labels)]
    base: sa.Select[Any] = sa.select(*flat, *gathering.labelled()).select_from(selection.source()).where(*conditions)
    if not flat and not gathering.columns:
        base = base.add_columns(sa.literal_column("1").label("one"))
    if gathering.in_parts and flat:
        base = base.group_by(*(c.element for c in flat))
    return _Rows(selection, base, names, measured)


def _alike(key: Key, columns: list[Column], like: Key) -> list[Column]:
    """The columns of a key in the shape of the union's: a link to one entity beside one that may lead to several."""
    if like.type.kind == "record" and len(like.type.entities) != 1 and len(columns) == 1:
        return [*columns, sa.literal(key.type.entities[0], sa.Text())]
    return columns


def _limited(
    base: sa.Select[Any] | sa.CompoundSelect[Any],
    question: Question,
    names: list[list[str]],
    measured: list[list[Column]],
) -> tuple[sa.FromClause, list[list[str]]]:
    """The rows to total; with a limit, those of the groups beyond it under one blank key that is marked."""
    if question.top is None or not names:
        return base.subquery(BASE), names
    top, first = question.top, names[0]
    rows = base.cte("gathered")
    seen = rows.alias(BASE)
    by = measured[top.measure][0]
    ordered = by.desc().nulls_last() if top.descending else by.asc().nulls_last()
    best = sa.select(*(seen.c[n] for n in first)).select_from(seen).group_by(*(seen.c[n] for n in first))
    best = best.order_by(ordered, *(seen.c[n] for n in first)).limit(top.count)
    tops = best.add_columns(sa.true().label("hit")).subquery("tops")
    same = sa.and_(*(rows.c[n].is_not_distinct_from(tops.c[n]) for n in first))
    kept = [sa.case((tops.c.hit, rows.c[n])).label(n) for n in first]
    others = [c for c in rows.c if c.name not in first]
    ranked = sa.select(*kept, tops.c.hit.is_(None).label("rest"), *others).select_from(rows.outerjoin(tops, same))
    return ranked.subquery(BASE), [[*first, "rest"], *names[1:]]


def _totals(
    selection: Selection,
    question: Question,
    source: sa.FromClause,
    names: list[list[str]],
    measured: list[list[Column]],
) -> sa.Select[Any]:
    flat = [name for labels in names for name in labels]
    columns = [source.c[name].label(name) for name in flat]
    values = [c.label(f"v{n}_{at}") for n, parts in enumerate(measured) for at, c in enumerate(parts)]
    first = [labels[0] for labels in names]
    bits = f"grouping({', '.join(f'{BASE}.{name}' for name in first)})" if first else "0"
    found = sa.select(sa.literal_column(bits, sa.Integer()).label("bits"), *columns, *values).select_from(source)
    if flat:
        sets = ", ".join(
            "(" + ", ".join(f"{BASE}.{name}" for at in made for name in names[at]) + ")" for made in question.sets
        )
        found = found.group_by(sa.text(f"GROUPING SETS ({sets})"))
    rows = found.subquery("found")
    titles = [_title(selection, question.keys[n], rows, labels).label(f"t{n}") for n, labels in enumerate(names)]
    return sa.select(*rows.c, *titles)


def _title(selection: Selection, key: Key, rows: sa.Subquery, labels: list[str]) -> Column:
    """What names the record that a group is made by."""
    if key.type.kind != "record":
        return sa.null()
    entities = key.type.entities
    if len(entities) == 1:
        return selection.title_query(entities[0], rows.c[labels[0]])
    targets = entities or tuple(selection.session.model.entities)
    which, id = rows.c[labels[1]], rows.c[labels[0]]
    return sa.case(*((which == t, selection.title_query(t, id)) for t in targets), else_=None)


def _pairs(columns: list[Column], names: list[str]) -> Iterator[tuple[Column, str]]:
    return zip(columns, names, strict=True)


def _parts(value: Any) -> list[Column]:
    return [value.base] if isinstance(value, SqlMoney) else list(sqlv.parts(value))


def _bundle(session: Session, question: Question, widths: list[int], row: Sequence[Any]) -> Bundle:
    count = len(question.keys)
    bits: int = row[0]
    made_of = tuple(n for n in range(count) if not bits >> (count - 1 - n) & 1)
    at, keys, titles = 1, [], len(row) - count
    is_rest = bool(question.top is not None and 0 in made_of and row[widths[0]])
    for n, key in enumerate(question.keys):
        value = key.read(row[at : at + widths[n]], session.reader) if n in made_of else None
        if isinstance(value, Ref):
            value = Ref(value.entity, value.id, row[titles + n])
        keys.append(value)
        at += widths[n]
    values = [_value(session, m, row[at + n]) for n, m in enumerate(question.measures)]
    return Bundle(made_of, tuple(keys), tuple(values), is_rest)


def _value(session: Session, measure: Formula, value: Any) -> Value:
    if measure.type.kind == "money" and value is not None:
        return Money(value, session.reader.currency, value)
    return value


def measures_in(formula: Formula) -> Iterator[Gathered]:
    """The aggregates that a measure is made of."""
    waiting: list[Any] = [formula.node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Gathered):
            yield node
            continue
        for cls in type(node).__mro__:
            for name in getattr(cls, "__slots__", ()):
                part = getattr(node, name, None)
                waiting += [p for p in (part if isinstance(part, tuple | list) else (part,)) if hasattr(p, "is_outer")]
