"""Connections to machines that a tenant names, mail servers say: resolved once, checked, and pinned like requests."""

from __future__ import annotations

import socket

from trellis.automation.outgoing.addresses import Allowed, refused
from trellis.automation.outgoing.refusal import OutgoingFailed, OutgoingRefused


def addresses_of(name: str, port: int) -> list[str]:
    """The addresses of a machine, all of them outside or let through. Raises OutgoingRefused or OutgoingFailed."""
    try:
        ascii_name = name.encode("idna").decode() if not name.isascii() else name
        found = socket.getaddrinfo(ascii_name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutgoingFailed("dns", f"there is no machine {name}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if (inside := refused(name, addresses, Allowed.from_environment())) is not None:
        raise OutgoingRefused("address", f"{name} is {inside}, which lies inside: see TRELLIS_OUTGOING_ALLOW")
    return addresses


def connect(name: str, port: int, timeout: float | None) -> socket.socket:
    """A connection to a machine outside. Raises OutgoingRefused, OutgoingFailed, OSError."""
    failure: OSError | None = None
    for address in addresses_of(name, port)[:2]:
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            failure = error
    raise failure or OSError(f"{name} has no address")
