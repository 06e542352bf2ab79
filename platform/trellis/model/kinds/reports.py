"""The kind `report`."""

from __future__ import annotations

from trellis.model.kinds.entity import TOTALS
from trellis.model.kinds.parts import (
    BOOLEAN,
    FORMULA,
    INTEGER,
    NAME,
    NAME_OR_NAMES,
    NUMBER,
    SNAKE,
    TEXT,
    Schema,
    closed,
    either,
    list_of,
    mapping,
    one_of,
)
from trellis.model.kinds.registry import kind

_BANDS = list_of(NUMBER, minItems=1)
_KEY = closed(
    {"formula": FORMULA, "label": TEXT, "bands": _BANDS, "level": {"type": "integer", "minimum": 1}}, ("formula",)
)
_GROUP = either(FORMULA, list_of(FORMULA), mapping(either(FORMULA, _KEY), SNAKE))
_MEASURES = mapping(
    either(FORMULA, closed({"formula": FORMULA, "label": TEXT, "unit": TEXT, "scale": INTEGER}, ("formula",))), SNAKE
)
_CHART = closed(
    {
        "type": one_of(
            "bar", "line", "area", "pie", "donut", "scatter", "funnel", "gauge", "heatmap", "treemap", "sankey", "map"
        ),
        "x": NAME,
        "y": NAME_OR_NAMES,
        "stack": NAME,
        "color": NAME,
        "horizontal": BOOLEAN,
        "limit": INTEGER,
        "percent": BOOLEAN,
        "full": NUMBER,
    },
    ("type",),
)
_PERIOD = one_of("day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year")
_EVENT = closed({"entity": NAME, "by": FORMULA, "at": FORMULA, "filter": FORMULA}, ("entity", "by", "at"))
_TARGET = closed(
    {"entity": NAME, "value": FORMULA, "match": mapping(FORMULA, None), "filter": FORMULA}, ("entity", "value")
)
_WHOM = closed({"role": NAME, "user": TEXT, "team": TEXT})
MAIL = closed(
    {
        "cron": TEXT,
        "to": either(TEXT, _WHOM, list_of(either(TEXT, _WHOM))),
        "format": one_of("xlsx", "csv", "html"),
        "subject": TEXT,
    },
    ("cron", "to"),
)
REPORT_TYPES = (
    "summary",
    "table",
    "list",
    "pivot",
    "funnel",
    "forecast",
    "accuracy",
    "cohort",
    "ageing",
    "target",
    "rfm",
    "trend",
)


@kind("report", "a question to the records, as a table and a chart")
def report() -> dict[str, Schema]:
    """What a report may say."""
    return {
        "type": one_of(*REPORT_TYPES),
        "label": TEXT,
        "description": TEXT,
        "icon": NAME,
        "module": NAME,
        "entity": NAME,
        "union": mapping(mapping(FORMULA, SNAKE), SNAKE),
        "roles": NAME_OR_NAMES,
        "date": FORMULA,
        "filter": FORMULA,
        "params": mapping({"$ref": "#/definitions/field"}, SNAKE),
        "group": _GROUP,
        "measures": _MEASURES,
        "sort": NAME_OR_NAMES,
        "limit": {"type": "integer", "minimum": 1},
        "rest": BOOLEAN,
        "chart": _CHART,
        "columns": _GROUP,
        "rows": _GROUP,
        "totals": either(BOOLEAN, mapping(TOTALS, None)),
        "pipeline": NAME,
        "mode": one_of("cohort", "snapshot"),
        "period": _PERIOD,
        "periods": INTEGER,
        "cohort": _GROUP,
        "event": _EVENT,
        "age": FORMULA,
        "buckets": list_of(NUMBER, minItems=1),
        "target": _TARGET,
        "adjust": _TARGET,
        "of": NAME,
        "ahead": FORMULA,
        "roll_up": BOOLEAN,
        "by": FORMULA,
        "at": FORMULA,
        "amount": FORMULA,
        "scale": one_of("quintiles", "thresholds"),
        "thresholds": mapping(list_of(NUMBER), None),
        "compare": one_of("previous_period", "previous_year"),
        "mail": MAIL,
        "snapshot": one_of("daily"),
    }
