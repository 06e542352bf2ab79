"""Whether two normalised texts are similar enough to mean the same."""

from __future__ import annotations

import re
from decimal import Decimal

from trellis.formula.texts import is_similar

_DIGITS = re.compile(r"\d+")


def is_alike(one: str, other: str, least: str | None = None) -> bool:
    """What a formula's `similar` says; but other numbers make other things: branch 12 is not branch 13."""
    if one == other:
        return True
    if _DIGITS.findall(one) != _DIGITS.findall(other):
        return False
    return is_similar(one, other, Decimal(least) if least is not None else None)
