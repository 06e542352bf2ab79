"""A drawing as the data that the chart's script reads."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision

from trellis.formula.reader import Reader
from trellis.formula.types import Money, Value
from trellis.reports.drawing import REST
from trellis.reports.result import Answer, Drawing, Heading, Series
from trellis.web.reports.links import Drill
from trellis.web.reports.words import Words


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
        "title": words.text(heading.label),
        "categories": [category(drawing, words, value) for value in drawing.categories],
        "series": [_series(drawing, one, words, drill, heading) for one in drawing.series],
        "number": _number(heading, words),
        **{key: value for key, value in answer.more.items() if key == "marks"},
    }


def category(drawing: Drawing, words: Words, value: Value) -> str:
    """What stands at a category."""
    return words.group(drawing.key, value) if drawing.key is not None else words.text(value)


def _series(drawing: Drawing, series: Series, words: Words, drill: Drill, heading: Heading) -> dict[str, Any]:
    label = words.group(series.key, series.label) if series.key is not None else words.text(series.label)
    return {
        "label": label,
        "values": [plain(v) for v in series.values],
        "texts": [words.cell(heading, v) if series.type == heading.type else words.value(v) for v in series.values],
        "links": [_link(drawing, series, value, drill, heading, words.reader) for value in drawing.categories],
    }


def _link(drawing: Drawing, series: Series, value: Value, drill: Drill, heading: Heading, reader: Reader) -> str:
    if drawing.key is None or value == REST or series.label == REST or not heading.can_drill:
        return ""
    conditions = [drawing.key.condition(value, reader)]
    if series.key is not None:
        conditions.append(series.key.condition(series.label, reader))
    more = heading.conditions if series.key is not None or len(drawing.series) == 1 else ()
    return drill.where((*conditions, *more))


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
        return {"kind": "percent"}
    if heading.type.kind == "money":
        currency = words.reader.currency
        return {"kind": "money", "currency": currency, "digits": get_currency_precision(currency)}
    return {"kind": "duration" if heading.type.kind == "duration" else "number", "unit": unit}
