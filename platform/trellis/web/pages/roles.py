"""Roles: what each may do, read from the Model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Response, abort
from flask_appbuilder import expose

from trellis.model.role import ACTIONS, Level
from trellis.web.context import current_tenant
from trellis.web.guard import needs
from trellis.web.pages.base import Page

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.role import Grant, Role

SHOWN = ("read", "create", "update", "delete", "restore", "export")  # as columns; the others where they are granted


@dataclass(frozen=True)
class Row:
    """What a role may do with one entity."""

    entity: Entity
    levels: tuple[tuple[str, Level], ...]
    more: tuple[tuple[str, Level], ...]
    fields: tuple[tuple[Any, str], ...]
    where: str


class RolesView(Page):
    """The roles with their grants as a table."""

    @expose("/admin/roles")  # type: ignore[untyped-decorator]
    @expose("/admin/roles/<key>")  # type: ignore[untyped-decorator]
    @needs("admin")
    def roles(self, key: str | None = None) -> Response:
        """One role's grants, with the others as tabs."""
        roles = current_tenant().model.roles
        if key is None:
            key = next(iter(roles), "")
        if key not in roles:
            abort(404)
        role = roles[key]
        rows = [row for e in _entities() if (row := _row(e, role)) is not None]
        return self.draw("roles.html", roles=roles, role=role, rows=rows, actions=SHOWN, people=_people())


def _entities() -> list[Entity]:
    return sorted(current_tenant().model.entities.values(), key=lambda e: (e.part_of is not None, e.internal))


def _row(entity: Entity, role: Role) -> Row | None:
    grant = role.grants.get(entity.key)
    if grant is None:
        return None
    return Row(
        entity,
        tuple((action, grant.level(action)) for action in SHOWN),
        tuple((a, grant.level(a)) for a in ACTIONS if a not in SHOWN and grant.level(a).kind != "none"),
        _fields(entity, grant),
        grant.where.source if grant.where is not None else "",
    )


def _fields(entity: Entity, grant: Grant) -> tuple[tuple[Any, str], ...]:
    return tuple((entity.fields[key].label, how) for key, how in grant.fields.items() if key in entity.fields)


def _people() -> dict[str, int]:
    """How many people have each role; one statement."""
    tenant = current_tenant()
    user = tenant.tables.entity["user"]
    if "roles" not in user.c:
        return {}
    held = sa.select(sa.func.unnest(user.c.roles).label("role")).where(user.c.deleted_at.is_(None)).subquery()
    query = sa.select(held.c.role, sa.func.count()).group_by(held.c.role)
    with tenant.begin() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
