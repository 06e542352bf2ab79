"""Entries about a company as a whole: made, closed, opened, configured, backed up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.storage.audit.entry import Actor, actor, note
from trellis.storage.audit.tables import audit_table
from trellis.storage.names import sql_name
from trellis.storage.schema import revisions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from trellis.formula.formula import Formula
    from trellis.model.role import Role
    from trellis.storage.catalogue import Catalogue, Entry
    from trellis.storage.tenant import Tenant

_LOG = audit_table(sa.MetaData())


def note_company(
    connection: Connection, tenant: Tenant, kind: str, who: str = "", details: Mapping[str, Any] | None = None
) -> None:
    """An entry in an open transaction whose search_path is the tenant's; `who` where no person is known."""
    note(connection, tenant, kind, by=named(who), entity="company", label=tenant.profile.label, details=details)


def note_published(
    catalogue: Catalogue, connection: Connection, new: Tenant, before: Tenant, who: str, why: str, steps: int
) -> None:
    """A revision: another configuration, or one that there was before."""
    earlier = None
    if new.model.hash != before.model.hash:
        same = sa.select(sa.func.max(revisions.c.number)).where(
            revisions.c.tenant == new.slug, revisions.c.hash == new.model.hash, revisions.c.number < before.revision
        )
        with catalogue.database.engine.begin() as other:
            earlier = other.execute(same).scalar()
    details: dict[str, Any] = {"revision": new.revision, "why": why, "hash": new.model.hash, "steps": steps}
    if roles := _changed_roles(new, before):
        note(connection, new, "role.changed", by=named(who), details={"revision": new.revision, "roles": roles})
    if earlier is None:
        note_company(connection, new, "configuration.applied", who, details)
    else:
        note_company(connection, new, "configuration.rolled-back", who, details | {"to": earlier})


def _changed_roles(new: Tenant, before: Tenant) -> dict[str, str]:
    """The roles that a revision adds, changes or takes away."""
    now, then = new.model.roles, before.model.roles
    told = {key: "removed" for key in then if key not in now}
    told |= {key: "added" for key in now if key not in then}
    return told | {key: "changed" for key in now if key in then and _rights(now[key]) != _rights(then[key])}


def _rights(role: Role) -> tuple[Any, ...]:
    """What a role may do, to be compared: formulas by what is written."""
    grants = {
        entity: (
            {action: (level.kind, _source(level.formula)) for action, level in grant.levels.items()},
            _source(grant.where),
            dict(grant.fields),
        )
        for entity, grant in role.grants.items()
    }
    return grants, role.allow, role.portal, _source(role.where), getattr(role, "second_factor", False)


def _source(formula: Formula | None) -> str | None:
    return None if formula is None else formula.source


def note_status(catalogue: Catalogue, entry: Entry, kind: str) -> None:
    """That a company was closed or opened; its Model is not needed for that."""
    with catalogue.database_at(entry.database).engine.begin() as connection:
        connection.exec_driver_sql(f"SET LOCAL search_path TO {sql_name(entry.schema)}, pg_catalog")
        if has_log(connection):
            note(connection, _LOG, kind, by=named(""), entity="company", label=entry.label)


def has_log(connection: Connection) -> bool:
    """Whether the schema at hand has an audit log: one that an earlier Trellis made gets it with its upgrade."""
    return connection.exec_driver_sql("SELECT to_regclass('_audit')").scalar() is not None


def named(who: str) -> Actor:
    """Who acts now; by the name that the caller gives where nobody has signed in."""
    now = actor()
    return Actor(now.by, now.by_name or who or None, now.means, now.address, now.request)
