"""Roles of the Model as Flask-AppBuilder's."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from tests.web.frame_tenants import YAML, add_person, app_of, signed_in_client

from trellis.identity.roles import sync_roles, wanted_permissions
from trellis.storage.tenant import Tenant


def granted(tenant: Tenant) -> set[tuple[str, str, str]]:
    """(role, action, entity) as Flask-AppBuilder's tables have it."""
    query = sa.text(
        "SELECT r.name, p.name, v.name FROM ab_permission_view_role pvr JOIN ab_role r ON r.id = pvr.role_id"
        " JOIN ab_permission_view pv ON pv.id = pvr.permission_view_id JOIN ab_permission p ON p.id = pv.permission_id"
        " JOIN ab_view_menu v ON v.id = pv.view_menu_id"
    )
    with tenant.begin() as connection:
        return {tuple(row) for row in connection.execute(query)}  # type: ignore[misc]


def test_making_a_tenant_writes_its_roles(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    assert granted(tenant) == wanted_permissions(tenant.model)
    assert ("rep", "create", "account") in granted(tenant)
    assert ("admin", "admin", "rights") in granted(tenant)


def test_syncing_again_changes_nothing_and_takes_few_statements(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    before, statements = granted(tenant), []

    def count(*args: Any) -> None:
        statements.append(args[2])

    with tenant.begin() as connection:
        sa.event.listen(connection, "before_cursor_execute", count)
        sync_roles(connection, tenant)
    assert granted(tenant) == before
    assert len(statements) <= 8


def test_get_user_roles_are_those_of_the_record(same_tenant: Any, tmp_path: Any) -> None:
    tenant = same_tenant(YAML)
    add_person(tenant, "rep@x.example", "rep")
    app = app_of(tenant, tmp_path)
    with signed_in_client(app, "rep@x.example") as client:
        client.get("/settings")
        from flask_login import current_user

        names = [role.name for role in app.appbuilder.sm.get_user_roles(current_user._get_current_object())]  # type: ignore[attr-defined]
    assert names == ["rep"]
