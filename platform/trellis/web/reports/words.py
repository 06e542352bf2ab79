"""What stands in a report for its values: months, ranges, choices, records, amounts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from babel.dates import format_date, format_datetime, format_skeleton, format_time
from flask_babel import gettext as _

from trellis.formula.reader import Reader
from trellis.formula.types import Location, Money, Ref, Type, Value
from trellis.model.reports.keys import AgeKey, BandKey, Key, fiscal_start
from trellis.model.text import Text
from trellis.reports.drawing import REST
from trellis.reports.kinds.pivot import TOTAL, GroupName
from trellis.reports.result import Heading
from trellis.web.cells.numbers import duration_text, locale_of, money_text, number_text, percent_text
from trellis.web.reports.own_texts import own_texts


class Words:
    """Writes a report's values for one reader."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.language = reader.language

    def text(self, value: Any) -> str:
        """A label in the reader's language."""
        if isinstance(value, GroupName):
            return self.group(*value)
        if value is TOTAL:
            return str(_("Total"))
        if isinstance(value, Text):
            return value.in_language(self.language) if value.translations else self.own.get(value.source, value.source)
        return str(value)

    @cached_property
    def own(self) -> dict[str, str]:
        """The platform's own names in the reader's language."""
        return own_texts()

    # ── groups ───────────────────────────────────────────────────────────────────────────────────────────

    def group(self, key: Key, value: Value) -> str:
        """What a group is called."""
        if value == REST:
            return str(_("Other"))
        if value is None:
            return str(_("Not given"))
        if key.period is not None:
            return self.period(key.period.name, value)
        if isinstance(key, AgeKey):
            return self.age(key, int(value))
        if isinstance(key, BandKey):
            return self.band(key, int(value))
        return self.value(value, key.type)

    def period(self, unit: str, day: date) -> str:
        """A part of the calendar by its first day."""
        locale = locale_of(self.language)
        match unit:
            case "day":
                return str(format_skeleton("yMMMd", day, locale=locale))
            case "week":
                year, week, _day = day.isocalendar()
                return str(_("Week %(week)s, %(year)s", week=week, year=year))
            case "month":
                return str(format_skeleton("yMMM", day, locale=locale))
            case "quarter":
                return str(format_skeleton("yQQQ", day, locale=locale))
            case "year":
                return str(format_skeleton("y", day, locale=locale))
        first = fiscal_start(self.reader)
        year = day.year + (1 if first > 1 and day.month >= first else 0)
        if unit == "fiscal_year":
            return str(_("Fiscal year %(year)s", year=year))
        quarter = (day.month - first) % 12 // 3 + 1
        return str(_("Q%(quarter)s, fiscal year %(year)s", quarter=quarter, year=year))

    def band(self, key: BandKey, number: int) -> str:
        """A range of numbers."""
        low, high = key.range(number)
        shown = [None if n is None else self.plain(n, key.formula.type) for n in (low, high)]
        if low is None:
            return str(_("below %(high)s", high=shown[1]))
        if high is None:
            return str(_("%(low)s and more", low=shown[0]))
        return str(_("%(low)s to below %(high)s", low=shown[0], high=shown[1]))

    def age(self, key: AgeKey, number: int) -> str:
        """A bucket of days."""
        low, high = key.days(number)
        if low is None:
            return str(_("Not due yet") if high is not None and high <= 0 else _("up to %(days)s days", days=high))
        if high is None:
            return str(_("over %(days)s days", days=low - 1))
        return str(_("%(low)s–%(high)s days", low=low, high=high))

    def plain(self, number: Decimal, type_: Type) -> str:
        """A bound of a range."""
        if type_.kind == "money":
            whole = 0 if number == number.to_integral_value() else None
            return money_text(Money(number, self.reader.currency), self.language, whole)
        return number_text(number, self.language)

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────

    def cell(self, heading: Heading, value: Value) -> str:
        """A value below a heading; nothing where there is none."""
        if heading.role == "group" and heading.group is not None:
            return self.group(heading.group, value)
        if value is None or value == () or value == "":
            return ""
        if heading.as_percent:
            return percent_text(round(value, 1), self.language)
        unit = self.text(heading.unit) if heading.unit else ""
        if unit == "%":
            return percent_text(round(value, 1 if heading.scale is None else heading.scale), self.language)
        shown = self.value(value, heading.type, heading.scale)
        return f"{shown} {unit}" if unit else shown

    def value(self, value: Value, type_: Type | None = None, scale: int | None = None) -> str:
        """A value of any kind."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return str(_("Yes") if value else _("No"))
        if isinstance(value, Money):
            return money_text(value, self.language, scale)
        if isinstance(value, Decimal | int | float):
            return number_text(value, self.language, scale, most=2)
        if isinstance(value, timedelta):
            return duration_text(value)
        if isinstance(value, datetime):
            local = value.astimezone(self.reader.time_zone).replace(tzinfo=None)
            return str(format_datetime(local, "short", locale=locale_of(self.language)))
        if isinstance(value, date):
            return str(format_date(value, "medium", locale=locale_of(self.language)))
        if isinstance(value, Ref):
            return value.title or "—"
        if isinstance(value, Location):
            return f"{value.latitude:.5f}, {value.longitude:.5f}"
        if isinstance(value, tuple | list):
            item = type_.item if type_ is not None else None
            return str(_(", ")).join(self.value(v, item) for v in value)
        if isinstance(value, dict):
            return " ".join(str(v) for v in value.values() if v)
        if type_ is not None and type_.choices is not None and value in type_.choices:
            choice = type_.choices[value]
            label = getattr(choice, "label", choice)  # the configuration's own word, whatever ours are called
            return label.in_language(self.language) if isinstance(label, Text) else str(label)
        if hasattr(value, "strftime"):
            return str(format_time(value, "short", locale=locale_of(self.language)))
        return str(value)
