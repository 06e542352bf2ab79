"""A small OpenID Connect provider on loopback: discovery, keys, authorization code with PKCE, userinfo."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET = "trellis", "a-client-secret"


@dataclass
class Provider:
    """Who signs in there, and how it may misbehave."""

    claims: dict[str, Any]
    userinfo: dict[str, Any] | None = None  # what the userinfo address says beside the id token
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    forged: bool = False  # signs with another key than it publishes
    nonce: str | None = None  # sends this one in place of the one it was given
    issuer: str = ""
    named: str = ""  # what it calls itself
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "issuer": self.named or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def token(self) -> Any:
        """Give a token for a code, if the verifier belongs to it."""
        asked = self.codes.pop(request.form["code"], None)
        basic = base64.b64decode((request.headers.get("Authorization") or "Basic ").split()[-1] + "==").decode()
        if asked is None or basic != f"{CLIENT}:{SECRET}":
            return jsonify(error="invalid_grant"), 400
        proof = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(proof).rstrip(b"=").decode() != asked["code_challenge"]:
            return jsonify(error="invalid_grant"), 400
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": self.nonce or asked["nonce"]}
        signer = RSAKey.generate_key(2048, {"kid": "one"}) if self.forged else self.key
        id_token = jwt.encode({"alg": "RS256", "kid": "one"}, {**claims, **self.claims}, signer)
        return jsonify(access_token="access", token_type="Bearer", expires_in=3600, id_token=id_token)

    def app(self) -> Flask:
        """As a Flask app."""
        app = Flask("provider")

        @app.get("/.well-known/openid-configuration")
        def discovery() -> Response:
            return jsonify(self.discovery())

        @app.get("/keys")
        def keys() -> Response:
            return jsonify(keys=[{**self.key.as_dict(private=False), "use": "sig", "alg": "RS256"}])

        @app.get("/authorize")
        def authorize() -> Any:
            code = f"code-{len(self.codes)}"
            self.codes[code] = request.args.to_dict()
            return redirect(
                f"{request.args['redirect_uri']}?{urlencode({'code': code, 'state': request.args['state']})}"
            )

        @app.post("/token")
        def token() -> Any:
            return self.token()

        @app.get("/userinfo")
        def userinfo() -> Response:
            return jsonify({**self.claims, **(self.userinfo or {})})

        return app


@contextmanager
def running(provider: Provider) -> Iterator[Provider]:
    """The provider on a port of its own."""
    server = make_server("127.0.0.1", 0, provider.app(), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def come_back(client: Any, provider: Provider, next: str = "") -> Any:
    """Press the button, sign in there, and come back, as a browser does."""
    began = client.get(f"/login/oauth/company{next}")
    if began.status_code != 302 or not began.location.startswith(provider.issuer):
        return began
    with provider.app().test_client() as there:
        back = urlsplit(there.get(began.location.removeprefix(provider.issuer)).location)
    assert "code" in parse_qs(back.query)
    return client.get(f"{back.path}?{back.query}")
