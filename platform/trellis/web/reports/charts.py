"""A drawing as the data that the chart's script reads."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from babel.core import get_global
from babel.numbers import get_currency_precision

from trellis.formula.reader import Reader
from trellis.formula.types import Money, Value
from trellis.model.reports.keys import BandKey, Key
from trellis.reports.asking import can_add
from trellis.reports.drawing import REST
from trellis.reports.result import Answer, Drawing, Flow, Heading, Series
from trellis.web.cells.numbers import percent_pattern
from trellis.web.reports.links import Drill
from trellis.web.reports.words import Words

MOST_NAMED = 3  # measures in a chart's title


def chart_data(answer: Answer, words: Words, drill: Drill) -> dict[str, Any] | None:
    """What the script draws: categories, series with their texts, and where a click leads."""
    drawing = answer.drawing
    if drawing is None or not drawing.categories:
        return None
    heading = drawing.measure or answer.headings[-1]
    return {
        "type": drawing.type,
        "stacked": drawing.is_stacked,
        "horizontal": drawing.horizontal,
        "percent": drawing.percent,
        "title": _title(drawing, heading, words),
        "categories": [category(drawing, words, value) for value in drawing.categories],
        "series": [_series(drawing, one, words, drill, heading) for one in drawing.series],
        "number": _number(heading, words),
        "share": percent_pattern(words.language),
        **{name: True for name, holds in _traits(answer, drawing, heading).items() if holds},
        **({"flows": [_flow(drawing, f, words) for f in drawing.flows]} if drawing.flows else {}),
        **({"full": plain(drawing.full)} if drawing.full is not None else {}),
        **({"codes": [country_number(c) for c in drawing.categories]} if drawing.type == "map" else {}),
        **{key: value for key, value in answer.more.items() if key == "marks"},
    }


def _title(drawing: Drawing, heading: Heading, words: Words) -> str:
    """What is measured: everything that is drawn side by side."""
    shown = dict.fromkeys(words.text(s.heading.label) for s in drawing.series if s.heading is not None)
    return " · ".join(shown) if 1 < len(shown) <= MOST_NAMED else words.text(heading.label)


def _traits(answer: Answer, drawing: Drawing, heading: Heading) -> dict[str, bool]:
    """What decides how it is drawn: names in an order of their own, a group's values as series, stacks that add up."""
    keys = [series.key for series in drawing.series if series.key is not None]
    measure = next((m for m in answer.report.measures if m.key == heading.key), None)
    return {
        "ordered": drawing.key is not None and _is_ordered(drawing.key),
        "split": bool(keys),
        "steps": bool(keys) and _is_ordered(keys[0]),
        "sums": drawing.is_stacked and measure is not None and can_add(measure),
    }


def _is_ordered(key: Key) -> bool:
    return key.period is not None or isinstance(key, BandKey)


def _flow(drawing: Drawing, flow: Flow, words: Words) -> dict[str, Any]:
    return {
        "source": _place(drawing, words, flow.source),
        "target": _place(drawing, words, flow.target),
        "value": plain(flow.value),
        "text": words.value(flow.value),
    }


def _place(drawing: Drawing, words: Words, place: Any) -> str:
    return category(drawing, words, place) if isinstance(place, str) else words.text(place)


def country_number(code: Value) -> str:
    """The number that atlases know a country by."""
    return _numbers().get(str(code or "").upper(), "")


@cache
def _numbers() -> dict[str, str]:
    aliases = get_global("territory_aliases")
    return {codes[0]: number for number, codes in aliases.items() if number.isdigit() and len(number) == 3}


def category(drawing: Drawing, words: Words, value: Value) -> str:
    """What stands at a category."""
    return words.group(drawing.key, value) if drawing.key is not None else words.text(value)


def _series(drawing: Drawing, series: Series, words: Words, drill: Drill, heading: Heading) -> dict[str, Any]:
    own = series.heading or heading
    is_other = series.heading is None and series.type != heading.type
    label = words.group(series.key, series.label) if series.key is not None else words.text(series.label)
    return {
        "label": label,
        "values": [plain(v) for v in series.values],
        "texts": [words.value(v) if is_other else words.cell(own, v) for v in series.values],
        "number": _number(own, words),
        "links": [
            _link(drawing, series, at, value, drill, heading, words.reader)
            for at, value in enumerate(drawing.categories)
        ],
    }


def _link(
    drawing: Drawing, series: Series, at: int, value: Value, drill: Drill, heading: Heading, reader: Reader
) -> str:
    if series.behind is not None:
        own = series.behind[at] if at < len(series.behind) else None
        return drill.where(own.conditions, own.entity) if own is not None else ""
    about = series.heading or (heading if series.key is not None or len(drawing.series) == 1 else None)
    if drawing.key is None or value == REST or series.label == REST or not (about or heading).can_drill:
        return ""
    conditions = [drawing.key.condition(value, reader)]
    if series.key is not None:
        conditions.append(series.key.condition(series.label, reader))
    return drill.where((*conditions, *(about.conditions if about is not None else ())))


def plain(value: Value) -> float | None:
    """A value as a number to draw; a duration in days."""
    if value is None:
        return None
    if isinstance(value, Money):
        value = value.base if value.base is not None else value.amount
    if isinstance(value, timedelta):
        return round(value.total_seconds() / 86400, 4)
    return float(round(Decimal(value), 6))


def _number(heading: Heading, words: Words) -> dict[str, Any]:
    """How the script writes the numbers along the axis."""
    unit = words.text(heading.unit) if heading.unit else ""
    if heading.as_percent or unit == "%":
        return {"kind": "percent", "pattern": percent_pattern(words.language)}
    if heading.type.kind == "money":
        currency = words.reader.currency
        return {"kind": "money", "currency": currency, "digits": get_currency_precision(currency)}
    return {"kind": "duration" if heading.type.kind == "duration" else "number", "unit": unit}
