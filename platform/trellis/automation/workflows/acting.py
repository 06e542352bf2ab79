"""Whose rights a run has: the system's, or those of who caused it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from trellis.automation.clock import now
from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal

if TYPE_CHECKING:
    import sqlalchemy as sa

    from trellis.storage.tenant import Tenant

WhoIs = Callable[["sa.Connection", "Tenant", UUID], "Principal | None"]
_who_is: list[WhoIs] = []


class Nobody(Exception):
    """Who caused the run may not sign in any more: it can no longer act for them."""


def people_are_known_by(find: WhoIs) -> WhoIs:
    """Register how a person becomes a principal: identity knows it, which stands above automation."""
    _who_is[:] = [find]
    return find


def principal_of(connection: sa.Connection, tenant: Tenant, user: UUID | None, name: str | None) -> Principal:
    """The person as a principal. Raises Nobody."""
    found = _who_is[0](connection, tenant, user) if user is not None and _who_is else None
    if found is None:
        raise Nobody(name or "nobody")
    return replace(found, reader=replace(found.reader, now=now()))


def system_of(tenant: Tenant, user: UUID | None = None, name: str | None = None) -> Principal:
    """The system, acting for somebody: the history names both."""
    profile = tenant.profile
    reader = Reader(
        me=Ref("user", user, name) if user is not None else None,
        language=profile.language,
        time_zone=ZoneInfo(str(profile.time_zone)),
        currency=profile.currency,
        region=profile.region,
        settings=profile.settings,
        now=now(),
    )
    return replace(Principal.system(reader), id=user, name=name or "Trellis")
