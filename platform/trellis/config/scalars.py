"""What an unquoted word in YAML means here: fewer surprises than YAML 1.1's `no`, `12:30` and `010`."""

from __future__ import annotations

import re
from decimal import Decimal

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,29})\Z")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,29})?(?:\.[0-9]{1,30}|(?:\.[0-9]{1,30})?[eE][-+]?[0-9]{1,2})\Z")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


def resolve_plain(text: str) -> str | int | Decimal | bool | None:
    """The value of a plain scalar; everything that is not plainly a number, a boolean or null is text."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.match(text):
        return int(text)
    if _DECIMAL.match(text) and any(c.isdigit() for c in text.partition("e")[0]):
        return Decimal(text)
    return text
