"""Languages of the pages: which one answers a request, and our own catalogues, read straight from the .po files."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal
from babel.support import NullTranslations
from flask import g, has_app_context, request
from flask_babel import Domain, get_locale

from trellis.model.catalogues import CATALOGUES, catalogue
from trellis.model.text import Text

if TYPE_CHECKING:
    from flask import Flask

LANGUAGES = {"en": "English", "zh-Hans": "简体中文"}  # that the platform's own texts are written in
COOKIE = "t-lang"
FOR_STRANGERS = ("WebFormsView.", "OptOutView.")  # pages whose language the address may say


class Catalogues(Domain):  # type: ignore[misc]
    """Our translations, shared by every tenant's app. No compiled .mo files: the text is read on first use."""

    def __init__(self) -> None:
        super().__init__(translation_directories=[str(CATALOGUES)])
        self._guard = threading.Lock()

    def get_translations(self) -> NullTranslations:
        """The catalogue of this request's language."""
        return self.of(locale_name())

    def ngettext(self, singular: str, plural: str, num: int, **variables: Any) -> str:
        """A text about so many, the number written as the language writes it: 5,114 records."""
        words = self.get_translations().ungettext(singular, plural, num).replace("%(num)d", "%(num)s")
        number = str(num) if abs(num) < 1000 else format_decimal(num, locale=get_locale())
        return str(words % {"num": number, **variables})

    def of(self, locale: str) -> NullTranslations:
        """The catalogue of a language; an empty one (English) when there is none."""
        found = self.cache.get(locale)
        if found is None:
            with self._guard:
                found = self.cache[locale] = catalogue(locale)
        translations: NullTranslations = found
        return translations


def locale_name() -> str:
    """The name of this request's locale. A page asks hundreds of times: it is written out once for each request."""
    kept = g.get("_flask_babel")  # where Flask-Babel keeps the locale, which may be forced to another for a while
    locale = getattr(kept, "babel_locale", None) or get_locale()
    if locale is None:
        return "en"
    kept = kept or g._flask_babel
    if getattr(kept, "named", None) is not locale:
        kept.named, kept.name = locale, str(locale)
    name: str = kept.name
    return name


CATALOGUE = Catalogues()


@lru_cache(maxsize=256)
def locale_of(tag: str | None) -> Locale | None:
    """The locale of a BCP 47 tag; None for what is no language."""
    if not tag:
        return None
    try:
        return Locale.parse(tag.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return None


@lru_cache(maxsize=256)
def best_language(tag: str | None, offered: tuple[str, ...] = tuple(LANGUAGES)) -> str | None:
    """The offered language that serves a reader of `tag`: zh-CN reads zh-Hans, en-GB reads en."""
    locale = locale_of(tag)
    if locale is None:
        return None
    for candidate in offered:
        other = locale_of(candidate)
        if (
            other is not None
            and other.language == locale.language
            and (not other.script or not (script := _script(locale)) or script == other.script)
        ):
            return candidate
    return None


def _script(locale: Locale) -> str | None:
    if locale.script or locale.language != "zh":
        script: str | None = locale.script
        return script
    return "Hant" if locale.territory in ("TW", "HK", "MO") else "Hans"


def select_locale() -> str:
    """The language of this page: the person's; before sign-in the cookie's, then the browser's; then the tenant's."""
    from trellis.web.context import current_person, current_tenant

    if (request.endpoint or "").startswith(FOR_STRANGERS):  # whoever is signed in beside it
        said = (request.args.get("lang"), *request.accept_languages.values(), current_tenant().profile.language)
        return next((found.replace("-", "_") for wish in said if (found := best_language(wish))), "en")
    person = current_person()
    wishes = (
        [person.language]
        if person and person.language
        else [request.cookies.get(COOKIE), *request.accept_languages.values()]
    )
    for wish in [*wishes, current_tenant().profile.language]:
        if found := best_language(wish):
            return found.replace("-", "_")
    return "en"


def select_timezone() -> Any:
    """The zone that moments are shown in."""
    from trellis.web.context import current_reader

    return current_reader().time_zone


def set_up_languages(app: Flask) -> None:
    """Make Flask-Babel use our rules and our catalogues instead of its own per app."""
    babel = app.extensions["babel"]
    babel.locale_selector = select_locale
    babel.timezone_selector = select_timezone
    babel.instance.domain_instance = CATALOGUE


def language_name(tag: str) -> str:
    """A language's name in itself: Deutsch, 简体中文."""
    if tag in LANGUAGES:
        return LANGUAGES[tag]
    locale = locale_of(tag)
    name = locale.get_display_name() if locale else None
    return (name[:1].upper() + name[1:]) if name else tag


def is_rtl(tag: str) -> bool:
    """Whether a language is written from right to left."""
    locale = locale_of(tag)
    return locale is not None and locale.text_direction == "rtl"


def say(value: Any) -> Any:
    """What a template prints: a Text from the YAML in the reader's language, everything else as it is."""
    if isinstance(value, Text):
        return value.in_language(locale_name()) if value.translations else value.source
    return value


CAPITAL_NOUNS = ("de", "lb")


def lower_first(label: str) -> str:
    """A label inside a sentence: "Open deals" → "open deals"; acronyms, "WeChat", other scripts, German nouns stay.

    What language a label is written in, nobody says: a tenant whose language is German has German labels.
    """
    from trellis.web.context import current_tenant

    if not label[1:2].islower() or not label.split()[0][1:].islower():
        return label
    language = current_tenant().profile.language if has_app_context() else ""
    return label if language.partition("-")[0] in CAPITAL_NOUNS else label[:1].lower() + label[1:]
