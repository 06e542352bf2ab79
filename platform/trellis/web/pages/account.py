"""Signing in and out, and passwords that were forgotten."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import structlog
from flask import Response, current_app, flash, redirect, request, session, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address
from flask_login import login_user, logout_user

from trellis.identity.accounts import account_of_link, ask_for_link, use_link
from trellis.identity.manager import SESSION_KEY
from trellis.identity.person import PERSON, Person, read_person
from trellis.identity.preferences import read_preference
from trellis.identity.sessions import close_session, digest, open_session
from trellis.records.refusal import Refused
from trellis.web.context import current_model, current_person, current_tenant, own_store
from trellis.web.faults import fault_texts
from trellis.web.i18n import COOKIE, LANGUAGES
from trellis.web.limits import too_often
from trellis.web.metrics import SIGN_INS
from trellis.web.pages.base import Page
from trellis.web.security import safe_address

log = structlog.get_logger()
YEAR = 365 * 24 * 3600


class AccountView(Page):
    """The pages that people see before they are signed in."""

    @expose("/login", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def sign_in(self) -> Any:
        """Sign in by e-mail address and password."""
        target = safe_address(request.values.get("next"))
        if request.method == "GET":
            return redirect(target or url_for("HomeView.index")) if current_person() else self._form(target)
        email, password = request.form.get("email", "").strip(), request.form.get("password", "")
        if too_often("sign-in", get_remote_address(), email.lower()):
            SIGN_INS.labels(current_tenant().slug, "limited").inc()
            return self._form(target, email, _("Too many attempts. Please wait a minute."), 429)
        login = current_app.appbuilder.sm.auth_user_db(email, password)  # type: ignore[attr-defined]
        person = self._begin(login, remember="remember" in request.form) if login is not None else None
        if person is None:
            SIGN_INS.labels(current_tenant().slug, "refused").inc()
            log.info("sign-in refused")
            return self._form(target, email, _("E-mail address or password is wrong."), 422)
        SIGN_INS.labels(current_tenant().slug, "done").inc()
        log.info("signed in", person=str(person.id))
        response = redirect(target or url_for("HomeView.index"))
        theme = read_preference(current_tenant(), person.id, "theme")
        if isinstance(theme, str):
            response.set_cookie(
                "t-theme", theme, max_age=YEAR, path=f"{request.script_root}/", samesite="Lax", secure=request.is_secure
            )
        return response

    def _form(self, target: str | None, email: str = "", error: str = "", status: int = 200) -> Response:
        return self.draw("account/sign_in.html", status=status, target=target, email=email, error=error)

    def _begin(self, login: Any, *, remember: bool) -> Person | None:
        """Begin a new session; nothing of the one before it stays (session fixation)."""
        tenant = current_tenant()
        found = person_of_login(login.id)
        if found is None:
            return None
        secret = open_session(
            tenant, found, remember=remember, address=request.remote_addr, agent=request.user_agent.string
        )
        person = read_person(tenant, digest(secret))
        if person is None:
            return None
        session.clear()
        session[SESSION_KEY] = secret
        session.permanent = remember
        login_user(person)
        return person

    @expose("/logout", methods=["POST"])  # type: ignore[untyped-decorator]
    def sign_out(self) -> Any:
        """Sign out; the session is ended on the server too."""
        if secret := session.get(SESSION_KEY):
            close_session(current_tenant(), secret)
        logout_user()
        session.clear()
        response = redirect(url_for("AccountView.sign_in"))
        # what the browser kept of the pages goes as well
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    @expose("/forgot", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def forgot(self) -> Response:
        """Ask for a new password; the answer is the same for addresses that nobody has."""
        email = request.form.get("email", "").strip()
        if request.method == "POST" and not too_often("forgot", get_remote_address(), email.lower()):
            ask_for_link(current_tenant(), email)
        return self.draw("account/forgot.html", asked=request.method == "POST", email=email)

    @expose("/reset/<secret>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def reset(self, secret: str) -> Any:
        """Set a password by a link that works once."""
        account = account_of_link(current_tenant(), secret)
        if account is None:
            return self.draw("account/reset.html", status=410, account=None, errors={})
        if request.method == "GET":
            return self.draw("account/reset.html", account=account, errors={})
        password, again = request.form.get("password", ""), request.form.get("again", "")
        if password != again:
            errors = {"again": _("The two are not the same.")}
        else:
            try:
                use_link(current_tenant(), secret, password)
            except Refused as refused:
                errors = fault_texts(refused)
            else:
                flash(_("Your password is set. Sign in with it."), "success")
                return redirect(url_for("AccountView.sign_in"))
        return self.draw("account/reset.html", status=422, account=account, errors=errors)

    @expose("/language/<tag>", methods=["POST"])  # type: ignore[untyped-decorator]
    def language(self, tag: str) -> Any:
        """Choose the language for this browser, and for the person when one is signed in."""
        response = redirect(safe_address(request.form.get("next")) or url_for("HomeView.index"))
        if tag in LANGUAGES:
            response.set_cookie(
                COOKIE, tag, max_age=YEAR, path=f"{request.script_root}/", samesite="Lax", secure=request.is_secure
            )
            if (person := current_person()) is not None and "language" in current_model().entities[PERSON].fields:
                own_store().update(PERSON, person.id, {"language": tag})
        return response


def person_of_login(login: int) -> Any:
    """The id of the person that a login belongs to."""
    tenant = current_tenant()
    user = tenant.tables.entity[PERSON]
    with tenant.begin() as connection:
        return connection.execute(sa.select(user.c.id).where(user.c.login == login)).scalar()
