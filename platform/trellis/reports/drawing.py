"""What a chart shows of groups: categories, and series of a measure or of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trellis.formula.types import Value
from trellis.model.reports.keys import Key
from trellis.model.reports.report import Chart, Measure
from trellis.records.reading.gather import Bundle
from trellis.reports.asking import Asking, added, can_add, number
from trellis.reports.over import OVER
from trellis.reports.result import Drawing, Series

MOST_CATEGORIES = 60
MOST_SERIES = 12
KEYS = {"heatmap": 2, "sankey": 2, "gauge": 0}  # how many groups a chart needs at least; one, of the others
ROUND = ("pie", "donut")
MOST_PARTS = 12  # of a pie: more cannot be told apart
WHOLE = (*ROUND, "funnel", "map")  # one number for each category, however the report is stacked
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
    if not measures:
        return None
    types = tuple(t for t in types if len(keys) >= KEYS.get(t, 1) and (t != "map" or any(map(_is_country, keys))))
    chart = asking.report.chart or Chart("line" if keys and keys[0].period is not None else "bar")
    type_ = next((t for t in (asking.wishes.chart, chart.type, *(types if keys else ())) if t in types), None)
    if type_ is None:
        return None
    if type_ == "gauge":
        return gauge(asking, bundles, chart, types)
    names = [k.key for k in keys]
    x = names.index(chart.x) if chart.x in names else 0
    if chart.stack in names and chart.stack != names[x]:
        stack = names.index(chart.stack)
    if stack == x or type_ in WHOLE:
        stack = None
    if type_ == "map" and not _is_country(keys[x]):
        x = next(n for n, key in enumerate(keys) if _is_country(key))
    if stack is None and type_ in ("heatmap", "treemap", "sankey") and len(keys) > 1:
        stack = 1 if x != 1 else 0
    wanted = sorted((m for m in measures if m.key in chart.y), key=lambda m: chart.y.index(m.key)) or measures[:1]
    if type_ == "scatter" and stack is None and len(wanted) < 2:  # a point's places are two numbers, where there are
        wanted = [*wanted, *(m for m in measures if m not in wanted)][:2]
    if stack is not None or type_ in (*WHOLE, "treemap"):
        wanted = wanted[:1]
    places = [asking.measures.index(m) for m in wanted]
    along = asking.filled([b for b in bundles if b.made_of == (x,)], x, keys)
    ordered = asking.ordered(along, x, keys)
    limit = chart.limit or MOST_CATEGORIES
    shown = ordered[:limit]
    categories = tuple(REST if b.is_rest else b.keys[x] for b in shown)
    total = next((b.values for b in bundles if not b.made_of), asking.nothing())
    if type_ in ROUND and len(shown) > MOST_PARTS and can_add(wanted[0]):
        ordered = _largest(asking, ordered, places[0])
        categories = tuple(REST if b.is_rest else b.keys[x] for b in ordered)
    if stack is None:
        series = tuple(
            Series(
                m.label,
                _over(m, [b.values[p] for b in ordered], total[p])[:limit],
                type=m.type,
                heading=asking.measure_heading(m),
            )
            for m, p in zip(wanted, places, strict=True)
        )
    else:
        series = tuple(
            replace(s, values=_over(wanted[0], s.values, total[places[0]]))
            for s in _stacked(asking, keys, bundles, (x, stack), places[0], categories)
        )
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


def _largest(asking: Asking, bundles: Sequence[Bundle], place: int) -> list[Bundle]:
    """The largest parts in the order they had, and the others as one."""
    sizes = sorted((b for b in bundles if not b.is_rest), key=lambda b: number(b.values[place]) or 0, reverse=True)
    kept = [b for b in bundles if b in sizes[: MOST_PARTS - 1]]
    values = list(asking.nothing())
    values[place] = added(asking, asking.measures[place], [b.values[place] for b in bundles if b not in kept])
    return [*kept, replace(kept[0], values=tuple(values), is_rest=True)]


def _over(measure: Measure, values: Sequence[Value], total: Value) -> tuple[Value, ...]:
    """The values along the categories, those that look at the ones around computed."""
    return tuple(OVER[measure.over](values, total) if measure.over else values)


def _is_country(key: Key) -> bool:
    """Whether a group's values are codes of countries."""
    choices = key.type.choices
    return key.type.kind == "text" and (
        key.formula.source.strip().endswith(".country") or (choices is not None and {"CN", "DE", "US"} <= set(choices))
    )


def gauge(asking: Asking, bundles: Sequence[Bundle], chart: Chart, types: tuple[str, ...]) -> Drawing | None:
    """One number of everything, and how far it is."""
    measures = [m for m in asking.measures if m.type.kind in ("number", "money") and m.over is None]
    measure = next((m for m in measures if m.key in chart.y), measures[0] if measures else None)
    total = next((b for b in bundles if not b.made_of), None)
    if measure is None or total is None:
        return None
    value = total.values[asking.measures.index(measure)]
    heading = asking.measure_heading(measure)
    series = (Series(measure.label, (value,), type=measure.type),)
    return Drawing("gauge", (measure.label,), series, measure=heading, types=types, full=chart.full)


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
