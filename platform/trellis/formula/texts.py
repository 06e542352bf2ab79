"""Text in Python, with the same answers as PostgreSQL gives: by code point, simple case mapping, bounded growth."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from trellis.formula import exact, limits
from trellis.formula.exact import Number

SPACES = (
    " \t\n\r\f\v\u0085\u00a0"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What trim takes away: the spaces of all scripts."""
MAX_REPLACEMENT = 200
MAX_REPLACED = 20_000


@cache
def _upper_character(character: str) -> str:
    upper = character.upper()
    if len(upper) == 1:
        return upper
    # a mapping to several letters (ß, ŉ, ﬁ) is none; Greek with an iota below has a title form
    title = character.title()
    return title if len(title) == 1 else character


@cache
def _lower_character(character: str) -> str:
    lower = character.lower()
    return lower if len(lower) == 1 else lower[0]


def upper(text: str) -> str:
    """In capitals, letter for letter: ß stays ß."""
    return text.upper() if text.isascii() else "".join(map(_upper_character, text))


def lower(text: str) -> str:
    """In small letters, letter for letter: Σ is σ, İ is i."""
    return text.lower() if text.isascii() else "".join(map(_lower_character, text))


def trim(text: str) -> str:
    """Without spaces at both ends."""
    return text.strip(SPACES)


def _count(n: Number) -> int:
    return max(0, min(exact.whole(n), limits.MAX_TEXT))


def left(text: str, n: Number) -> str:
    """The first n characters."""
    return text[: _count(n)]


def right(text: str, n: Number) -> str:
    """The last n characters."""
    count = _count(n)
    return text[-count:] if count else ""


def mid(text: str, start: Number, n: Number | None = None) -> str:
    """n characters from the position `start`, which counts from 1."""
    begin = max(_count(start), 1) - 1
    return text[begin:] if n is None else text[begin : begin + _count(n)]


def replace(text: str, old: str, new: str) -> str:
    """The text with every `old` replaced."""
    if not old:
        return text
    return text[:MAX_REPLACED].replace(old, new[:MAX_REPLACEMENT])[: limits.MAX_TEXT]


def split(text: str, separator: str) -> tuple[str, ...]:
    """The parts between separators."""
    if not text:
        return ()
    return tuple(text.split(separator)) if separator else (text,)


def join(items: tuple[str, ...], separator: str) -> str:
    """The items in one text."""
    return separator[:MAX_REPLACEMENT].join(items)[: limits.MAX_TEXT]


MAX_COMPARED = 500
DEFAULT_SIMILARITY = "0.6"


def bigrams(text: str) -> frozenset[str]:
    """The pairs of neighbouring letters, in small letters and without spaces; of one letter, itself."""
    letters = "".join(c for c in lower(text[:MAX_COMPARED]) if c not in SPACES)
    return frozenset(letters[i : i + 2] for i in range(max(len(letters) - 1, 1))) if letters else frozenset()


def is_similar(a: str, b: str, least: Number | None = None) -> bool:
    """Do two texts share at least so large a part (0.6) of their pairs of letters (Sørensen-Dice)?"""
    wanted = Decimal(DEFAULT_SIMILARITY) if least is None else least
    x, y = bigrams(a), bigrams(b)
    if not x or not y:
        return False
    return 2 * len(x & y) >= exact.multiply(wanted, len(x) + len(y))
