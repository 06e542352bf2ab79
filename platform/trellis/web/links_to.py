"""The addresses that links in letters begin with: never one that a stranger's request could choose."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import request

from trellis.web.context import current_person, current_tenant, serving


def base_for_letters() -> str | None:
    """What links in letters begin with; None when only the request says so, and anybody could have sent it."""
    known = serving().settings.address_of(current_tenant().slug)
    if known is not None:
        return known
    return base_of_request() if current_person() is not None or _is_safe(request.host) else None


def base_of_request() -> str:
    """The address that the browser at hand uses."""
    return request.url_root.rstrip("/")


def _is_safe(host: str) -> bool:
    """A name that this server answers to was allowed by somebody; a numeric address nobody has to allow."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return "*" not in serving().settings.allowed_hosts
