"""Where a tenant is reached from outside: what links in letters begin with. The pages know it, which stand above."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

Where = Callable[[str], "str | None"]
_where: list[Where] = []


def places_are_known_by(find: Where) -> Where:
    """Register who knows the address of a tenant by its slug."""
    _where[:] = [find]
    return find


def address_of(tenant: Tenant) -> str | None:
    """The address of a tenant, without a slash at its end; None while nobody has said it (TRELLIS_URL)."""
    return _where[0](tenant.slug) if _where else None
