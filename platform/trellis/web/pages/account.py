"""Signing in and out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from flask import Response, current_app, redirect, request, session, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import logout_user

from trellis.identity.accounts import find_account
from trellis.identity.manager import SESSION_KEY
from trellis.identity.person import PERSON
from trellis.identity.sessions import close_session
from trellis.identity.sign_in_log import note
from trellis.identity.throttle import account_key, address_key, begin_attempt, forgive, take_back
from trellis.web.context import current_model, current_person, current_tenant, own_store
from trellis.web.i18n import COOKIE, LANGUAGES
from trellis.web.metrics import SIGN_INS
from trellis.web.pages.base import Page
from trellis.web.security import safe_address
from trellis.web.signing_in import here, is_known_device, keep_cookie, proceed

log = structlog.get_logger()
SORRY = "_sorry"  # in the cookie: why a sign-in by another place has come back to this page


class AccountView(Page):
    """The pages that people see before they are signed in."""

    @expose("/login", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def sign_in(self) -> Any:
        """Sign in by e-mail address and password."""
        target = safe_address(request.values.get("next"))
        if request.method == "GET":
            if current_person():
                return redirect(target or url_for("HomeView.index"))
            return self._form(target, error=session.pop(SORRY, ""))
        tenant = current_tenant()
        email, password = request.form.get("email", "").strip(), request.form.get("password", "")
        account = account_key(tenant, email, is_known_device=is_known_device(email))
        address = address_key(request.remote_addr)
        if wait := begin_attempt(tenant, account, address):
            self._note(email, "locked")
            return self._form(target, email, too_many(wait), 429)
        found = current_app.appbuilder.sm.authenticate(email, password, here())  # type: ignore[attr-defined]
        answer = None
        if found is not None:
            answer = proceed(found.person, found.means, remember="remember" in request.form, target=target)
        if answer is None:
            self._note(email, "refused")
            return self._form(target, email, _("E-mail address or password is wrong."), 422)
        forgive(tenant, account)
        take_back(tenant, address)
        return answer

    def _note(self, email: str, event: Any) -> None:
        """Write down an attempt that failed; for whom, if there is somebody."""
        tenant = current_tenant()
        known = find_account(tenant, email)
        note(tenant, event, known.id if known is not None else None, "password", here())
        SIGN_INS.labels(tenant.slug, event).inc()
        log.info("sign-in refused", why=event)

    def _form(self, target: str | None, email: str = "", error: str = "", status: int = 200) -> Response:
        sign_in = current_tenant().profile.sign_in
        return self.draw(
            "account/sign_in.html", status=status, target=target, email=email, error=error, sign_in=sign_in
        )

    @expose("/logout", methods=["POST"])  # type: ignore[untyped-decorator]
    def sign_out(self) -> Any:
        """Sign out; the session is ended on the server too."""
        person = current_person()
        if secret := session.get(SESSION_KEY):
            close_session(current_tenant(), secret)
        if person is not None:
            note(current_tenant(), "out", person.id, str(person.session_data.get("means") or "password"), here())
        logout_user()
        session.clear()
        response = redirect(url_for("AccountView.sign_in"))
        # what the browser kept of the pages goes as well
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    @expose("/language/<tag>", methods=["POST"])  # type: ignore[untyped-decorator]
    def language(self, tag: str) -> Any:
        """Choose the language for this browser, and for the person when one is signed in."""
        response = redirect(safe_address(request.form.get("next")) or url_for("HomeView.index"))
        if tag in LANGUAGES:
            keep_cookie(response, COOKIE, tag)
            if (person := current_person()) is not None and "language" in current_model().entities[PERSON].fields:
                own_store().update(PERSON, person.id, {"language": tag})
        return response


def too_many(wait: timedelta) -> str:
    """What is said to somebody who has to wait; the same for everybody."""
    seconds = max(1, round(wait.total_seconds()))
    if seconds < 60:
        return str(
            ngettext(
                "Too many attempts. Please wait %(num)d second.",
                "Too many attempts. Please wait %(num)d seconds.",
                seconds,
            )
        )
    return str(
        ngettext(
            "Too many attempts. Please wait %(num)d minute.",
            "Too many attempts. Please wait %(num)d minutes.",
            -(-seconds // 60),
        )
    )
