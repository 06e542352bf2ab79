"""Whom a workflow acts for, where it runs with the rights of who caused it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.automation.workflows.acting import people_are_known_by
from trellis.identity.person import principal_for, read_person_by_id

if TYPE_CHECKING:
    from uuid import UUID

    import sqlalchemy as sa

    from trellis.records.principal import Principal
    from trellis.storage.tenant import Tenant


@people_are_known_by
def principal_by_id(connection: sa.Connection, tenant: Tenant, user: UUID) -> Principal | None:
    """Somebody who may sign in, as a principal; None for anybody else."""
    person = read_person_by_id(connection, tenant, user)
    return principal_for(tenant, person) if person is not None else None
