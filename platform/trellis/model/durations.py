"""Lengths of time as people and programs write them: `2h 30m`, `1:30`, `PT2H30M`."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from babel import Locale
from babel.units import format_unit

_MICRO = Decimal(1_000_000)
_SECONDS: dict[str, int] = {}
for _names, _count in (
    ("s sec secs second seconds sek sekunde sekunden 秒 秒钟", 1),
    ("m min mins minute minutes minuten 分 分钟", 60),
    ("h hr hrs hour hours std stunde stunden 时 小时", 3600),
    ("d day days t tag tage 天 日", 86_400),
    ("w week weeks woche wochen 周 星期", 604_800),
):
    _SECONDS.update(dict.fromkeys(_names.split(), _count))
UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_ISO = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d{1,6})?)S)?)?"
)
_CLOCK = re.compile(r"(?P<sign>[+-]?)(?P<h>\d{1,6}):(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d(?:\.\d{1,6})?))?")
_PART = re.compile(r"(?P<count>\d+(?:[.,]\d+)?)\s*(?P<unit>[^\W\d_]+)\.?,?\s*")
_LONGEST = timedelta(days=366_000)


def _from_seconds(seconds: Decimal) -> timedelta | None:
    if abs(seconds) > Decimal(_LONGEST.total_seconds()):
        return None
    return timedelta(microseconds=int((seconds * _MICRO).to_integral_value()))


def read_duration(text: str, unit: str = "minutes") -> timedelta | None:
    """The length of time that a text means, or None; a bare number counts `unit`."""
    text = text.strip()
    upper = text.upper()
    for shape in (_ISO, _CLOCK):
        if (match := shape.fullmatch(upper)) and any(v for k, v in match.groupdict().items() if k != "sign"):
            parts = match.groupdict(default="0")
            total = sum(
                (
                    Decimal(parts[k]) * n
                    for k, n in (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
                    if k in parts
                ),
                Decimal(0),
            )
            return _from_seconds(-total if match["sign"] == "-" else total)
    sign = -1 if text[:1] in "-−" and text else 1
    bare = text.lstrip("+-−").strip()
    if re.fullmatch(r"\d{1,12}([.,]\d{1,6})?", bare):
        return _from_seconds(sign * Decimal(bare.replace(",", ".")) * UNITS[unit])
    total, at = Decimal(0), 0
    while match := _PART.match(bare, at):
        seconds = _SECONDS.get(match["unit"].casefold())
        if seconds is None or len(match["count"]) > 15:
            return None
        total += Decimal(match["count"].replace(",", ".")) * seconds
        at = match.end()
    return _from_seconds(sign * total) if bare and at == len(bare) else None


def write_duration(value: timedelta) -> str:
    """A length of time in ISO 8601: exact, at most days."""
    sign, rest = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(rest.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    second = f"{seconds}.{rest.microseconds:06d}".rstrip("0").rstrip(".") if rest.microseconds else str(seconds)
    clock = "".join(
        f"{count}{letter}" for count, letter in ((hours, "H"), (minutes, "M"), (second, "S")) if count not in (0, "0")
    )
    days = f"{rest.days}D" if rest.days else ""
    return f"{sign}P{days}{'T' + clock if clock else ''}" if days or clock else "PT0S"


def show_duration(value: timedelta, locale: Locale) -> str:
    """A length of time for a person: its two largest units at most, short."""
    if not value:
        return str(format_unit(0, "minute", "short", locale=locale))
    sign, rest = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(rest.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(rest.days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second")]
    first = next((i for i, (count, _) in enumerate(parts) if count), 3)
    shown = [format_unit(count, unit, "short", locale=locale) for count, unit in parts[first : first + 2] if count]
    return sign + " ".join(shown or ["0"])
