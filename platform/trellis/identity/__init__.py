"""Users, roles, sign-in: Flask-AppBuilder's security manager, and principals made from its users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.storage.hooks import after_apply, after_publish

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant


def _roles_follow(connection: Connection, tenant: Tenant, _before: Tenant | None) -> None:
    from trellis.identity.roles import sync_roles  # SQLAlchemy: only when something is applied

    sync_roles(connection, tenant)


# whoever makes or changes a tenant does it through the command line or the pages, and both import this package
after_apply.append(_roles_follow)


def _old_records_follow(tenant: Tenant, before: Tenant) -> None:
    from trellis.identity.person import reader_for
    from trellis.records.deriving.refill import refill

    refill(tenant, before, reader_for(tenant))


after_publish.append(_old_records_follow)
