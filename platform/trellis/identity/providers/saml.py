"""SAML 2.0, by Flask-AppBuilder's client (python3-saml, `pip install trellis[saml]`).

A response comes by a POST from another site, with which a browser sends no cookie of ours. So what was begun is kept
on the server under the RelayState; the response has to answer that very request, and the browser that began has to
come and fetch the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from flask import g, request

from trellis.identity.elsewhere import Claim
from trellis.identity.providers import Denied, NotSetUp

if TYPE_CHECKING:
    from trellis.identity.manager import TenantSecurityManager
    from trellis.model.sign_in import SamlSource

log = structlog.get_logger()
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
NAME_ID = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"


def prepare_request() -> dict[str, Any]:
    """The request at hand for python3-saml; Flask-AppBuilder's own leaves out where the app is mounted."""
    return {
        "https": "on" if request.scheme == "https" else "off",
        "http_host": request.host,
        "script_name": f"{request.script_root}{request.path}",
        "get_data": request.args.copy(),
        "post_data": request.form.copy(),
        "query_string": request.query_string.decode("utf-8"),
    }


def begin(manager: TenantSecurityManager, source: SamlSource, base: str, relay: str) -> tuple[str, str]:
    """Where to send the browser, and the id of the request that the response has to answer. Raises NotSetUp."""
    auth = _auth(manager, source, base)
    return str(auth.login(return_to=relay)), str(auth.get_last_request_id())


def claim(manager: TenantSecurityManager, source: SamlSource, base: str, request_id: str) -> Claim:
    """Who the response of this request speaks of. Raises NotSetUp, Denied."""
    from flask_appbuilder.security.saml.utils import map_saml_attributes

    auth = _auth(manager, source, base)
    try:
        auth.process_response(request_id=request_id)
    except Exception as refused:  # whatever a stranger posts here: the package parses first and asks later
        raise Denied(str(refused) or type(refused).__name__) from refused
    if auth.get_errors() or not auth.is_authenticated():
        raise Denied(str(auth.get_last_error_reason() or ", ".join(auth.get_errors()) or "not signed in"))
    named = source.attributes
    mapping = {named["email"]: "email", named["name"]: "first_name", named["groups"]: "role_keys"}
    said = map_saml_attributes(auth.get_attributes(), mapping, auth.get_nameid())
    return Claim(
        means=f"saml:{source.key}",
        subject=str(auth.get_nameid() or ""),
        email=str(said.get("email") or "").strip(),
        is_verified=True,
        name=str(said.get("first_name") or "").strip(),
        groups=tuple(str(group) for group in said.get("role_keys", ())),
    )


def metadata(manager: TenantSecurityManager, source: SamlSource, base: str) -> str:
    """What the provider wants to know of us, as XML. Raises NotSetUp."""
    g.saml_base = base
    try:
        from flask_appbuilder.security.saml.metadata import get_sp_metadata

        found = get_sp_metadata(manager.get_saml_settings(source.key))
    except ImportError as missing:
        raise _missing() from missing
    return found.decode() if isinstance(found, bytes) else str(found)


def _auth(manager: TenantSecurityManager, source: SamlSource, base: str) -> Any:
    g.saml_base = base
    try:
        return manager._get_saml_auth(source.key)
    except ImportError as missing:
        raise _missing() from missing


def _missing() -> NotSetUp:
    return NotSetUp("python3-saml is not installed (pip install 'trellis[saml]')")


def settings_of(source: SamlSource) -> dict[str, Any]:
    """What python3-saml is told of a provider and of us, at the address that this request goes by."""
    here = f"{g.saml_base}/saml/{source.key}"
    return {
        "strict": True,
        "debug": False,
        "sp": {
            "entityId": f"{here}/metadata",
            "assertionConsumerService": {"url": f"{here}/acs", "binding": POST},
            "NameIDFormat": NAME_ID,
        },
        "idp": {
            "entityId": source.entity_id,
            "singleSignOnService": {"url": source.sso_url, "binding": REDIRECT},
            "x509cert": source.certificate,
        },
        "security": {
            "wantAssertionsSigned": True,
            "wantNameId": True,
            "wantAttributeStatement": False,
            "requestedAuthnContext": False,
            "rejectDeprecatedAlgorithm": True,
            "allowRepeatAttributeName": True,
        },
    }
