"""Pages outside any tenant: the list of tenants, and what to say when a tenant cannot be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, redirect, render_template, request
from flask_babel import Babel
from flask_babel import gettext as _

from trellis.web.errors import answer, set_up_errors, trouble
from trellis.web.i18n import CATALOGUE, COOKIE, LANGUAGES, best_language
from trellis.web.logs import set_up_request_log
from trellis.web.schemas import schema_response
from trellis.web.security import secure
from trellis.web.signing_in import keep_cookie

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.web.settings import Settings


def create_front_app(settings: Settings, catalogue: Catalogue) -> Flask:
    """Build the app for what belongs to no tenant."""
    from trellis.web.app import TrellisApp

    app = TrellisApp("trellis.web.front")
    app.config.update(SECRET_KEY=settings.secret_for("session", ""), SESSION_COOKIE_NAME="t-front")
    Babel(app, locale_selector=_select_locale).domain_instance = CATALOGUE
    set_up_request_log(app)
    app.before_request(_refuse)
    set_up_errors(app)
    app.after_request(secure)

    @app.get("/")
    def landing() -> str:
        """Every tenant that is open, for people who do not know the address of theirs."""
        entries = [e for e in catalogue.list() if e.status == "active"] if settings.landing else []
        return render_template("landing.html", entries=entries, listed=settings.landing)

    @app.get("/schemas/<name>.json")
    def schema(name: str) -> Any:
        """The language's JSON Schemas, for editors."""
        return schema_response(name)

    @app.post("/language/<tag>")
    def language(tag: str) -> Any:
        """Choose the language of these pages."""
        response = redirect("/")
        if tag in LANGUAGES:
            keep_cookie(response, COOKIE, tag)
        return response

    return app.ready()


def _select_locale() -> str:
    for wish in (request.cookies.get(COOKIE), *request.accept_languages.values()):
        if found := best_language(wish):
            return found.replace("-", "_")
    return "en"


def _refuse() -> Any:
    """What the dispatcher cannot send anywhere."""
    refusal = request.environ.get("trellis.refusal")
    if refusal is None:
        return None
    if refusal == "host":
        return answer(
            400,
            message=_(
                "This server does not answer to that name. An administrator can allow it with TRELLIS_ALLOWED_HOSTS."
            ),
        )
    if refusal == "missing":
        return answer(404, message=_("No company has this address."))
    if refusal == "suspended":
        label = request.environ.get("trellis.label", "")
        return answer(
            503,
            message=_(
                "%(name)s is closed at the moment. Nothing is lost. Ask an administrator when it opens again.",
                name=label,
            ),
        )
    if refusal == "provisioning":
        return answer(503, message=_("This company is being set up. Try again in a minute."))
    said = trouble(request.environ.get("trellis.error"))
    return answer(503, message=said) if said else answer(500)
