"""The second factor: its code at sign-in, setting it up, recovery codes."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request, session, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.identity import pending, second_factor
from trellis.identity.accounts import Account, read_account
from trellis.identity.pending import Pending
from trellis.identity.sign_in_log import note
from trellis.identity.throttle import begin_attempt, forgive, person_key
from trellis.model.sealing import seal, unseal
from trellis.web.context import current_person, current_tenant
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.pages.account import too_many
from trellis.web.pages.base import Page
from trellis.web.pages.proofs import own_account, password_fault, shown_code
from trellis.web.signing_in import PENDING, begin, finish, here, rotate, welcome

DRAFT = "_factor"  # in the cookie: the secret that the picture shows, sealed, until a code proves that an app has it


class FactorView(Page):
    """Between password and session, and in the profile."""

    @expose("/login/code", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def code(self) -> Any:
        """Ask for the code of the app, or for a recovery code."""
        waiting = _waiting()
        if waiting is None or waiting.person is None:
            return redirect(url_for("AccountView.sign_in"))
        if request.method == "GET":
            return self.draw("account/code.html", error="")
        tenant, person, means = current_tenant(), waiting.person, str(waiting.data["means"])
        shown = shown_code(person)
        if shown.event is not None:
            note(tenant, shown.event, person, means, here())
        if shown.error:
            return self.draw("account/code.html", status=shown.status, error=shown.error)
        if not pending.end(tenant, waiting):
            return redirect(url_for("AccountView.sign_in"))
        if shown.event == "code-used":
            left = second_factor.recovery_codes_left(tenant, person)
            toast(_("Recovery codes that are left: %(count)s. New ones are in your profile.", count=left))
        answer = finish(person, means, remember=bool(waiting.data["remember"]), target=waiting.data["target"])
        return answer or redirect(url_for("AccountView.sign_in"))

    @expose("/login/set-up", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def set_up(self) -> Any:
        """Set a second factor up before the first page is shown: the role, or the company, asks for one."""
        waiting = _waiting()
        account = read_account(current_tenant(), waiting.person) if waiting and waiting.person else None
        if waiting is None or account is None or second_factor.has_factor(current_tenant(), account.id):
            return redirect(url_for("AccountView.sign_in"))
        if request.method == "GET":
            return self._picture("account/set_up.html", account)
        codes, error = _shown_code(account)
        if codes is None:
            return self._picture("account/set_up.html", account, {"code": error})
        if not pending.end(current_tenant(), waiting):
            return redirect(url_for("AccountView.sign_in"))
        means, target = str(waiting.data["means"]), waiting.data["target"]
        if not begin(account.id, means, remember=bool(waiting.data["remember"])):
            return redirect(url_for("AccountView.sign_in"))
        onward = target or url_for("HomeView.index")
        return welcome(self.draw("account/codes.html", codes=codes, onward=onward))

    @expose("/profile/factor", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def own(self) -> Any:
        """Set one's second factor up, or another phone for it."""
        account = own_account()
        if not second_factor.is_offered(current_tenant(), _own_roles()):
            return redirect(url_for("ProfileView.profile"))
        if request.method == "GET":
            return self._picture("factor.html", account)
        if _asks_password() and (error := password_fault(account)):
            return self._picture("factor.html", account, {"current": error})
        codes, error = _shown_code(account)
        if codes is None:
            return self._picture("factor.html", account, {"code": error})
        _rotate()
        return self.draw("recovery_codes.html", codes=codes)

    @expose("/profile/factor/codes", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def codes(self) -> Any:
        """New recovery codes; those before are worth nothing."""
        tenant, account = current_tenant(), own_account()
        if not second_factor.has_factor(tenant, account.id):
            return redirect(url_for("FactorView.own"))
        if error := shown_code(account.id).error:
            toast(error, kind="danger")
            return redirect(url_for("ProfileView.profile", _anchor="factor"))
        with tenant.begin() as connection:
            made = second_factor.new_recovery_codes(connection, tenant, account.id)
            note(tenant, "codes", account.id, "page", here(), connection=connection)
        return self.draw("recovery_codes.html", codes=made)

    @expose("/profile/factor/off", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def off(self) -> Any:
        """Do without a second factor, where nobody asks for one."""
        tenant, account = current_tenant(), own_account()
        back = redirect(url_for("ProfileView.profile", _anchor="factor"))
        if second_factor.is_required(tenant, _own_roles()):
            toast(_("Your role asks for a second factor: it stays on."), kind="danger")
            return back
        if error := shown_code(account.id).error:
            toast(error, kind="danger")
            return back
        with tenant.begin() as connection:
            second_factor.remove(connection, tenant, account.id)
            note(tenant, "factor-off", account.id, "page", here(), connection=connection)
        _rotate()
        toast(_("The second factor is off."))
        return back

    def _picture(self, template: str, account: Account, errors: dict[str, str] | None = None) -> Response:
        """The page with the picture for the app; the same secret while somebody tries."""
        tenant, secret = current_tenant(), _draft()
        if secret is None:
            secret = second_factor.new_secret()
            session[DRAFT] = seal(secret)
        app_link = second_factor.app_address(tenant, account, secret)
        return self.draw(
            template,
            status=422 if errors else 200,
            account=account,
            errors=errors or {},
            picture=second_factor.picture(app_link),
            app_link=app_link,
            secret=" ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
            has_factor=second_factor.has_factor(tenant, account.id),
            asks_password=_asks_password(),
        )


def _waiting() -> Pending | None:
    """The sign-in that waits for this browser."""
    return pending.find(current_tenant(), pending.SIGN_IN, session.get(PENDING))


def _draft() -> str | None:
    try:
        return unseal(session[DRAFT])
    except (KeyError, ValueError):
        return None


def _shown_code(account: Account) -> tuple[list[str] | None, str]:
    """The recovery codes, if the code proves that an app has the secret; else what is wrong."""
    tenant, secret = current_tenant(), _draft()
    key = person_key(tenant, account.id, "code")
    if wait := begin_attempt(tenant, key):
        return None, too_many(wait)
    if secret is None:
        return None, _("This page was open too long. Scan the picture again.")
    with tenant.begin() as connection:
        codes = second_factor.set_up(connection, tenant, account.id, secret, request.form.get("code", ""))
        if codes is not None:
            note(tenant, "factor-on", account.id, "page", here(), connection=connection)
    if codes is None:
        return None, _("That is not the current code. Is the clock of your phone right?")
    session.pop(DRAFT, None)
    forgive(tenant, key)
    return codes, ""


def _own_roles() -> tuple[str, ...]:
    person = current_person()
    return person.roles if person is not None else ()


def _asks_password() -> bool:
    """Whether the person came by a password of ours, which has to be shown again for what opens doors."""
    person = current_person()
    return person is not None and str(person.session_data.get("means") or "password") == "password"


def _rotate() -> None:
    person = current_person()
    if person is not None:
        rotate(person)
