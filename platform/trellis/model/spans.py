"""Lengths of time that may be months and years, which are not always equally long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from dateutil.relativedelta import relativedelta

from trellis.model.durations import read_duration

_MONTHS = {"month": 1, "year": 12}
_PART = re.compile(r"\s*(?P<count>\d+)\s*(?P<unit>month|year)s?")
_Moment = TypeVar("_Moment", date, datetime)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: so many calendar months, and so much beside them."""

    months: int = 0
    rest: timedelta = timedelta()

    def after(self, moment: _Moment) -> _Moment:
        """The moment so much later; a day that a month does not have becomes its last."""
        later: _Moment = moment + relativedelta(months=self.months) + self.rest
        return later

    def before(self, moment: _Moment) -> _Moment:
        """The moment so much earlier."""
        earlier: _Moment = moment - relativedelta(months=self.months) - self.rest
        return earlier


def read_span(text: str) -> Span | None:
    """The length of time that a text such as `1 month 3 days` means; None when it means none."""
    text = text.strip()
    sign = -1 if text.startswith(("-", "−")) else 1
    rest = text.lstrip("+-−")
    months = sum(int(part["count"]) * _MONTHS[part["unit"]] for part in _PART.finditer(rest))
    rest = _PART.sub("", rest).strip()
    length = read_duration(rest) if rest else timedelta()
    if length is None or (not rest and not months) or months > 12_000:
        return None
    return Span(sign * months, sign * length)
