"""Links that work once: a password that was forgotten, an invitation."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.mail.account import is_set_up
from trellis.identity import letters
from trellis.identity.accounts import INVITATION, SET_PASSWORD, Account, account_of_link, use_link
from trellis.identity.invitations import forgot, language_of, tell
from trellis.identity.person import PERSON, principal_for, read_person_by_id
from trellis.identity.sign_in_log import note
from trellis.identity.throttle import address_key, begin_attempt, letter_key, unlock
from trellis.records.refusal import Refused
from trellis.web.context import current_model, current_tenant
from trellis.web.faults import fault_texts
from trellis.web.i18n import COOKIE, LANGUAGES
from trellis.web.links_to import base_for_letters
from trellis.web.pages.account import too_many
from trellis.web.pages.base import Page
from trellis.web.signing_in import here, keep_cookie, proceed


class LinksView(Page):
    """What people without a password, or with a link, see."""

    @expose("/forgot", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def forgot(self) -> Any:
        """Ask for a new password; the answer, and how long it takes, is the same for addresses that nobody has."""
        tenant, email = current_tenant(), request.form.get("email", "").strip()
        if not tenant.profile.sign_in.password:
            return redirect(url_for("AccountView.sign_in"))
        base = base_for_letters()
        by_mail = base is not None and is_set_up(tenant)
        if request.method == "GET":
            return self.draw("account/forgot.html", asked=False, email="", by_mail=by_mail, error="")
        if wait := begin_attempt(tenant, letter_key(email), address_key(request.remote_addr)):
            return self.draw(
                "account/forgot.html", status=429, asked=False, email=email, by_mail=by_mail, error=too_many(wait)
            )
        if email:
            forgot(tenant, email, base, here())
        return self.draw("account/forgot.html", asked=True, email=email, by_mail=by_mail, error="")

    @expose("/reset/<secret>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def reset(self, secret: str) -> Any:
        """Set a password by a link that works once."""
        account = account_of_link(current_tenant(), secret)
        if account is None or not current_tenant().profile.sign_in.password:
            return self._gone()
        if request.method == "GET":
            return self.draw("account/reset.html", account=account, errors={})
        errors, done = _set(secret, SET_PASSWORD)
        if errors:
            return self.draw("account/reset.html", status=422, account=account, errors=errors)
        if done is None:  # somebody else was quicker
            return self._gone()
        flash(_("Your password is set. Sign in with it."), "success")
        return redirect(url_for("AccountView.sign_in"))

    @expose("/invite/<secret>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def invite(self, secret: str) -> Any:
        """Accept an invitation: name, language and password; then one is in."""
        tenant = current_tenant()
        account = account_of_link(tenant, secret, INVITATION)
        if account is None:
            return self._gone()
        if not tenant.profile.sign_in.password:  # there is nothing to set: another place's account lets in
            return redirect(url_for("AccountView.sign_in"))
        name, language = request.form.get("name", account.name).strip(), request.form.get("language", "")
        values = {"name": name, "language": language or language_of(tenant, account.id)}
        if request.method == "GET":
            return self.draw("account/invite.html", account=account, errors={}, values=values)
        if not name:
            errors, done = {"name": _("Write your name.")}, None
        else:
            errors, done = _set(secret, INVITATION)
        if errors:
            return self.draw("account/invite.html", status=422, account=account, errors=errors, values=values)
        if done is None:
            return self._gone()
        _introduce(done, name, language)
        answer = proceed(done.id, "invitation", remember=False, target=None)
        if answer is None:
            return redirect(url_for("AccountView.sign_in"))
        if language in LANGUAGES:
            keep_cookie(answer, COOKIE, language)
        return answer

    def _gone(self) -> Response:
        """A link that was used, is too old, or never was."""
        return self.draw("account/gone.html", status=410)


def _set(secret: str, purpose: str) -> tuple[dict[str, str], Account | None]:
    """Set the password that the form has; what is wrong with it, or whose it is."""
    tenant = current_tenant()
    if request.form.get("password", "") != request.form.get("again", ""):
        return {"again": _("The two are not the same.")}, None
    try:
        done = use_link(tenant, secret, request.form.get("password", ""), purpose)
    except Refused as refused:
        return fault_texts(refused), None
    if done is not None:
        # whoever has the mailbox, or was handed the link, does not wait for what others have tried
        unlock(tenant, done.email)
        with tenant.begin() as connection:
            note(tenant, "password", done.id, "link", here(), connection=connection)
            if purpose == SET_PASSWORD:
                language = language_of(tenant, done.id)
                letter = letters.password_changed(tenant.profile, done, language, request.remote_addr or "—")
                tell(connection, tenant, done, letter, "notice")
    return {}, done


def _introduce(account: Account, name: str, language: str) -> None:
    """What somebody says of themselves, written to their record in their own name."""
    from dataclasses import replace

    from trellis.records.store import Store

    tenant = current_tenant()
    with tenant.begin() as connection:
        person = read_person_by_id(connection, tenant, account.id)
    if person is None:
        return
    values: dict[str, Any] = {"name": name} if name != account.name else {}
    if language in LANGUAGES and "language" in current_model().entities[PERSON].fields:
        values["language"] = language
    if values:
        principal = replace(principal_for(tenant, person), is_system=True)
        Store(tenant, principal).update(PERSON, account.id, values)
