"""Signing in by another place's account: going there, and coming back."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Response, abort, current_app, redirect, request, session, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.identity import pending
from trellis.identity.elsewhere import Claim, NotAdmitted, admit
from trellis.identity.manager import TenantSecurityManager
from trellis.identity.providers import Denied, Lost, NoAnswer, NotSetUp, oauth, saml
from trellis.identity.sign_in_log import note
from trellis.identity.throttle import address_key, begin_attempt, take_back
from trellis.model.sign_in import OAuthSource, SamlSource, Source
from trellis.web.context import current_tenant, serving
from trellis.web.i18n import say
from trellis.web.links_to import base_of_request
from trellis.web.metrics import SIGN_INS
from trellis.web.pages.account import SORRY, too_many
from trellis.web.pages.base import Page
from trellis.web.security import csrf, safe_address
from trellis.web.signing_in import here, proceed

log = structlog.get_logger()
TARGET = "_target"  # in the cookie: where the browser wanted to go
WAITING = "_elsewhere"  # in the cookie: the secret of a sign-in by SAML that was begun here


class ElsewhereView(Page):
    """Providers by OpenID Connect, OAuth and SAML."""

    @expose("/login/oauth/<key>")  # type: ignore[untyped-decorator]
    def oauth(self, key: str) -> Any:
        """Go to a provider."""
        source = _oauth(key)
        session[TARGET] = safe_address(request.args.get("next"))
        try:
            return oauth.begin(_manager(), source, url_for("ElsewhereView.oauth_back", key=key, _external=True))
        except (NotSetUp, NoAnswer) as fault:
            return _failed(source, fault)

    @expose("/login/oauth/<key>/back")  # type: ignore[untyped-decorator]
    def oauth_back(self, key: str) -> Any:
        """Come back from a provider."""
        source = _oauth(key)
        if wait := begin_attempt(current_tenant(), address_key(request.remote_addr)):
            return _sorry(too_many(wait))
        try:
            claim = oauth.claim(_manager(), source)
        except (NotSetUp, NoAnswer, Denied) as fault:
            return _failed(source, fault)
        return _admitted(source, claim, session.get(TARGET))

    @expose("/login/saml/<key>")  # type: ignore[untyped-decorator]
    def saml(self, key: str) -> Any:
        """Go to an identity provider."""
        source, tenant = _saml(key), current_tenant()
        relay = pending.new_secret()
        try:
            address, request_id = saml.begin(_manager(), source, _base(), relay)
        except NotSetUp as fault:
            return _failed(source, fault)
        target = safe_address(request.args.get("next"))
        pending.begin(tenant, pending.ELSEWHERE, None, secret=relay, key=key, request=request_id, target=target)
        session[WAITING] = relay
        return redirect(address)

    @expose("/saml/<key>/acs", methods=["POST"])  # type: ignore[untyped-decorator]
    def acs(self, key: str) -> Any:
        """Take the provider's response. No cookie of ours comes with it: the browser fetches the result after this."""
        source, tenant = _saml(key), current_tenant()
        relay = request.form.get("RelayState", "")
        begun = pending.find(tenant, pending.ELSEWHERE, relay)
        if begun is None or begun.data.get("key") != key or not pending.end(tenant, begun):
            return _sorry(_("The sign-in took too long, or was begun in another browser. Try again."))
        try:
            claim = saml.claim(_manager(), source, _base(), str(begun.data["request"]))
        except (NotSetUp, Denied) as fault:
            return _failed(source, fault)
        ticket = pending.begin(
            tenant,
            pending.SAID,
            None,
            key=key,
            relay=begun.id,
            target=begun.data["target"],
            subject=claim.subject,
            email=claim.email,
            name=claim.name,
            groups=list(claim.groups),
        )
        return redirect(url_for("ElsewhereView.saml_back", key=key, ticket=ticket), 303)

    @expose("/login/saml/<key>/back")  # type: ignore[untyped-decorator]
    def saml_back(self, key: str) -> Any:
        """Fetch what the provider has said; only the browser that began may."""
        source, tenant = _saml(key), current_tenant()
        said = pending.find(tenant, pending.SAID, request.args.get("ticket"))
        begun = session.pop(WAITING, "")
        if said is None or said.data["key"] != key or not begun or pending.id_of(begun) != said.data["relay"]:
            return _sorry(_("The sign-in took too long, or was begun in another browser. Try again."))
        if not pending.end(tenant, said):
            return _sorry(_("The sign-in took too long, or was begun in another browser. Try again."))
        data = said.data
        groups = tuple(data["groups"])
        claim = Claim(f"saml:{key}", data["subject"], data["email"], True, data["name"], groups)
        return _admitted(source, claim, data["target"])

    @expose("/saml/<key>/metadata")  # type: ignore[untyped-decorator]
    def metadata(self, key: str) -> Any:
        """What an identity provider wants to know of us."""
        source = _saml(key)
        try:
            return Response(saml.metadata(_manager(), source, _base()), mimetype="application/samlmetadata+xml")
        except NotSetUp as fault:
            log.error("SAML is not set up", why=str(fault))
            abort(404)


# a provider's response cannot carry our token; it has to answer a request that was begun here instead
csrf.exempt(f"{__name__}.acs")


def _admitted(source: Source, claim: Claim, target: str | None) -> Any:
    """Let somebody in whom another place has vouched for, or say that they may not come in."""
    tenant = current_tenant()
    try:
        person = admit(tenant, source, claim, here())
    except NotAdmitted as refused:
        log.warning("not admitted", means=claim.means, why=refused.why)
        return _refused(claim.means)
    answer = proceed(person, claim.means, remember=False, target=safe_address(target))
    if answer is None:
        return _refused(claim.means)
    take_back(tenant, address_key(request.remote_addr))
    return answer


def _refused(means: str) -> Any:
    tenant = current_tenant()
    note(tenant, "refused", None, means, here())
    SIGN_INS.labels(tenant.slug, "refused").inc()
    return _sorry(_("This account may not come in here. Ask an administrator."))


def _failed(source: Source, fault: Exception) -> Any:
    """Something about the other place is not as it should be: the log tells what, the page what to do."""
    log.warning("sign-in elsewhere failed", source=source.key, why=str(fault), kind=type(fault).__name__)
    SIGN_INS.labels(current_tenant().slug, "failed").inc()
    if isinstance(fault, NotSetUp):
        return _sorry(_("This way to sign in is not set up completely. An administrator can see why in the log."))
    if isinstance(fault, Lost):
        return _sorry(_("The sign-in took too long, or was begun in another browser. Try again."))
    if isinstance(fault, Denied):
        return _sorry(_("%(name)s says that you may not sign in.", name=say(source.label)))
    return _sorry(_("%(name)s did not answer. Try again, or sign in another way.", name=say(source.label)))


def _sorry(text: str) -> Any:
    session[SORRY] = text
    return redirect(url_for("AccountView.sign_in"), 303)


def _oauth(key: str) -> OAuthSource:
    return current_tenant().profile.sign_in.oauth.get(key) or abort(404)


def _saml(key: str) -> SamlSource:
    return current_tenant().profile.sign_in.saml.get(key) or abort(404)


def _manager() -> TenantSecurityManager:
    manager: TenantSecurityManager = current_app.appbuilder.sm  # type: ignore[attr-defined]
    return manager


def _base() -> str:
    """What the provider knows us by: where the installation is reached, else what the browser at hand uses."""
    return serving().settings.address_of(current_tenant().slug) or base_of_request()
