"""How records of an entity are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Literal

from trellis.model.text import Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula


@dataclass(frozen=True, slots=True)
class Sort:
    """A path to sort by, ascending or descending."""

    path: str
    descending: bool = False


@dataclass(frozen=True)
class View:
    """A list, board, calendar or map of an entity. `columns` and `card` hold field paths (`account.city`)."""

    key: str
    type: Literal["list", "kanban", "calendar", "map"]
    label: Text
    filter: Formula | None = None
    sort: tuple[Sort, ...] = ()
    columns: tuple[str, ...] = ()
    totals: Mapping[str, str] = dc_field(default_factory=dict)  # column → sum, avg, min, max, count
    group: str | None = None
    card: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()  # board columns that start collapsed
    start: str | None = None
    end: str | None = None
    all_day: str | None = None
    color: str | None = None
    location: str | None = None
    roles: tuple[str, ...] = ()
    icon: str | None = None


@dataclass(frozen=True)
class Related:
    """A list on the record page: the inverse or links field `list`."""

    list: str
    columns: tuple[str, ...] = ()
    label: Text | None = None
    visible_when: Formula | None = None
