"""Roles of the Model as Flask-AppBuilder's: one comparison and a few statements, not one per permission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.storage.tenant import Tenant

RIGHTS = "rights"  # the "view" that rights beside any entity hang on


def wanted_permissions(model: Model) -> set[tuple[str, str, str]]:
    """(role, action, entity) for everything that some role may do at all, and (role, right, "rights")."""
    return {
        (role.key, action, entity)
        for role in model.roles.values()
        for entity, grant in role.grants.items()
        for action, level in grant.levels.items()
        if level.kind != "none"
    } | {(role.key, right, RIGHTS) for role in model.roles.values() for right in role.allow}


def sync_roles(connection: sa.Connection, tenant: Tenant) -> None:
    """Make ab_role, ab_permission and what lies between them say what the Model says, in the open transaction."""
    tables = tenant.tables.metadata.tables
    wanted = wanted_permissions(tenant.model)
    roles = _names(connection, tables["ab_role"], set(tenant.model.roles))
    actions = _names(connection, tables["ab_permission"], {action for _, action, _ in wanted})
    views = _names(connection, tables["ab_view_menu"], {view for _, _, view in wanted})
    pairs = _pairs(
        connection,
        tables["ab_permission_view"],
        ("permission_id", "view_menu_id"),
        {(actions[action], views[view]) for _, action, view in wanted},
    )
    granted = {(pairs[actions[action], views[view]], roles[role]) for role, action, view in wanted}
    between = tables["ab_permission_view_role"]
    known = {tuple(row) for row in connection.execute(sa.select(between.c.permission_view_id, between.c.role_id))}
    ours = {number for key, number in roles.items() if key in tenant.model.roles}
    _insert(connection, between, ("permission_view_id", "role_id"), granted - known)
    if gone := {pair for pair in known - granted if pair[1] in ours}:
        connection.execute(
            sa.delete(between).where(sa.tuple_(between.c.permission_view_id, between.c.role_id).in_(sorted(gone)))
        )
    if forgotten := {number for key, number in roles.items() if key not in tenant.model.roles}:
        connection.execute(sa.delete(tables["ab_role"]).where(tables["ab_role"].c.id.in_(sorted(forgotten))))


def _names(connection: sa.Connection, table: sa.Table, wanted: set[str]) -> dict[str, int]:
    query = sa.select(table.c.name, table.c.id)
    known = _by_name(connection, query)
    if missing := sorted(wanted - set(known)):
        connection.execute(sa.insert(table), [{"name": name} for name in missing])
        known = _by_name(connection, query)
    return known


def _by_name(connection: sa.Connection, query: sa.Select[Any]) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(query)}


def _pairs(
    connection: sa.Connection, table: sa.Table, names: tuple[str, str], wanted: set[tuple[int, int]]
) -> dict[tuple[int, int], int]:
    query = sa.select(table.c[names[0]], table.c[names[1]], table.c.id)
    known = {(one, other): number for one, other, number in connection.execute(query)}
    if missing := wanted - set(known):
        _insert(connection, table, names, missing)
        known = {(one, other): number for one, other, number in connection.execute(query)}
    return known


def _insert(connection: sa.Connection, table: sa.Table, names: tuple[str, str], rows: set[Any]) -> None:
    if rows:
        connection.execute(sa.insert(table), [dict(zip(names, row, strict=True)) for row in sorted(rows)])
