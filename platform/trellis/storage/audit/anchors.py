"""Heads of audit logs, kept in the catalogue: a log that was cut off at its end, or written anew, is noticed by them.

The catalogue is out of the tenants' reach. Whoever can write there too is noticed by a head kept further away: every
check prints it and writes it to the log, a backup holds it, and `trellis audit verify --head` takes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.storage.audit.verify import Head, Verdict, head_of, verify
from trellis.storage.schema import audit_anchors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant


def anchors_of(catalogue: Catalogue, slug: str) -> list[Head]:
    """The heads that were noted, the oldest first."""
    query = sa.select(audit_anchors.c.number, audit_anchors.c.hash).where(audit_anchors.c.tenant == slug)
    with catalogue.database.engine.begin() as connection:
        return [Head(*row) for row in connection.execute(query.order_by(audit_anchors.c.number))]


def anchor(catalogue: Catalogue, slug: str, head: Head) -> None:
    """Note a head; one that is known already is left as it is."""
    if not head.number:
        return
    row = insert(audit_anchors).values(tenant=slug, number=head.number, hash=head.hash)
    with catalogue.database.engine.begin() as connection:
        connection.execute(row.on_conflict_do_nothing())


def verify_tenant(catalogue: Catalogue, tenant: Tenant, heads: Sequence[Head] = ()) -> Verdict:
    """Check a tenant's log against every head that is known; when it is whole, note the head it has now."""
    known = [*anchors_of(catalogue, tenant.slug), *heads]
    with tenant.begin() as connection:
        verdict = verify(connection, tenant, known)
    if verdict.is_whole:
        anchor(catalogue, tenant.slug, verdict.head)
    return verdict


def anchor_now(catalogue: Catalogue, tenant: Tenant) -> Head:
    """Note the head that the log has now, without a check: what a backup and a long stop begin with."""
    with tenant.begin() as connection:
        head = head_of(connection, tenant)
    anchor(catalogue, tenant.slug, head)
    return head
