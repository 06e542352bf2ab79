"""A dashboard of the Model: frozen, every name looked up, every formula compiled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING

from trellis.model.text import NO_TEXT, Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.reports.report import Mailing, Param, Report

COLUMNS = 12
TALLEST = 24  # rows of one widget
LOWEST = 120  # the last row that a widget may begin in; the stylesheet has a line for each


@dataclass(frozen=True)
class Place:
    """Where a widget stands among twelve columns, and how large it is."""

    x: int
    y: int
    width: int
    height: int

    def overlaps(self, other: Place) -> bool:
        """Whether the two share a cell."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


def free_place(taken: Iterable[Place], width: int, height: int) -> Place:
    """The first place below or beside the others that is free."""
    places = list(taken)
    bottom = max((p.y + p.height for p in places), default=0)
    for y in range(bottom + 1):
        for x in range(COLUMNS - width + 1):
            place = Place(x, y, width, height)
            if not any(place.overlaps(p) for p in places):
                return place
    return Place(0, bottom, width, height)


@dataclass(frozen=True)
class DashboardFilter:
    """What a reader may narrow all widgets by. `param` reads and shows its value; a date range has none.

    `fields`: by entity, the field that it is about; "" for all entities that are not named.
    """

    key: str
    type: str
    label: Text
    param: Param | None = None
    default: str | None = None  # of a date range
    fields: Mapping[str, str] = dc_field(default_factory=dict)


@dataclass(frozen=True)
class Widget:
    """One part of a dashboard. What only some kinds have is blank for the others."""

    key: str
    kind: str
    label: Text
    at: Place
    note: Text = NO_TEXT  # a few words beside the label
    roles: tuple[str, ...] = ()
    icon: str = ""
    color: str = ""
    report: str | None = None
    entity: str | None = None
    view: str | None = None
    entities: tuple[str, ...] = ()
    filter: Formula | None = None
    takes: tuple[str, ...] | None = None  # the dashboard's filters that reach it; None: all that fit
    params: Mapping[str, str] = dc_field(default_factory=dict)
    period: str | None = None
    compare: str | None = None
    measure: str | None = None
    also: str | None = None
    spark: str | None = None
    is_less_better: bool = False
    chart: str | None = None
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    limit: int | None = None
    target: Formula | None = None
    text: Text = NO_TEXT
    url: str = ""
    about: str = ""  # of a kind with words of its own: which
    added: str = ""  # to a dashboard of the configuration, by somebody: mine, all
    wrong: str = ""  # of a dashboard that somebody has made: why it shows nothing


@dataclass(frozen=True)
class Dashboard:
    """A page of widgets. `refresh`: after how many seconds it is asked anew while it is looked at."""

    key: str
    label: Text
    icon: str = "layout-dashboard"
    description: Text = NO_TEXT
    roles: tuple[str, ...] = ()
    filters: Mapping[str, DashboardFilter] = dc_field(default_factory=dict)
    widgets: Mapping[str, Widget] = dc_field(default_factory=dict)
    refresh: int | None = None
    is_own: bool = False  # somebody has made it in the browser
    mail: Mailing | None = None
    reports: Mapping[str, Report] = dc_field(default_factory=dict)  # those that people have built, which it shows
