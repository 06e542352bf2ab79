"""The parts of a report's document that several kinds share: groups, measures, order, chart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import yaml
from flask_babel import gettext as _

from trellis.web.reports.building.draft import FORMULA, HOWS, OVER, Draft, Row


@dataclass
class Made:
    """A document, and which control each of its parts comes from."""

    data: dict[str, Any]
    places: dict[str, str] = field(default_factory=dict)  # path in the document → name of the control

    @property
    def yaml(self) -> str:
        """The document as an administrator adopts it."""
        return str(yaml.safe_dump(self.data, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False))

    def control(self, path: str) -> str:
        """The control that a part of the document comes from; the nearest above it, else none."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path.rpartition(".")[0]
        return ""


def put_date(draft: Draft, made: Made) -> None:
    """The day that a record counts for."""
    made.places["date"] = "date"
    if draft.date:
        made.data["date"] = draft.date


def put_keys(draft: Draft, made: Made, section: str, word: str) -> None:
    """The rows of a section under a word."""
    found: dict[str, Any] = {}
    for n, row in enumerate(draft.rows(section)):
        formula = row.formula if row.path == FORMULA else row.path
        if not formula:
            continue
        if row.part and row.path != FORMULA:
            formula = f"{row.part}({formula})"
        key = _free(row.key or _name(row.path, row.part), found)
        more = dict(row.more)
        if row.bands:
            more["bands"] = [number_in(each) for each in re.split(r"[,;\s]+", row.bands) if each]
        if row.label:
            more["label"] = row.label
        found[key] = {"formula": formula, **more} if more else formula
        made.places[f"{word}.{key}"] = f"{section}-{n}"
    if found:
        made.data[word] = found
    made.places.setdefault(word, f"{section}-0")


def put_measures(draft: Draft, made: Made, labels: Mapping[str, str]) -> None:
    """The numbers."""
    found: dict[str, Any] = {}
    for n, row in enumerate(draft.measures):
        if row.how == FORMULA:
            formula = row.formula
        elif row.how == "count":
            formula = "count()"
        else:
            formula = f"{row.how}({row.path})" if row.path and row.how in HOWS else ""
        if not formula:
            continue
        if row.over in OVER:
            formula = f"{row.over}({formula})"
        key = _free(row.key or _name(row.path if row.how != "count" else "", row.how), found)
        label = row.label or measure_label(row, labels)
        more = {**({"label": label} if label else {}), **row.more}
        found[key] = {"formula": formula, **more} if more else formula
        made.places[f"measures.{key}"] = f"measure-{n}"
    if found:
        made.data["measures"] = found


def measure_label(row: Row, labels: Mapping[str, str]) -> str:
    """What a measure is called while nobody has said."""
    field_label = labels.get(row.path, row.path)
    named = {
        "count": _("Number"),
        "sum": field_label,
        "avg": _("Mean %(field)s", field=field_label),
        "median": _("Median %(field)s", field=field_label),
        "min": _("Least %(field)s", field=field_label),
        "max": _("Most %(field)s", field=field_label),
        "count_distinct": _("Different: %(field)s", field=field_label),
    }
    label = str(named.get(row.how, ""))
    over = {"running": _("running total"), "share": _("share"), "change": _("change"), "rank": _("rank")}
    return f"{label} ({over[row.over]})" if label and row.over in over else label


def put_order(draft: Draft, made: Made) -> None:
    """The order."""
    if draft.sort:
        made.data["sort"] = [draft.sort]
        made.places["sort"] = "sort"


def put_chart(draft: Draft, made: Made) -> None:
    """How it is drawn."""
    if draft.chart:
        made.data["chart"] = {"type": draft.chart, **({"stack": draft.stack} if draft.stack else {})}
        made.places["chart"] = "chart"


def _name(path: str, more: str) -> str:
    words = ("" if path == FORMULA else path.replace(".", "_"), more if more != FORMULA else "")
    return "_".join(w for w in words if w) or "value"


def _free(key: str, taken: Mapping[str, Any]) -> str:
    name, n = key, 2
    while name in taken:
        name, n = f"{key}_{n}", n + 1
    return name


def number_in(text: str) -> int | float | str:
    """A number, or what was typed instead."""
    try:
        found = int(text) if text.removeprefix("-").isdecimal() else float(text)
        return found if isfinite(found) else text
    except (ValueError, OverflowError):
        return text
