"""Groups within groups, with measures, subtotals and a total."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

import sqlalchemy as sa

from trellis.formula.types import Value
from trellis.model.reports.keys import Key
from trellis.model.text import Text
from trellis.records.reading.filtering import compile_filter
from trellis.records.reading.gather import Bundle, Top
from trellis.reports.asking import Asking, number, with_total
from trellis.reports.counted import Counted, condition
from trellis.reports.drawing import draw
from trellis.reports.levels import REST, Path, by_parent
from trellis.reports.over import LINE, OVER, behind_over
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Behind, Line

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope


OTHER, OTHERS = Text("Other"), "others"
AT_TOTAL = ("running", "share")
LONGEST = 1500  # characters of a filter that names what is shown


@report_kind("summary")
class Summary:
    """Groups × measures."""

    charts: ClassVar[tuple[str, ...]] = (
        "bar",
        "line",
        "area",
        "pie",
        "donut",
        "funnel",
        "scatter",
        "heatmap",
        "treemap",
        "sankey",
        "map",
        "gauge",
    )

    def answer(self, asking: Asking) -> Answer:
        """The answer: one statement with every subtotal."""
        report, keys = asking.report, asking.report.groups
        sets = dict.fromkeys(with_total(keys))
        sets |= dict.fromkeys([(n,) for n in range(len(keys))])  # a chart may go by any of them, or by any two
        sets |= dict.fromkeys(combinations(range(len(keys)), 2))
        bundles = asking.gather(sets=tuple(sets), top=_top(asking))
        headings = (
            *(asking.key_heading(k) for k in keys),
            *(asking.measure_heading(m) for m in asking.measures),
        )
        total = next((b for b in bundles if not b.made_of), None)
        values = total.values if total is not None else asking.nothing()
        below = by_parent(bundles, len(keys))
        lines = list(_lines(asking, keys, below, (), values, _rest(asking, below[()])))
        whole = _total_values(asking, values)
        of_all = {m.key: Behind(asking.conditions_of(m), says=LINE) for m in asking.measures if m.over in AT_TOTAL}
        lines.append(Line((*(None for _ in keys), *whole), "total", 0, (), behind=of_all))
        return Answer(
            report,
            asking.chosen,
            headings,
            tuple(lines),
            draw(asking, keys, bundles, self.charts),
            asking.condition,
            asking.can_drill,
        )

    def counted(self, asking: Asking, number: str) -> Counted | None:
        """The records beyond the limit, where the groups that are shown are too many for a filter that names them."""
        what, _space, by = number.partition(" ")
        places = [m.key for m in asking.measures]
        key, limit = by.removeprefix("-"), asking.report.limit
        if what != OTHERS or limit is None or key not in places or asking.report.union or not asking.report.groups:
            return None
        top = Top(limit, places.index(key), by.startswith("-"))

        def predicate(scope: SqlScope) -> sa.ColumnElement[bool]:
            tops = [b for b in asking.gather(sets=((0,),), top=top) if b.made_of == (0,)]
            session, entity = asking.store.session, asking.report.entity
            shown = [compile_filter(session, entity, text).predicate(scope) for text in _shown(asking, tops)]
            return sa.not_(sa.func.coalesce(sa.or_(sa.false(), *shown), sa.false()))

        return Counted(asking.report.entity, predicate, OTHER)


def _top(asking: Asking) -> Top | None:
    """The limit, by the measure that the report is ordered by."""
    limit = asking.report.limit
    if limit is None or not asking.report.groups:
        return None
    names = [m.key for m in asking.measures]
    order = next((o for o in asking.orders if o.key in names), None)
    if order is None:
        return Top(limit, 0)
    return Top(limit, names.index(order.key), order.descending)


def _lines(
    asking: Asking,
    keys: Sequence[Key],
    below: Mapping[Path, list[Bundle]],
    above: Path,
    total: tuple[Value, ...],
    rest: str,
) -> Iterator[Line]:
    """The lines of a level, each with what it is made of below."""
    at = len(above)
    if at >= len(keys):
        return
    found = below[above]
    if not any(b.is_rest for b in found):
        found = asking.filled(found, at, keys) if not at else found
    ordered = asking.ordered(found, at, keys)
    if not asking.report.rest:
        ordered = [b for b in ordered if not b.is_rest]
    computed = _over(asking, ordered, total)
    each = [_conditions(asking, keys, (*above, REST if b.is_rest and not at else b.keys[at]), rest) for b in ordered]
    for place, (bundle, values) in enumerate(zip(ordered, computed, strict=True)):
        is_last = at == len(keys) - 1
        kind = "rest" if bundle.is_rest and not at else ("line" if is_last else "subtotal")
        blank = (None,) * (len(keys) - at - 1)
        own = tuple(None if v is REST else v for v in (*above, bundle.keys[at]))
        shown = (*own, *blank, *values)
        conditions = each[place]
        others = {m.key: behind_over(m.over, each, place, asking.conditions_of(m)) for m in asking.measures if m.over}
        yield Line(shown, kind, at, conditions, behind=others)  # type: ignore[arg-type]
        path = (*above, REST if bundle.is_rest and not at else bundle.keys[at])
        yield from _lines(asking, keys, below, path, bundle.values, rest)


def _conditions(asking: Asking, keys: Sequence[Key], path: Path, rest: str) -> tuple[str, ...]:
    """The records of a line; what a limit put together are those of none of the lines that are shown."""
    pairs = zip(keys, path, strict=False)
    return tuple(rest if value is REST else key.condition(value, asking.reader) for key, value in pairs)


def _rest(asking: Asking, tops: Sequence[Bundle]) -> str:
    """The records of no group that is shown."""
    if not any(b.is_rest for b in tops):
        return ""
    text = f"not ({' or '.join(f'({c})' for c in _shown(asking, tops))})"
    top = _top(asking)
    if len(text) <= LONGEST or asking.report.union or top is None:
        return text
    return condition(asking, f"{OTHERS} {'-' if top.descending else ''}{asking.measures[top.measure].key}")


def _shown(asking: Asking, tops: Sequence[Bundle]) -> list[str]:
    key = asking.report.groups[0]
    return [key.condition(b.keys[0], asking.reader) for b in tops if not b.is_rest]


def _over(asking: Asking, bundles: Sequence[Bundle], total: tuple[Value, ...]) -> list[tuple[Value, ...]]:
    """The values of each group, those that look at the groups around computed."""
    columns = []
    for n, measure in enumerate(asking.measures):
        values = [b.values[n] for b in bundles]
        columns.append(OVER[measure.over](values, total[n]) if measure.over else values)
    return [tuple(column[n] for column in columns) for n in range(len(bundles))]


def _total_values(asking: Asking, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """The total's own values: a share of the whole is 100, a change or rank of it says nothing."""
    at_total: dict[str, Value] = {"share": 100, "change": None, "rank": None}
    found: list[Value] = []
    for measure, value in zip(asking.measures, values, strict=True):
        if measure.over is None or measure.over not in at_total:
            found.append(value)
        else:
            found.append(at_total[measure.over] if number(value) else None)
    return tuple(found)
