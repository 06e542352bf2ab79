"""The reader's language as a Babel locale, and what people write in it: numbers, dates, words for days."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale, UnknownLocaleError


@lru_cache(maxsize=256)
def babel_locale(language: str) -> Locale:
    """The Babel locale for a BCP 47 language: zh-Hans-XX falls back to zh-Hans, zh, then English."""
    tag = language.replace("-", "_")
    while tag:
        try:
            return Locale.parse(tag)
        except (UnknownLocaleError, ValueError):
            tag = tag.rpartition("_")[0]
    return Locale("en")
