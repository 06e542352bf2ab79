"""Dates and times as people write them: ISO, by language, and words and steps from today."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

from babel import Locale

from trellis.formula.moments import add_months

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_STEP = re.compile(r"([+-])\s*(\d{1,4})\s*([a-z天日周月年]*)", re.IGNORECASE)
_WORDS: dict[str, int] = {
    **dict.fromkeys(("today", "heute", "今天", "今日", "aujourd'hui", "hoy"), 0),
    **dict.fromkeys(("tomorrow", "morgen", "明天", "明日", "demain", "mañana"), 1),
    **dict.fromkeys(("yesterday", "gestern", "昨天", "昨日", "hier", "ayer"), -1),
    **dict.fromkeys(("übermorgen", "后天"), 2),
    **dict.fromkeys(("vorgestern", "前天"), -2),
}
_UNITS: dict[str, str] = {}
for _unit, _names in (
    ("days", "d day days t tag tage 天 日"),
    ("weeks", "w week weeks woche wochen 周"),
    ("months", "m month months monat monate 月"),
    ("years", "y year years j jahr jahre 年"),
):
    _UNITS.update(dict.fromkeys(_names.split(), _unit))


def _step(start: date, count: int, unit: str) -> date | None:
    if unit in ("months", "years"):
        return add_months(start, count * (12 if unit == "years" else 1))
    return start + timedelta(**{unit: count})


def step_from(start: date, text: str) -> date | None:
    """The date that a word or a step (`tomorrow`, `+3d`, `-2w`) means, or None."""
    folded = text.strip().casefold()
    if folded in _WORDS:
        return start + timedelta(days=_WORDS[folded])
    match = _STEP.fullmatch(folded)
    unit = _UNITS.get(match[3] or "d") if match else None
    if match is None or unit is None:
        return None
    try:
        return _step(start, int(match[1] + match[2]), unit)
    except (OverflowError, ValueError):
        return None


@lru_cache(maxsize=64)
def _months(locale: Locale) -> dict[str, int]:
    """Month names, short and long, by the locale and in English."""
    found: dict[str, int] = {}
    for source in (locale, Locale("en")):
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in source.months[context][width].items():
                    found.setdefault(name.casefold().rstrip("."), number)
    return found


@lru_cache(maxsize=64)
def _order(locale: Locale) -> str:
    """The order of day, month and year in the locale's short dates: "dmy", "mdy" or "ymd"."""
    pattern = locale.date_formats["short"].pattern.lower()
    return "".join(sorted("dmy", key=pattern.find))


def _year(text: str, today: date) -> int:
    if len(text) > 2:
        return int(text)
    # Two digits mean the year nearest to now.
    year = today.year // 100 * 100 + int(text)
    return min((year - 100, year, year + 100), key=lambda y: abs(y - today.year))


def read_date(text: str, locale: Locale, today: date) -> date | None:
    """The date that a person of the locale means by the text, or None."""
    text = text.strip()
    try:
        if match := _ISO.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        return step_from(today, text) or _read_parts(text, locale, today)
    except ValueError:
        return None


def _read_parts(text: str, locale: Locale, today: date) -> date | None:
    if ":" in text:
        return None  # a time of day
    parts = re.findall(r"\d+|[^\W\d_]+", text)
    parts = [part for part in parts if part not in ("年", "月", "日", "号", "de", "of", "th", "st", "nd", "rd")]
    months = _months(locale)
    named = [i for i, part in enumerate(parts) if not part.isdigit()]
    if len(named) > 1 or (named and parts[named[0]].casefold() not in months):
        return None
    numbers = [part for part in parts if part.isdigit()]
    if named:
        month = months[parts[named[0]].casefold()]
        if len(numbers) == 2 and len(numbers[0]) == 4:
            return date(int(numbers[0]), month, int(numbers[1]))
        return date(_year(numbers[1], today), month, int(numbers[0])) if len(numbers) == 2 else None
    if len(numbers) == 1 and len(numbers[0]) == 8:
        return date(int(numbers[0][:4]), int(numbers[0][4:6]), int(numbers[0][6:]))
    order = "ymd" if len(numbers[0:1]) and len(numbers[0]) == 4 else _order(locale)
    if len(numbers) == 2 and order != "ymd":
        numbers, order = [*numbers, str(today.year)], order.replace("y", "") + "y"
    elif len(numbers) == 2:
        numbers = [str(today.year), *numbers]
    if len(numbers) != 3:
        return None
    named_parts = dict(zip(order, numbers, strict=True))
    return date(_year(named_parts["y"], today), int(named_parts["m"]), int(named_parts["d"]))
