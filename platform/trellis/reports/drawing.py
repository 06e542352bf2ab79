"""What a chart shows of groups: categories, and series of a measure or of several."""

from __future__ import annotations

from collections.abc import Sequence

from trellis.formula.types import Value
from trellis.model.reports.keys import Key
from trellis.model.reports.report import Chart
from trellis.records.reading.gather import Bundle
from trellis.reports.asking import Asking, added, can_add
from trellis.reports.result import Drawing, Series

MOST_CATEGORIES = 60
MOST_SERIES = 12
REST = "\x00rest"  # the category or series of everything that is not shown on its own


def draw(
    asking: Asking,
    keys: Sequence[Key],
    bundles: Sequence[Bundle],
    types: tuple[str, ...],
    *,
    stack: int | None = None,
) -> Drawing | None:
    """The drawing of grouped measures, as the report says or the reader wants it; None where nothing can be drawn."""
    measures = [m for m in asking.measures if m.type.kind in ("number", "money", "duration") and m.over != "change"]
    if not keys or not measures:
        return None
    chart = asking.report.chart or Chart("line" if keys[0].period is not None else "bar")
    type_ = asking.wishes.chart if asking.wishes.chart in types else chart.type
    names = [k.key for k in keys]
    x = names.index(chart.x) if chart.x in names else 0
    if chart.stack in names and chart.stack != names[x]:
        stack = names.index(chart.stack)
    elif stack == x or type_ in ("pie", "donut"):
        stack = None
    if stack is None and type_ == "heatmap" and len(keys) > 1:
        stack = 1 if x != 1 else 0
    wanted = [m for m in measures if m.key in chart.y] or measures[:1]
    if stack is not None or type_ in ("pie", "donut", "funnel"):
        wanted = wanted[:1]
    places = [asking.measures.index(m) for m in wanted]
    along = asking.filled([b for b in bundles if b.made_of == (x,)], x, keys)
    ordered = asking.ordered(along, x, keys)
    limit = chart.limit or MOST_CATEGORIES
    shown = ordered[:limit]
    categories = tuple(REST if b.is_rest else b.keys[x] for b in shown)
    if stack is None:
        series = tuple(
            Series(m.label, tuple(b.values[p] for b in shown), type=m.type) for m, p in zip(wanted, places, strict=True)
        )
    else:
        series = _stacked(asking, keys, bundles, (x, stack), places[0], categories)
    heading = asking.measure_heading(wanted[0])
    return Drawing(
        type_,
        categories,
        series,
        keys[x],
        stack is not None and type_ in ("bar", "area"),
        chart.horizontal,
        chart.percent,
        heading,
        types,
    )


def _stacked(
    asking: Asking,
    keys: Sequence[Key],
    bundles: Sequence[Bundle],
    pair: tuple[int, int],
    place: int,
    categories: tuple[Value, ...],
) -> tuple[Series, ...]:
    """A series for each value of the second key; the smallest are put together when there are many."""
    x, stack = pair
    both = tuple(sorted(pair))
    cells = {
        (REST if b.is_rest and x == 0 else b.keys[x], REST if b.is_rest and stack == 0 else b.keys[stack]): b.values[
            place
        ]
        for b in bundles
        if b.made_of == both
    }
    nothing = asking.nothing()[place]
    ordered = asking.ordered([b for b in bundles if b.made_of == (stack,)], stack, keys)
    names = [REST if b.is_rest and stack == 0 else b.keys[stack] for b in ordered]
    measure = asking.measures[place]
    shown = names if len(names) <= MOST_SERIES else names[: MOST_SERIES - 1]
    found = [
        Series(name, tuple(cells.get((c, name), nothing) for c in categories), keys[stack], measure.type)
        for name in shown
    ]
    others = names[len(shown) :]
    if others and can_add(measure):  # so that a stack is as high as it is in truth
        values = tuple(added(asking, measure, [cells.get((c, name)) for name in others]) for c in categories)
        found.append(Series(REST, values, keys[stack], measure.type))
    return tuple(found)
