"""One's own settings: language, time zone, theme, password, and where one is signed in."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, request, session, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address

from trellis.identity.accounts import Account, check_password, is_password, read_account, set_password
from trellis.identity.manager import SESSION_KEY
from trellis.identity.people import browsers
from trellis.identity.person import PERSON
from trellis.identity.preferences import keep_preference
from trellis.identity.sessions import close_sessions, digest
from trellis.records.refusal import Refused
from trellis.web.context import current_model, current_person, current_tenant, own_store
from trellis.web.faults import fault_texts
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.i18n import COOKIE, LANGUAGES
from trellis.web.limits import too_often
from trellis.web.pages.base import Page
from trellis.web.pages.users import options_of, time_zones
from trellis.web.ui import THEMES

YEAR = 365 * 24 * 3600
OWN = ("language", "time_zone")  # what everybody may set on their own record


class ProfileView(Page):
    """The page of the person who is signed in."""

    @expose("/profile", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def profile(self) -> Any:
        """Language and time zone."""
        person = current_person()
        assert person is not None
        if request.method == "GET":
            return self._page()
        fields = current_model().entities[PERSON].fields
        values = {key: request.form.get(key, "") for key in OWN if key in fields and key in request.form}
        try:
            own_store().update(PERSON, person.id, values)
        except Refused as refused:
            return self._page(fault_texts(refused))
        toast(_("Saved"))
        response = redirect(url_for("ProfileView.profile"))
        if values.get("language") in LANGUAGES:
            response.set_cookie(
                COOKIE, values["language"], max_age=YEAR, path=f"{request.script_root}/", samesite="Lax"
            )
        elif "language" in values:  # what was chosen before sign-in, or earlier, no longer counts
            response.delete_cookie(COOKIE, path=f"{request.script_root}/")
        return response

    @expose("/profile/theme", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def theme(self) -> Response:
        """Remember the theme for the next sign-in, on any device."""
        person, theme = current_person(), request.form.get("theme", "")
        assert person is not None
        if theme in THEMES:
            keep_preference(current_tenant(), person.id, "theme", theme)
        return make_response("", 204)

    @expose("/profile/password", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def password(self) -> Any:
        """Change the password; every other browser is signed out."""
        account = _own_account()
        errors = _password_faults(account)
        if errors:
            return self._page(errors)
        with current_tenant().begin() as connection:
            set_password(
                connection,
                current_tenant(),
                account,
                request.form["password"],
                keep_session=digest(session[SESSION_KEY]),
            )
        toast(_("Your password is changed. Other browsers are signed out."))
        return redirect(url_for("ProfileView.profile"))

    @expose("/profile/sign-out-elsewhere", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def sign_out_elsewhere(self) -> Any:
        """End every other session."""
        person = current_person()
        assert person is not None
        with current_tenant().begin() as connection:
            close_sessions(connection, current_tenant(), person.id, but=person.session)
        toast(_("Other browsers are signed out."))
        return redirect(url_for("ProfileView.profile"))

    def _page(self, errors: dict[str, str] | None = None) -> Response:
        person = current_person()
        assert person is not None
        return self.draw(
            "profile.html",
            status=422 if errors else 200,
            person=person,
            errors=errors or {},
            has=frozenset(current_model().entities[PERSON].fields),
            roles=[role.label for key, role in current_model().roles.items() if key in person.roles],
            time_zones=options_of(time_zones()),
            browsers=browsers(current_tenant(), person.id),
            tenant=current_tenant().profile,
        )


def _own_account() -> Account:
    person = current_person()
    account = read_account(current_tenant(), person.id) if person is not None else None
    assert account is not None
    return account


def _password_faults(account: Account) -> dict[str, str]:
    """What stands in the way of the new password, by field."""
    form = request.form
    if too_often("password", get_remote_address(), str(account.id)):
        return {"current": _("Too many attempts. Please wait a minute.")}
    with current_tenant().begin() as connection:
        if not is_password(connection, current_tenant(), account, form.get("current", "")):
            return {"current": _("That is not your password.")}
    if form.get("password", "") != form.get("again", ""):
        return {"again": _("The two are not the same.")}
    try:
        check_password(form.get("password", ""), account)
    except Refused as refused:
        return fault_texts(refused)
    return {}
