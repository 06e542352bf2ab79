"""Which addresses lie outside. What is not certainly outside is inside."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network

VARIABLE = "TRELLIS_OUTGOING_ALLOW"
Address = IPv4Address | IPv6Address
# IPv6 addresses that carry an IPv4 one, with the bits below which it lies
CARRIERS = ((IPv6Network("64:ff9b::/96"), 0), (IPv6Network("64:ff9b:1::/48"), 0), (IPv6Network("2002::/16"), 80))
# what Python calls global and is not: Teredo, ORCHID, the old site-local
INSIDE = tuple(IPv6Network(n) for n in ("2001::/32", "2001:10::/28", "2001:20::/28", "fec0::/10", "::/96"))


@dataclass(frozen=True)
class Allowed:
    """What the operator lets through although it lies inside: networks, and names of machines."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    names: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls) -> Allowed:
        """From TRELLIS_OUTGOING_ALLOW: `10.1.0.0/16, erp.example.internal`. Raises ValueError."""
        networks, names = [], set()
        for word in os.environ.get(VARIABLE, "").replace(",", " ").split():
            if word[0].isdigit() or ":" in word:
                try:
                    networks.append(ip_network(word, strict=False))
                except ValueError as error:
                    raise ValueError(f"{VARIABLE}: {word} is no network: write 10.1.0.0/16 or a name") from error
            else:
                names.add(word.lower().rstrip("."))
        return cls(tuple(networks), frozenset(names))

    def lets(self, name: str, address: Address) -> bool:
        """Whether the operator lets a machine through."""
        return name.lower().rstrip(".") in self.names or any(address in network for network in self.networks)


def is_outside(address: Address) -> bool:
    """Whether an address is certainly the public internet's."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_outside(address.ipv4_mapped)
        for network, shift in CARRIERS:
            if address in network:
                return is_outside(IPv4Address((int(address) >> shift) & 0xFFFFFFFF))
        if any(address in network for network in INSIDE):
            return False
        if address.scope_id is not None:
            return False
    return address.is_global and not (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )


def refused(name: str, addresses: Sequence[str], allowed: Allowed) -> str | None:
    """The first of a machine's addresses that leads inside; None when none does."""
    for text in addresses:
        address = ip_address(text)
        if not is_outside(address) and not allowed.lets(name, address):
            return text
    return None
