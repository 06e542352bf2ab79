"""Who a formula is read for: what `me`, `today()` and money conversions depend on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from trellis.formula import clock
from trellis.formula.types import Ref

if TYPE_CHECKING:
    from trellis.formula.business import Calendar

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Reader:
    """The person, and the settings of the person and tenant, that a value is computed or shown for.

    `teams` are the keys or names of the person's teams and those above them, for in_team; `team_members` are the ids of
    the people in `my_team` (me and everyone below me). `now` is fixed for one request or run.
    `team_ids` are the teams whose shares reach the person. `contact` is who a person from outside is among the
    contacts: what `me` means in the role of a portal.
    `rates` maps a currency to how many units of the tenant's `currency` one unit is worth.
    """

    me: Ref | None = None
    roles: frozenset[str] = frozenset()
    my_team: Ref | None = None
    teams: frozenset[str] = frozenset()
    team_members: frozenset[UUID] = frozenset()
    team_ids: frozenset[UUID] = frozenset()
    has_shares: bool = True  # whether any record at all is shared with the person, or a team that reaches them
    contact: Ref | None = None
    language: str = "en"
    time_zone: ZoneInfo = UTC_ZONE
    currency: str = "EUR"
    region: str = "DE"
    now: datetime = dc_field(default_factory=clock.now)
    settings: Mapping[str, Any] = dc_field(default_factory=dict)
    rates: Mapping[str, Decimal] = dc_field(default_factory=dict)
    calendar: Calendar | None = None  # the tenant's business hours, where it has said which

    def today(self) -> date:
        """The reader's date at `now`."""
        return self.now.astimezone(self.time_zone).date()
