"""What the timeline is made of: days, their entries, and the details of a change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup


@dataclass(frozen=True)
class Detail:
    """One field that changed: from, to."""

    label: Any
    old: Markup
    new: Markup
    is_long: bool = False
    is_gone: bool = False


@dataclass(frozen=True)
class LineDetail:
    """A line that came, went or changed."""

    label: Any
    title: str
    icon: str
    verb: str
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True)
class Item:
    """One entry of the timeline."""

    kind: str  # "change", or the activity's entity
    at: datetime
    icon: str
    color: str
    who: str
    verb: str
    title: str = ""
    address: str = ""
    label: Any = ""
    badges: tuple[Markup, ...] = ()
    note: Markup | None = None
    files: Markup | None = None
    details: tuple[Detail, ...] = ()
    lines: tuple[LineDetail, ...] = ()
    when: str = ""
    undo: str = ""  # where to take it back, while that can be done
    is_linking: bool = False  # one side of each detail is blank, and goes without saying


@dataclass(frozen=True)
class Day:
    """The entries of a day."""

    label: str
    items: list[Item]
    is_coming: bool = False
