"""Numbers on cards, gauges and leader boards."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _

from trellis.formula.types import Money, Ref, Value
from trellis.reports.asking import number
from trellis.reports.dashboards.figures import Figure
from trellis.reports.result import Behind, Heading
from trellis.web.cells.numbers import duration_text, number_text, percent_text
from trellis.web.dashboards.looking import Looking, Values, drawer
from trellis.web.dashboards.periods import compared_label, days_label
from trellis.web.reports.links import report_address
from trellis.web.reports.words import Words

WIDE, HIGH, PAD = 104, 40, 6  # the drawing of a sparkline
CENTS_UP_TO = 1000
LEAST_POINTS = 3
LONGEST = 12  # letters that stand large beside a sparkline
IDEOGRAPHS = 0x2E80  # from here on letters are twice as wide


@dataclass(frozen=True)
class Change:
    """How a number has moved, in words. `tone`: good, bad, or nothing."""

    text: str
    icon: str
    tone: str


@drawer("number")
def number_card(looking: Looking) -> Values:
    """A number, how it has moved, and a line of how it has gone."""
    found = looking.figures.figure(looking.widget, looking.report)
    words = looking.words
    compared = ""
    if found.span is not None:
        period = compared_label(found.span, words, looking.widget.compare)
        compared = str(
            _("vs %(period)s", period=period) if number(found.before) else _("none in %(period)s", period=period)
        )
    text = figure_text(words, found.heading, found.value)
    return {
        "text": text,
        "is_long": sum(2 if ord(mark) > IDEOGRAPHS else 1 for mark in text) > LONGEST,
        "href": looking.address,
        "change": change_of(found, words, looking.widget.is_less_better),
        "compared": compared,
        "before_href": _before_address(looking, found),
        "exact": _exact(found, words),
        "spark": sparkline(found.points),
        "also": _also(found, words),
    }


@drawer("gauge")
def gauge(looking: Looking) -> Values:
    """How much of the target is reached, as an arc."""
    found = looking.figures.gauge(looking.widget, looking.report)
    words = looking.words
    percent = None if found.reached is None else float(found.reached)
    target = None
    if found.target is not None:
        value = found.target
        if isinstance(found.value, Money) and not isinstance(value, Money):
            value = Money(value, words.reader.currency, value)
        target = figure_text(words, found.heading, value)
    return {
        "text": figure_text(words, found.heading, found.value),
        "percent": "" if percent is None else percent_text(round(percent), words.language),
        "target": target,
        "target_href": _behind_address(looking, found, found.target_behind),
        "href": looking.address,
        "track": arc(1.0),
        "arc": arc(min(max((percent or 0) / 100, 0.0), 1.0)) if percent else "",
    }


@drawer("leaders")
def leaders(looking: Looking) -> Values:
    """The groups of a report, the best first, with bars; beside their targets where the report has some."""
    answer, widget, words = looking.answer(), looking.widget, looking.words
    keys = [h.key for h in answer.headings]
    groups = sum(h.role == "group" for h in answer.headings)
    at = keys.index(widget.measure) if widget.measure in keys else groups
    heading, has_target = answer.headings[at], "achievement" in keys
    rows = [
        line
        for line in answer.lines
        if line.depth == 0 and line.kind != "total" and number(line.values[at]) is not None
    ]
    rows.sort(key=lambda line: _size(line.values[at]), reverse=not widget.is_less_better)
    most = max((_size(line.values[at]) for line in rows), default=0.0)
    if _is_percent(words, heading):
        most = max(most, 100.0)
    drill = looking.drill(answer)
    shown = []
    for line in rows[: widget.limit or 50]:
        reached = line.values[keys.index("achievement")] if has_target else None
        part = float(reached) / 100 if reached is not None else (_size(line.values[at]) / most if most > 0 else 0.0)
        name = line.values[0]
        shown.append(
            {
                "name": words.cell(answer.headings[0], name),
                "person": str(name.id) if isinstance(name, Ref) else "",
                "is_user": isinstance(name, Ref) and name.entity == "user",
                "text": figure_text(words, heading, line.values[at]),
                "href": drill.of(line, heading) or looking.address,
                "width": round(min(max(part, 0.0), 1.0) * 100, 1) if not has_target or reached is not None else None,
                "percent": percent_text(round(reached), words.language) if reached is not None else "",
                "percent_href": drill.of(line, answer.headings[keys.index("achievement")]) if has_target else "",
            }
        )
    return {
        "rows": shown,
        "group": words.text(answer.headings[0].label),
        "measure": words.text(heading.label),
        "has_target": has_target,
    }


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────


def figure_text(words: Words, heading: Heading, value: Value) -> str:
    """A number large: without cents where there are thousands, a dash where there is none."""
    is_money = isinstance(value, Money) and heading.scale is None
    if is_money and (abs(value.amount) >= CENTS_UP_TO or value.amount == value.amount // 1):
        heading = replace(heading, scale=0)
    return words.cell(heading, value) or "–"


def change_of(found: Figure, words: Words, is_less_better: bool) -> Change | None:
    """How the number has moved: percentages by points, lengths of time by themselves, everything else in percent."""
    moved = found.difference
    if moved is None:
        return None
    size = moved.total_seconds() if isinstance(moved, timedelta) else float(moved)
    if _is_percent(words, found.heading):
        text = str(_("%(number)s pt", number=number_text(abs(round(moved, 1)), words.language)))
        size = float(round(moved, 1))
    elif isinstance(moved, timedelta):
        text = duration_text(abs(moved))
    elif found.change is None:
        return None
    else:
        percent = round(float(found.change), 1 if abs(found.change) < 100 else 0)
        text, size = percent_text(abs(percent), words.language), percent
    if not size:
        return Change(str(_("unchanged")), "minus", "")
    is_good = (size < 0) == is_less_better
    return Change(text, "arrow-up-right" if size > 0 else "arrow-down-right", "good" if is_good else "bad")


def _before_address(looking: Looking, found: Figure) -> str:
    """What the number was: the report as it is narrowed to those days, or the records themselves."""
    if found.past is not None and number(found.before):
        return report_address(found.report.key, found.past.parts)
    return _behind_address(looking, found, found.before_behind) if number(found.before) else ""


def _behind_address(looking: Looking, found: Figure, behind: Behind | None) -> str:
    if found.answer is None or behind is None:
        return ""
    return looking.drill(found.answer).where(behind.conditions, behind.entity)


def _is_percent(words: Words, heading: Heading) -> bool:
    return heading.unit is not None and words.text(heading.unit) == "%"


def _exact(found: Figure, words: Words) -> str:
    """What the number was before, with the days that it is of."""
    if found.span is None:
        return ""
    return f"{days_label(found.span, words)}: {figure_text(words, found.heading, found.before)}"


def _also(found: Figure, words: Words) -> str:
    if found.also is None:
        return ""
    heading, value = found.also
    return f"{words.text(heading.label)}: {figure_text(words, heading, value)}"


def _size(value: Value) -> float:
    plain: Any = number(value)
    if plain is None:
        return 0.0
    return plain.total_seconds() if isinstance(plain, timedelta) else float(plain)


# ── drawings ─────────────────────────────────────────────────────────────────────────────────────────────────


def sparkline(points: tuple[Value, ...]) -> dict[str, Any] | None:
    """A line of values in a box of 104 × 40; what has no value is left out."""
    known = [(n, _size(v)) for n, v in enumerate(points) if v is not None]
    if len(known) < LEAST_POINTS or len({v for _, v in known}) < 2:
        return None
    low, high = min(v for _, v in known), max(v for _, v in known)
    low = min(low, 0.0) if low < high / 4 else low
    step = (WIDE - 6) / (len(points) - 1)

    def place(at: int, value: float) -> tuple[float, float]:
        return round(2 + at * step, 1), round(HIGH - PAD - (value - low) / (high - low) * (HIGH - 2 * PAD), 1)

    placed = [place(n, v) for n, v in known]
    line = "M" + "L".join(f"{x} {y}" for x, y in placed)
    end = placed[-1]
    return {"line": line, "area": f"{line}L{end[0]} {HIGH}L{placed[0][0]} {HIGH}Z", "x": end[0], "y": end[1]}


def arc(part: float) -> str:
    """A half circle of radius 80 around (100, 96), from the left, as far as the part says."""
    if part <= 0:
        return ""
    angle = math.pi * (1 - min(part, 1.0))
    x, y = round(100 + 80 * math.cos(angle), 2), round(96 - 80 * math.sin(angle), 2)
    return f"M20 96A80 80 0 0 1 {x} {y}"
