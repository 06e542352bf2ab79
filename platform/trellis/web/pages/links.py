"""Links that work once: a password that was forgotten, an invitation."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.identity.accounts import account_of_link, ask_for_link, use_link
from trellis.identity.sign_in_log import note
from trellis.records.refusal import Refused
from trellis.web.context import current_tenant
from trellis.web.faults import fault_texts
from trellis.web.limits import too_often
from trellis.web.pages.base import Page
from trellis.web.signing_in import here


class LinksView(Page):
    """What people without a password, or with a link, see."""

    @expose("/forgot", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def forgot(self) -> Response:
        """Ask for a new password; the answer is the same for addresses that nobody has."""
        email = request.form.get("email", "").strip()
        if request.method == "POST" and not too_often("forgot", request.remote_addr or "", email.lower()):
            ask_for_link(current_tenant(), email)
        return self.draw("account/forgot.html", asked=request.method == "POST", email=email)

    @expose("/reset/<secret>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    def reset(self, secret: str) -> Any:
        """Set a password by a link that works once."""
        tenant = current_tenant()
        account = account_of_link(tenant, secret)
        if account is None:
            return self.draw("account/reset.html", status=410, account=None, errors={})
        if request.method == "GET":
            return self.draw("account/reset.html", account=account, errors={})
        password, again = request.form.get("password", ""), request.form.get("again", "")
        if password != again:
            errors = {"again": _("The two are not the same.")}
        else:
            try:
                done = use_link(tenant, secret, password)
            except Refused as refused:
                errors = fault_texts(refused)
            else:
                if done is None:  # somebody else was quicker
                    return self.draw("account/reset.html", status=410, account=None, errors={})
                note(tenant, "password", account.id, "link", here())
                flash(_("Your password is set. Sign in with it."), "success")
                return redirect(url_for("AccountView.sign_in"))
        return self.draw("account/reset.html", status=422, account=account, errors=errors)
