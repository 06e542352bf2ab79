"""What letters say, in the reader's language: gettext without a request around it."""

from __future__ import annotations

from typing import Protocol

from babel import Locale, UnknownLocaleError

from trellis.model.catalogues import catalogue


class Say(Protocol):
    """Gives a text in one language, with its parameters filled in: `_("Hello %(name)s", name="Anna")`."""

    def __call__(self, text: str, **params: object) -> str:
        """The text."""


def words(language: str) -> Say:
    """The texts of a language; English where there is none."""
    try:
        known = catalogue(str(Locale.parse(language.replace("-", "_"))))
    except (UnknownLocaleError, ValueError):
        known = catalogue("en")

    def say(text: str, **params: object) -> str:
        found = str(known.gettext(text))
        return found % params if params else found

    return say
