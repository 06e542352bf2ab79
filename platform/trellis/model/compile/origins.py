"""`api:` of a tenant's manifest: the pages of other sites that may use the API from a browser."""

from __future__ import annotations

from urllib.parse import urlsplit

from trellis.config.phrase import phrase
from trellis.model.compile.context import Context
from trellis.model.compile.item import Item

LOCAL = ("localhost", "127.0.0.1", "[::1]")


def compile_origins(ctx: Context, item: Item | None) -> tuple[str, ...]:
    """The origins as browsers send them: scheme, host, and the port unless it is the usual one."""
    listed = item.get("origins") if item is not None else None
    found = []
    for origin in listed.each() if listed is not None else ():
        if (known := _origin(origin.text)) is not None:
            found.append(known)
        else:
            hint = "write https://shop.acme.example: scheme and host, no path, no *; http only for localhost"
            ctx.problem("E219", phrase("'{name}' is no origin", name=origin.text), origin, hint)
    return tuple(dict.fromkeys(found))


def _origin(text: str) -> str | None:
    """The text as a browser would send it; None when it is no origin."""
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port
    except ValueError:
        return None
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc or "*" in host)
    if not host or not plain or parts.scheme not in ("https", "http"):
        return None
    if parts.scheme == "http" and host not in LOCAL:
        return None
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")
