"""What every answer carries so that a browser keeps strangers out, and what every request is checked for."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from flask import request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect

if TYPE_CHECKING:
    from flask import Flask, Response

    from trellis.web.settings import Settings

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self), payment=(), usb=()",
}
STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"

csrf = CSRFProtect()


def secure(response: Response) -> Response:
    """Add the headers; pages with somebody's records are not kept by any cache."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if "frame-ancestors 'self'" in response.headers["Content-Security-Policy"]:  # which says it better
        response.headers.pop("X-Frame-Options")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


class TenantSessions(SecureCookieSessionInterface):
    """Cookies that are good under the tenant's own address only, and marked secure whenever TLS carries them.

    A browser takes `__Host-` only for the path /, which a tenant has under a host name of its own. Under /t/<slug>/ the
    path is what keeps tenants' cookies apart, so there it is `__Secure-`: other than TLS cannot set it either.
    """

    def get_cookie_name(self, app: Flask) -> str:
        """The cookie's name, with the prefix that binds a browser to how it was set."""
        name = super().get_cookie_name(app)
        if not request.is_secure:
            return name
        return f"__Secure-{name}" if request.script_root else f"__Host-{name}"

    def get_cookie_path(self, app: Flask) -> str:
        """The address that the app is mounted at: /t/<slug>/, or / under a host name of its own."""
        return f"{request.script_root}/"

    def get_cookie_secure(self, app: Flask) -> bool:
        """Secure under TLS."""
        return request.is_secure


def safe_address(target: str | None) -> str | None:
    """An address to go on to after sign-in, if it is a page of this tenant; never one of another site."""
    if not target:
        return None
    parts = urlsplit(target)
    root = f"{request.script_root}/"
    odd = any(ord(letter) < 33 or letter == "\\" for letter in target)
    if (
        parts.scheme
        or parts.netloc
        or odd
        or target.startswith("//")
        or not target.startswith(root)
        or ".." in unquote(parts.path)  # for a browser, %2e%2e leads up, too
    ):
        return None
    return target


def is_allowed_host(host: str, settings: Settings) -> bool:
    """Whether a request may carry this host name: numeric addresses cannot be rebound, the rest must be known."""
    name = urlsplit(f"//{host}").hostname or ""
    if name in ("localhost", "testserver") or name in settings.allowed_hosts or name in settings.hosts:
        return True
    if settings.domain and (name == settings.domain or name.endswith(f".{settings.domain}")):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "*" in settings.allowed_hosts
    return True
