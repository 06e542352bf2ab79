"""What every template can use: icons, avatars, badges, addresses, the frame's data."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import flask
import orjson
from flask import current_app, get_flashed_messages, request
from flask_babel import format_date, format_datetime, get_locale, get_timezone
from flask_wtf.csrf import generate_csrf
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup, escape, soft_str
from werkzeug.local import LocalProxy

from trellis.web import navigation
from trellis.web.assets import asset, icon
from trellis.web.cells.markup import avatar as avatar_text
from trellis.web.cells.markup import badge as badge_text
from trellis.web.cells.markup import color_of
from trellis.web.cells.times import short_moment
from trellis.web.context import (
    current_language,
    current_person,
    current_principal,
    current_reader,
    current_tenant,
    may,
)
from trellis.web.drawing import WithIcons
from trellis.web.i18n import CATALOGUE, LANGUAGES, is_rtl, language_name, locale_name, lower_first, say
from trellis.web.texts import script_texts

if TYPE_CHECKING:
    from pathlib import Path

THEMES = ("light", "dark", "auto")


def make_environment(templates: Path) -> Environment:
    """One Jinja environment for every tenant's app: templates are compiled once for each process."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
        undefined=StrictUndefined,
        finalize=say,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.code_generator_class = WithIcons
    own = CATALOGUE  # straight, as every app has these catalogues; Flask-Babel's own functions look for them each time
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        own.gettext, own.ngettext, newstyle=True, pgettext=own.pgettext, npgettext=own.npgettext
    )
    for name in ("ngettext", "pgettext", "npgettext"):
        environment.globals[name] = _with_texts(environment.globals[name])
    environment.globals["gettext"] = environment.globals["_"] = translated
    environment.globals.update(
        url_for=navigation.url_for,
        request=flask.request,
        g=flask.g,
        session=flask.session,
        config=LocalProxy(lambda: current_app.config),
        get_flashed_messages=get_flashed_messages,
        asset=asset,
        icon=icon,
        avatar=avatar,
        badge=badge,
        color_of=color_of,
        address=navigation.address,
        entity_address=navigation.entity_address,
        csrf_token=generate_csrf,
        frame=Frame(),
        may=may,
        languages=LANGUAGES,
        language_name=language_name,
    )
    environment.filters["string"] = lambda value: soft_str(say(value))
    environment.filters["inside"] = lambda value: lower_first(str(say(value)))
    environment.filters["moment"] = moment
    environment.filters["day"] = lambda on, form="medium": format_date(on, form)
    environment.policies["json.dumps_function"] = dump_json
    return environment


def moment(at: datetime, form: str = "medium") -> str:
    """A moment on the reader's clock; in short form as the lists write it."""
    if form != "short":
        return str(format_datetime(at, form))
    zone = get_timezone() or UTC
    return short_moment(at.astimezone(zone), datetime.now(zone).date(), str(get_locale() or "en"))


def translated(message: str, /, **params: Any) -> Markup:
    """Jinja's newstyle gettext by a shorter way, as a page calls it a hundred times; parameters are escaped."""
    if not params:
        return _said(locale_name(), message)
    text = CATALOGUE.get_translations().ugettext(message)
    return Markup(text % {key: v if type(v) is int else escape(say(v)) for key, v in params.items()})


@lru_cache(maxsize=8192)
def _said(locale: str, message: str) -> Markup:
    """A text without parameters in a language: two percent signs stand for one."""
    return Markup(CATALOGUE.of(locale).ugettext(message)) % {}


@lru_cache(maxsize=64)
def _script_texts(_locale: str) -> Markup:
    """The same for everybody who reads a language: written out once."""
    return htmlsafe_json_dumps(script_texts(), dumps=dump_json)


def _with_texts(translate: Any) -> Any:
    """Jinja's gettext, with the Texts among its parameters in the reader's language too."""

    @pass_context
    def translated(context: Any, *message: Any, **params: Any) -> Any:
        return translate(context, *message, **{key: say(value) for key, value in params.items()})

    return translated


def dump_json(value: Any, **_: Any) -> str:
    """JSON for data blocks in a page: Jinja's tojson escapes it for HTML."""
    return orjson.dumps(value, default=str).decode()


def avatar(name: str, key: str | None = None, *, size: int = 20, square: bool = False) -> Markup:
    """The coloured initials of a person (round) or a thing (square): 20, 24, 28 or 40 px."""
    drawn = avatar_text(name, key or name, square)
    if size != 20:
        drawn = drawn.replace('class="t-av', f'class="t-av t-av-{size}', 1)
    return Markup(drawn)


def badge(label: Any, color: str = "gray") -> Markup:
    """A soft badge in one of the named colours."""
    return Markup(badge_text(str(say(label)), color))


@lru_cache(maxsize=1024)
def _menu(_: tuple[object, ...]) -> Markup:
    """The menu of the request at hand; what it depends on is its key."""
    return Markup(flask.render_template("_menu.html", groups=navigation.sidebar()))


class Frame:
    """What the layout asks, each when it draws it."""

    @property
    def tenant(self) -> Any:
        """The tenant's profile; None on pages outside any tenant."""
        return current_tenant().profile if "trellis" in current_app.extensions else None

    @property
    def person(self) -> Any:
        """Who is signed in, or None."""
        return current_person() if "trellis" in current_app.extensions else None

    @property
    def role_label(self) -> Any:
        """What stands below the person's name: the job, else the first role."""
        person, roles = current_person(), current_tenant().model.roles
        if person is None:
            return ""
        return person.job_title or next((roles[key].label for key in person.roles if key in roles), "")

    @property
    def language(self) -> str:
        """The page's language, for <html lang>."""
        return current_language()

    @property
    def direction(self) -> str:
        """Left to right or right to left."""
        return "rtl" if is_rtl(current_language()) else "ltr"

    @property
    def theme(self) -> str:
        """Light, dark or as the system has it."""
        chosen = request.cookies.get("t-theme", "auto")
        return chosen if chosen in THEMES else "auto"

    @property
    def is_narrow(self) -> bool:
        """Whether the sidebar is collapsed."""
        return request.cookies.get("t-side") == "narrow"

    @property
    def menu(self) -> Markup:
        """The sidebar's groups: drawn once for all who have the same roles and language and stand in the same place."""
        tenant, principal = current_tenant(), current_principal()
        what = (tenant.model.hash, tenant.profile.modules, principal.is_system or principal.roles)
        where = (request.script_root, *request.path.split("/")[1:3], request.args.get("view", "")[:60])
        return _menu((*what, locale_name(), *where))

    @property
    def has_dashboards(self) -> bool:
        """Whether there is a dashboard that the person may open."""
        from trellis.reports.dashboards.seen import may_open
        from trellis.web.context import current_store

        known = current_tenant().model.dashboards.values()
        return current_person() is not None and any(may_open(current_store(), d) for d in known)

    @property
    def here(self) -> str:
        """The page's own path below the tenant's address."""
        return request.path

    @property
    def texts(self) -> Markup:
        """The scripts' texts, as JSON."""
        return _script_texts(locale_name())

    @property
    def reader(self) -> Any:
        """The reader's settings."""
        return current_reader()

    @property
    def theme_address(self) -> str | None:
        """The stylesheet with the tenant's colour; None when the tenant has none of its own."""
        from trellis.web.branding import brand_version

        version = brand_version(current_tenant().profile) if "trellis" in current_app.extensions else None
        return navigation.address(f"theme.css?v={version}") if version else None

    def flashes(self) -> list[dict[str, Any]]:
        """Messages of the last request, for toasts."""
        flashed: Any = get_flashed_messages(with_categories=True)
        return [{"kind": kind, **(m if isinstance(m, dict) else {"text": str(m)})} for kind, m in flashed]
