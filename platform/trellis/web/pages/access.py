"""Why somebody can or cannot see or change a record: for administrators."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from flask import Response, abort, request
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.identity.person import PERSON, principal_for, read_person_by_id
from trellis.records.store import Store, as_id
from trellis.web.context import current_language, current_tenant
from trellis.web.guard import needs
from trellis.web.pages.base import Page


class AccessView(Page):
    """`/admin/access/<entity>/<id>?person=<id>`."""

    @expose("/admin/access/<entity>/<uuid:id>")  # type: ignore[untyped-decorator]
    @needs("admin")
    def access(self, entity: str, id: UUID) -> Response:
        """The rules of one person's roles, each with whether it holds for the record."""
        tenant = current_tenant()
        definition = tenant.model.entities.get(entity)
        if definition is None:
            abort(404)
        people = _people()
        chosen = _chosen(people)
        found, away = None, False
        if chosen is not None:
            with tenant.begin() as connection:
                person = read_person_by_id(connection, tenant, chosen)
            away = person is None
            if person is not None:
                found = Store(tenant, principal_for(tenant, person, current_language())).explain(entity, id)
        return self.draw(
            "access.html",
            entity=definition,
            id=id,
            people=people,
            chosen=chosen,
            away=away,
            found=found,
            words=_words(),
            labels={key: e.label for key, e in tenant.model.entities.items()},
        )


def _people() -> dict[UUID, str]:
    """Everybody who is not in the bin, by name."""
    tenant = current_tenant()
    user = tenant.tables.entity[PERSON]
    named = sa.select(user.c.id, user.c.name).where(user.c.deleted_at.is_(None)).order_by(user.c.name)
    with tenant.begin() as connection:
        return {row.id: str(row.name or "") for row in connection.execute(named)}


def _chosen(people: dict[UUID, str]) -> UUID | None:
    given = request.args.get("person")
    if not given:
        return None
    id = as_id(given)
    return id if id in people else abort(404)


def _words() -> dict[str, str]:
    """The actions and levels in words."""
    return {
        "read": _("Read"),
        "update": _("Edit"),
        "delete": _("Delete"),
        "restore": _("Restore"),
        "export": _("Export"),
        "merge": _("Merge"),
        "convert": _("Convert"),
        "bulk-edit": _("Bulk edit"),
        "share": _("Share"),
        "assign": _("Assign"),
        "approve": _("Approve"),
        "own": _("their own"),
        "team": _("of their team"),
        "all": _("all"),
        "formula": _("where …"),
        "hidden": _("hidden"),
        "readonly": _("read only"),
        "masked": _("masked"),
        "": _("open"),
        "internal": _("People and teams are named everywhere."),
        "unreadable": _("What cannot be read cannot be changed either."),
    }
