"""The smallest pieces of the look in Python: icon, avatar, badge. All text is escaped here."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from zlib import crc32

from markupsafe import Markup, escape

from trellis.web.assets import icon as draw

COLORS = (
    "blue",
    "azure",
    "indigo",
    "purple",
    "pink",
    "red",
    "orange",
    "yellow",
    "lime",
    "green",
    "teal",
    "cyan",
)


def icon(name: str, classes: str = "") -> str:
    """An icon drawn in the page, hidden from screen readers."""
    return str(draw(name, classes))


@lru_cache(maxsize=4096)
def color_of(key: str) -> str:
    """One of the twelve colours, always the same for the same key."""
    return COLORS[crc32(key.encode()) % len(COLORS)]


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    """Up to two letters that stand for a name; scripts without capitals get one."""
    words = [w for w in (word.strip("()[]{}\"'„“”«»,.;:–—-_/&+*#") for word in name.split()) if w]
    if not words:
        return "?"
    first = words[0][0]
    if unicodedata.category(first) != "Lu" and first.upper() == first:  # no capitals in this script, or a digit
        return first
    return (first + (words[-1][0] if len(words) > 1 else words[0][1:2])).upper()


@lru_cache(maxsize=4096)
def avatar(name: str, key: str, square: bool = False) -> str:
    """The coloured initials of a person (round) or a thing (square); the name itself stands beside it."""
    shape = "t-av t-av-sq" if square else "t-av"
    return f'<span class="{shape} c-{color_of(key)}" aria-hidden="true">{escape(initials(name))}</span>'


def badge(label: str, color: str) -> str:
    """A soft badge in one of the named colours."""
    return f'<span class="t-badge c-{escape(color or "gray")}"><bdi class="t-cut">{escape(label)}</bdi></span>'


def dash() -> Markup:
    """What a blank value looks like."""
    return Markup('<span class="t-3rd" aria-hidden="true">—</span>')
