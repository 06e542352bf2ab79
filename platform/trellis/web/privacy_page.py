"""The page of a data-subject export: what is held about a person, for that person to read. It needs no app."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader

from trellis.model.catalogues import catalogue
from trellis.model.locales import babel_locale
from trellis.web.audit_words import HOW_WORDS

if TYPE_CHECKING:
    from pathlib import Path

    from trellis.formula.reader import Reader
    from trellis.model.model import Model
    from trellis.records.privacy.gathering import Everything


@cache
def _environment(folder: Path, locale: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(folder), autoescape=True, extensions=["jinja2.ext.i18n"], trim_blocks=True
    )
    words = catalogue(locale)
    made.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    return made


def draw_held(found: Everything, model: Model, reader: Reader) -> str:
    """The page in the reader's language."""
    from trellis.web.app import TEMPLATES

    locale = babel_locale(reader.language)
    words = catalogue(str(locale))
    how = {key: words.gettext(word._args[0]) for key, word in HOW_WORDS.items()}
    template = _environment(TEMPLATES, str(locale)).get_template("privacy_export.html")

    def label(entity: str, field: str = "") -> str:
        definition = model.entities.get(entity)
        if definition is None:
            return field or entity
        if not field:
            return definition.label.in_language(reader.language)
        known = definition.fields.get(field.partition(".")[0])
        return field if known is None else known.label.in_language(reader.language)

    def moment(text: str) -> str:
        from datetime import datetime

        at = datetime.fromisoformat(text)
        return str(format_datetime(at, "medium", tzinfo=reader.time_zone, locale=locale))

    return template.render(found=found, label=label, moment=moment, how=how, language=reader.language)
