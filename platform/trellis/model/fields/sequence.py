"""Running numbers that the platform gives: D-2026-00042."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Literal

from trellis.config.phrase import phrase
from trellis.formula.types import Value
from trellis.model.fields.option import option
from trellis.model.fields.registry import field_type
from trellis.model.fields.text import TextLike

_PLACE = re.compile(r"\{([^{}]*)\}")
_DATES = {"yyyy": "%Y", "yy": "%y", "mm": "%m", "dd": "%d"}
PLACES = {
    "{0}": ("the number", "7"),
    "{00000}": ("the number, with as many digits as there are noughts", "00007"),
    "{yyyy}": ("the year", "2026"),
    "{yy}": ("the year's last two digits", "26"),
    "{mm}": ("the month", "03"),
    "{dd}": ("the day", "09"),
    "{field}": ("a field of the record, by its key", "{region}: NORTH"),
}
"""What may stand in braces in a mask, with what comes of it: for the reference."""


@field_type("sequence")
@dataclass(frozen=True, kw_only=True)
class Sequence(TextLike):
    """A running number that the platform gives on the first save; the value is the whole text."""

    doc: ClassVar[str] = "A running number; an imported one is kept and the counter moves past it."
    widget: ClassVar[str] = "sequence"
    cell: ClassVar[str] = "sequence"

    mask: str = option(
        "{0}", "the text around the number: {00000} the number, {yyyy} {yy} {mm} {dd} the date, {field} a field"
    )
    start: int = option(1, "the first number")
    reset: Literal["never", "year", "month", "day"] = option("never", "when counting begins anew")
    per: str | None = option(None, "a field: each of its values has a count of its own")
    gap_free: bool = option(False, "no number is left out, for the price of saving one after the other")

    def __post_init__(self) -> None:
        if len([place for place in _PLACE.findall(self.mask) if _is_number(place)]) != 1:
            raise ValueError(phrase("mask: {mask} must hold the number once, like {{00000}}", mask=repr(self.mask)))

    def period(self, day: date) -> str:
        """The period that a date counts in: "" when counting never begins anew."""
        shape = {"never": "", "year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}[self.reset]
        return day.strftime(shape) if shape else ""

    def render(self, number: int, day: date, values: Mapping[str, Any] | None = None) -> str:
        """The text for a number; `values` gives the fields that the mask names, as texts."""

        def fill(match: re.Match[str]) -> str:
            place = match[1]
            if _is_number(place):
                return f"{number:0{len(place)}d}"
            if place.lower() in _DATES:
                return day.strftime(_DATES[place.lower()])
            value = (values or {}).get(place)
            return "" if value is None else str(value)

        return _PLACE.sub(fill, self.mask)

    def read_number(self, text: str) -> int | None:
        """The number in a text of this mask, or None when the text is made otherwise."""
        pattern, at = "", 0
        for match in _PLACE.finditer(self.mask):
            pattern += re.escape(self.mask[at : match.start()]) + self._pattern_of(match[1])
            at = match.end()
        found = re.fullmatch(pattern + re.escape(self.mask[at:]), text)
        return int(found["number"]) if found and len(found["number"]) < 19 else None

    def search_text(self, value: Value) -> str:
        """The text, and its number as people say it: 35 for T-000035."""
        text = str(value or "")
        number = self.read_number(text)
        return text if number is None else f"{text} {number}"

    @staticmethod
    def _pattern_of(place: str) -> str:
        if _is_number(place):
            return rf"(?P<number>\d{{{len(place)},}})"
        return rf"\d{{{len(place)}}}" if place.lower() in _DATES else r".*?"

    def fields(self) -> tuple[str, ...]:
        """The fields that the mask and `per` name."""
        named = [p for p in _PLACE.findall(self.mask) if not _is_number(p) and p.lower() not in _DATES]
        return tuple(dict.fromkeys([*named, *([self.per] if self.per else [])]))


def _is_number(place: str) -> bool:
    return bool(place) and not place.strip("0#")
