"""A business calendar as the Model holds it: its hours and its days, in its own time zone or the tenant's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import date
from zoneinfo import ZoneInfo

from trellis.formula.business import Calendar, Hours
from trellis.model.text import Text


@dataclass(frozen=True, eq=False)
class BusinessCalendar:
    """Business hours by weekday, Monday first, and the days that are otherwise. `zone` "": the tenant's."""

    key: str
    label: Text
    zone: str
    hours: tuple[Hours, ...]
    days: Mapping[date, Hours] = dc_field(default_factory=dict)
    names: Mapping[date, Text] = dc_field(default_factory=dict)  # what the day is: a holiday, made up for
    digest: str = ""
    _made: dict[str, Calendar] = dc_field(default_factory=dict, repr=False)

    def in_zone(self, tenants: str) -> Calendar:
        """The calendar at work for a tenant of that time zone."""
        zone = self.zone or tenants
        if zone not in self._made:
            self._made[zone] = Calendar(self.hours, self.days, ZoneInfo(zone))
        return self._made[zone]
