"""OpenID Connect and OAuth 2, by Authlib: what Flask-AppBuilder uses, and set up as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from flask import current_app

from trellis.identity.elsewhere import Claim
from trellis.identity.providers import Denied, Lost, NoAnswer, NotSetUp
from trellis.storage.secrets import MissingSecret, tenant_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trellis.identity.manager import TenantSecurityManager
    from trellis.model.sign_in import OAuthSource

log = structlog.get_logger()
TIMEOUT = 10  # seconds; somebody waits
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, RuntimeError)  # of answers in another shape


def remote(manager: TenantSecurityManager, source: OAuthSource) -> Any:
    """Flask-AppBuilder's client of a provider, made when somebody first wants it. Raises NotSetUp."""
    from authlib.integrations.flask_client import OAuth  # half a second: only where there is a provider

    remotes: dict[str, Any] = manager.oauth_remotes
    if source.key not in remotes:
        if manager.oauth is None:
            manager.oauth = OAuth(current_app)
        remotes[source.key] = manager.oauth.register(source.key, **_remote_app(manager.tenant.slug, source))
    return remotes[source.key]


def _remote_app(slug: str, source: OAuthSource) -> dict[str, Any]:
    """What Flask-AppBuilder's OAUTH_PROVIDERS calls remote_app."""
    try:
        secret = tenant_secret(slug, source.secret)
    except MissingSecret as missing:
        raise NotSetUp(str(missing)) from missing
    client = {"scope": " ".join(source.scopes), "code_challenge_method": "S256", "default_timeout": TIMEOUT}
    app: dict[str, Any] = {"client_id": source.client_id, "client_secret": secret, "client_kwargs": client}
    if source.issuer:
        app["server_metadata_url"] = f"{source.issuer}/.well-known/openid-configuration"
    for ours, theirs in (("authorize_url", "authorize_url"), ("token_url", "access_token_url")):
        if address := getattr(source, ours):
            app[theirs] = address
    if source.userinfo_url:
        app["userinfo_endpoint"] = source.userinfo_url
    return app


def begin(manager: TenantSecurityManager, source: OAuthSource, back: str) -> Any:
    """Send the browser to the provider. Raises NotSetUp, NoAnswer."""
    import requests

    client = remote(manager, source)
    try:
        return client.authorize_redirect(back)
    except (requests.RequestException, *_NONSENSE) as fault:
        raise NoAnswer(f"{type(fault).__name__}: {fault}") from fault


def claim(manager: TenantSecurityManager, source: OAuthSource) -> Claim:
    """Who has come back from the provider. Raises NotSetUp, NoAnswer, Denied.

    Authlib checks the state, the code verifier, and of an id token the signature, issuer, audience, nonce and times.
    """
    import requests
    from authlib.common.errors import AuthlibBaseError
    from authlib.integrations.base_client.errors import MismatchingStateError
    from joserfc.errors import JoseError

    client = remote(manager, source)
    try:
        token = client.authorize_access_token(claims_options=_options(source, client))
        said = _said(client, source, token)
    except MismatchingStateError as lost:
        raise Lost(str(lost)) from lost
    except (AuthlibBaseError, JoseError) as refused:
        raise Denied(f"{type(refused).__name__}: {refused}") from refused
    except (requests.RequestException, *_NONSENSE) as fault:
        raise NoAnswer(f"{type(fault).__name__}: {fault}") from fault
    return _claim(source, said)


def _options(source: OAuthSource, client: Any) -> dict[str, Any] | None:
    """The issuer that an id token has to name: the one in the YAML, whatever the metadata say of themselves."""
    if not source.issuer:
        return None
    named = str(client.load_server_metadata().get("issuer") or "")
    if named.rstrip("/") != source.issuer:
        raise Denied(f"the provider calls itself {named}, not {source.issuer}")
    return {"iss": {"essential": True, "values": [named]}, "aud": {"essential": True, "value": source.client_id}}


def _said(client: Any, source: OAuthSource, token: Mapping[str, Any]) -> dict[str, Any]:
    """What the id token says, and what the userinfo address adds to it about the same person."""
    said = dict(token.get("userinfo") or {})
    if source.issuer and not said:
        raise Denied("the provider sent no id token: is `openid` among the scopes?")
    subject = source.claims["subject"]
    if all(source.claims[key] in said for key in ("subject", "email", "groups")):
        return said
    if not client.load_server_metadata().get("userinfo_endpoint"):
        return said
    more = dict(client.userinfo(token=token))
    if said and str(more.get(subject)) != str(said.get(subject)):
        raise Denied("the userinfo address speaks of somebody else")
    return {**more, **said}


def _claim(source: OAuthSource, said: Mapping[str, Any]) -> Claim:
    named = source.claims
    groups = said.get(named["groups"]) or ()
    verified = said.get("email_verified")
    return Claim(
        means=f"oauth:{source.key}",
        subject=str(said.get(named["subject"]) or ""),
        email=str(said.get(named["email"]) or "").strip(),
        is_verified=verified is True or str(verified).lower() == "true",
        name=str(said.get(named["name"]) or "").strip(),
        groups=(groups,) if isinstance(groups, str) else tuple(str(group) for group in groups),
    )
