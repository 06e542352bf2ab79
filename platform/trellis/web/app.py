"""A tenant's app: Flask with Flask-AppBuilder, our pages, and the tenant's own keys and cookies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Request
from flask_appbuilder import AppBuilder
from flask_appbuilder.const import AUTH_DB
from jinja2 import Environment

from trellis.identity.manager import TenantSecurityManager, security_session
from trellis.web.auditing import set_up_auditing
from trellis.web.context import Serving
from trellis.web.errors import set_up_errors
from trellis.web.i18n import LANGUAGES, set_up_languages
from trellis.web.logs import set_up_request_log
from trellis.web.pages import PAGES
from trellis.web.pages.home import HomeView
from trellis.web.refusals import set_up_refusals
from trellis.web.rules import SharedRule
from trellis.web.security import TenantSessions, csrf, secure
from trellis.web.settings import Settings
from trellis.web.ui import make_environment

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

TEMPLATES = Path(__file__).parent / "templates"
LARGEST_REQUEST = 64 * 2**20
LARGEST_TEXT = 16 * 2**20  # of a body without files: forms are read into memory whole, before anybody is known
LARGEST_FORM_FIELD = 8 * 2**20

# Flask-AppBuilder tells of every view it registers; a tenant's app is built while people wait
logging.getLogger("flask_appbuilder").setLevel(logging.WARNING)

_environment: Environment | None = None


def shared_environment() -> Environment:
    """The Jinja environment of every app of this process."""
    global _environment
    if _environment is None:
        _environment = make_environment(TEMPLATES)
    return _environment


class TrellisRequest(Request):
    """A request whose body may be large only where it brings files."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        if self.mimetype != "multipart/form-data":
            self.max_content_length = LARGEST_TEXT


class TrellisApp(Flask):
    """A Flask app that draws with the shared templates.

    While it is being set up, Flask-AppBuilder and Flask-Babel put their filters, which are bound to this app, into an
    environment that is then thrown away: else the shared one would keep every app that was ever replaced.
    """

    request_class = TrellisRequest
    url_rule_class = SharedRule
    session_interface = TenantSessions()

    def __init__(self, name: str) -> None:
        super().__init__(name, static_folder=None, template_folder=None)
        self._setting_up: Environment | None = Environment(autoescape=True)

    @property
    def jinja_env(self) -> Any:
        """The shared environment, once the app is ready."""
        return self._setting_up if self._setting_up is not None else shared_environment()

    def ready(self) -> TrellisApp:
        """Leave setting-up behind."""
        self._setting_up = None
        return self


class TenantAppBuilder(AppBuilder):  # type: ignore[misc]
    """Flask-AppBuilder with our pages in place of its own."""

    def _add_global_static(self) -> None:
        """Nothing: our pages use none of its files."""

    def _add_global_filters(self) -> None:
        """Nothing: our templates use none of its filters."""

    def _add_menu_permissions(self, *_: Any) -> None:
        """Nothing: the menu comes from the Model."""

    def _add_admin_views(self) -> None:
        """The pages, each registered once; what they show comes from the Model at each request."""
        self._indexview = self.add_view_no_menu(self.indexview)
        for page in PAGES:
            self.add_view_no_menu(page)


Extension = Callable[[Flask], None]


def create_tenant_app(
    tenant: Tenant,
    settings: Settings | None = None,
    catalogue: Catalogue | None = None,
    extensions: Sequence[Extension] = (),
) -> Flask:
    """Build the app that serves one revision of one tenant; `extensions` add what is built on the pages (the API)."""
    settings = settings or Settings.from_environment()
    app = TrellisApp("trellis.web")
    app.config.update(_config(tenant, settings))
    app.extensions["trellis"] = Serving(tenant, settings, catalogue)
    session = security_session(tenant)
    with app.app_context():
        TenantAppBuilder(
            app,
            session,
            indexview=HomeView,
            security_manager_class=TenantSecurityManager,
            update_perms=False,
        )
    set_up_languages(app)
    set_up_refusals(app)
    set_up_request_log(app)
    csrf.init_app(app)  # after the log: what it refuses has a number
    set_up_auditing(app)
    set_up_errors(app)
    app.after_request(secure)
    for extend in extensions:
        extend(app)
    app.teardown_appcontext(lambda _error: session.remove())
    return app.ready()


def _config(tenant: Tenant, settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_for("session", tenant.slug),
        "WTF_CSRF_SECRET_KEY": settings.secret_for("csrf", tenant.slug),
        "JWT_SECRET_KEY": settings.secret_for("jwt", tenant.slug),
        "SESSION_COOKIE_NAME": f"t-{tenant.slug}",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": tenant.profile.sign_in.sessions.remember,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session; a form that is open over lunch still saves
        "WTF_CSRF_SSL_STRICT": True,
        "MAX_CONTENT_LENGTH": LARGEST_REQUEST,
        "MAX_FORM_MEMORY_SIZE": LARGEST_FORM_FIELD,
        "MAX_FORM_PARTS": 10_000,
        "AUTH_TYPE": AUTH_DB,
        "AUTH_ROLE_ADMIN": "admin",
        "FAB_UPDATE_PERMS": False,
        "FAB_CREATE_DB": False,
        "FAB_ADD_SECURITY_VIEWS": False,
        "FAB_ADD_SECURITY_API": False,
        "RATELIMIT_ENABLED": True,
        "LANGUAGES": {tag: {"name": name, "flag": ""} for tag, name in LANGUAGES.items()},
        "BABEL_DEFAULT_LOCALE": "en",
        "APP_NAME": tenant.profile.label,
    }
