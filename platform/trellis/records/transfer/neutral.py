"""Cells that a spreadsheet would run as formulas: made harmless on the way out, read back on the way in (CWE-1236)."""

from __future__ import annotations

import re

_RUNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MARK = "'"


def guard(text: str) -> str:
    """A cell that no spreadsheet runs: an apostrophe before what would start a formula. Plain numbers stay."""
    if text.startswith((*_RUNS, _MARK)) and not _is_number(text):
        return _MARK + text
    return text


def unguard(text: str) -> str:
    """A cell as it was before `guard`."""
    rest = text[1:]
    return rest if text.startswith(_MARK) and rest.startswith((*_RUNS, _MARK)) and not _is_number(rest) else text


def _is_number(text: str) -> bool:
    # A phone number (+49…) is no number to a person: its plus must survive the spreadsheet.
    return not text.startswith("+") and _NUMBER.fullmatch(text) is not None
