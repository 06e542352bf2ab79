"""What the platform says in other languages: the catalogues, read straight from their .po files."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

CATALOGUES = Path(__file__).parents[1] / "web" / "translations"


@cache
def catalogue(locale: str) -> NullTranslations:
    """The catalogue of a language (zh_Hans); an empty one (English) when there is none."""
    for name in (locale, locale.rpartition("_")[0]):
        path = CATALOGUES / name / "LC_MESSAGES" / "messages.po"
        if name and path.is_file():
            compiled = BytesIO()
            with path.open("rb") as file:
                write_mo(compiled, read_po(file, locale=name))
            compiled.seek(0)
            return Translations(compiled)
    return Translations()
