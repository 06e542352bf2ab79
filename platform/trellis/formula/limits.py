"""How large a formula may be."""

from __future__ import annotations

MAX_LENGTH = 4_000
"""Characters of source."""
MAX_DEPTH = 40
"""Nested parts: a bound on recursion in both back ends."""
MAX_NODES = 600
"""Parts in all."""
MAX_WEIGHT = 4_000
"""Parts of the SQL, where a money or a date that is named once may be written several times."""
MAX_DIGITS = 40
"""Digits of a number that is written in a formula."""
MAX_TEXT = 100_000
"""Characters of a text that a function makes longer."""
