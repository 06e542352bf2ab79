"""One's own settings: language, time zone, theme, password, and where one is signed in."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, make_response, redirect, request, session, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.channels import PREFERENCE, write_choices
from trellis.identity import letters, second_factor
from trellis.identity.accounts import Account, set_password
from trellis.identity.invitations import language_of, tell
from trellis.identity.manager import SESSION_KEY
from trellis.identity.passwords import check_password
from trellis.identity.people import names_of
from trellis.identity.person import PERSON, Person
from trellis.identity.preferences import keep_preference
from trellis.identity.sessions import browsers, close_session_of, close_sessions, digest
from trellis.identity.sign_in_log import note, sign_in_history
from trellis.records.refusal import Refused
from trellis.web.context import current_model, current_person, current_tenant, own_store
from trellis.web.faults import fault_texts
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.i18n import COOKIE, LANGUAGES
from trellis.web.notice_words import choices_of, chosen_words
from trellis.web.pages.base import Page
from trellis.web.pages.proofs import own_account, password_fault
from trellis.web.pages.users import time_zones
from trellis.web.sign_in_words import door_words
from trellis.web.signing_in import here, keep_cookie, rotate
from trellis.web.ui import THEMES

OWN = ("language", "time_zone")  # what everybody may set on their own record


class ProfileView(Page):
    """The page of the person who is signed in."""

    @expose("/profile", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def profile(self) -> Any:
        """Language and time zone."""
        person = _me()
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
            keep_cookie(response, COOKIE, values["language"])
        elif "language" in values:  # what was chosen before sign-in, or earlier, no longer counts
            response.delete_cookie(COOKIE, path=f"{request.script_root}/")
        return response

    @expose("/profile/theme", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def theme(self) -> Response:
        """Remember the theme for the next sign-in, on any device."""
        theme = request.form.get("theme", "")
        if theme in THEMES:
            keep_preference(current_tenant(), _me().id, "theme", theme)
        return make_response("", 204)

    @expose("/profile/password", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def password(self) -> Any:
        """Change the password; every other browser is signed out, and this one gets another secret."""
        tenant, person = current_tenant(), _me()
        if not tenant.profile.sign_in.password:
            abort(404)
        account = own_account()
        errors = _password_faults(account)
        if errors:
            return self._page(errors)
        with tenant.begin() as connection:
            kept = digest(session[SESSION_KEY])
            set_password(connection, tenant, account, request.form["password"], keep_session=kept)
            note(tenant, "password", account.id, "page", here(), connection=connection)
            language = language_of(tenant, account.id)
            letter = letters.password_changed(tenant.profile, account, language, request.remote_addr or "—")
            tell(connection, tenant, account, letter, "notice")
        rotate(person)
        toast(_("Your password is changed. Other browsers are signed out."))
        return redirect(url_for("ProfileView.profile"))

    @expose("/profile/notices", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def notices(self) -> Any:
        """How one hears of what."""
        keep_preference(current_tenant(), _me().id, PREFERENCE, write_choices(*choices_of(request.form)))
        toast(_("Saved"))
        return redirect(url_for("ProfileView.profile", _anchor="notices"))

    @expose("/profile/sign-out", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def sign_out(self) -> Any:
        """End one session, somewhere else."""
        tenant, person = current_tenant(), _me()
        if close_session_of(tenant, person.id, request.form.get("session", "")):
            note(tenant, "ended", person.id, "page", here())
            toast(_("That browser is signed out."))
        else:
            toast(_("That browser was signed out already."), kind="info")
        return redirect(url_for("ProfileView.profile", _anchor="sessions"))

    @expose("/profile/sign-out-elsewhere", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def sign_out_elsewhere(self) -> Any:
        """End every other session."""
        tenant, person = current_tenant(), _me()
        with tenant.begin() as connection:
            if close_sessions(connection, tenant, person.id, but=person.session):
                note(tenant, "ended", person.id, "page", here(), connection=connection)
        toast(_("Other browsers are signed out."))
        return redirect(url_for("ProfileView.profile", _anchor="sessions"))

    def _page(self, errors: dict[str, str] | None = None) -> Response:
        tenant, person = current_tenant(), _me()
        entries = sign_in_history(tenant, person.id, 12)
        return self.draw(
            "profile.html",
            status=422 if errors else 200,
            person=person,
            errors=errors or {},
            has=frozenset(current_model().entities[PERSON].fields),
            roles=[role.label for key, role in current_model().roles.items() if key in person.roles],
            time_zones=time_zones(),
            sessions=browsers(tenant, person.id),
            tenant=tenant.profile,
            has_factor=second_factor.has_factor(tenant, person.id),
            offers_factor=second_factor.is_offered(tenant, person.roles),
            needs_factor=second_factor.is_required(tenant, person.roles),
            codes_left=second_factor.recovery_codes_left(tenant, person.id),
            entries=entries,
            names=names_of(tenant, {entry.by for entry in entries if entry.by is not None}),
            **door_words(),
            **chosen_words(person.id),
        )


def _me() -> Person:
    person = current_person()
    assert person is not None
    return person


def _password_faults(account: Account) -> dict[str, str]:
    """What stands in the way of the new password, by field."""
    form = request.form
    if error := password_fault(account):
        return {"current": error}
    if form.get("password", "") != form.get("again", ""):
        return {"again": _("The two are not the same.")}
    try:
        check_password(form.get("password", ""), account, current_tenant())
    except Refused as refused:
        return fault_texts(refused)
    return {}
