"""People: the list, and the form of one with their sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.identity.accounts import make_link, read_account
from trellis.identity.people import other_administrators, sign_ins
from trellis.identity.person import ADMIN, PERSON, TEAM
from trellis.identity.sessions import close_sessions
from trellis.model.view import Sort
from trellis.records.refusal import Refused, Stale
from trellis.web.context import current_model, current_person, current_store, current_tenant
from trellis.web.faults import fault_texts
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.i18n import LANGUAGES
from trellis.web.pages.base import Page

if TYPE_CHECKING:
    from trellis.records.record import Record

log = structlog.get_logger()
COLUMNS = ("name", "email", "job_title", "team", "manager", "roles", "active")
FIELDS = ("name", "email", "phone", "job_title", "team", "manager", "language", "time_zone")  # typed in as they are
MOST = 200


class UsersView(Page):
    """Who signs in, with which roles; for administrators."""

    @expose("/admin/users")  # type: ignore[untyped-decorator]
    @needs("admin")
    def users(self) -> Response:
        """Everybody, searched by name or e-mail."""
        store, wanted = current_store(), request.args.get("q", "").strip()
        page = store.list(
            PERSON,
            columns=_there(COLUMNS),
            q=wanted or None,
            sort=[Sort("name")],
            limit=MOST,
            cursor=request.args.get("after"),
        )
        return self.draw(
            "users.html",
            rows=page.rows,
            next=page.next,
            wanted=wanted,
            has=frozenset(_there(COLUMNS)),
            sign_ins=sign_ins(current_tenant(), [row.id for row in page.rows]),
            roles=current_model().roles,
        )

    @expose("/admin/users/new", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def new(self) -> Any:
        """Make a person; the next page shows the link that sets their password."""
        if request.method == "GET":
            return self._form(None, {"active": True, "roles": ()})
        values = _submitted()
        try:
            record = current_store().create(PERSON, values)
        except Refused as refused:
            return self._form(None, values, refused)
        link = _link(record.id)
        return self._form(record, _values(record), link=link, fresh=True)

    @expose("/admin/users/<uuid:id>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def edit(self, id: UUID) -> Any:
        """Change a person."""
        store = current_store()
        record = store.read(PERSON, id)
        if request.method == "GET":
            return self._form(record, _values(record))
        values = _submitted()
        try:
            _keep_an_administrator(id, values)
            store.update(PERSON, id, values, version=request.form.get("version", type=int))
        except Refused as refused:
            return self._form(record, values, refused)
        if not values.get("active", True):
            with current_tenant().begin() as connection:
                close_sessions(connection, current_tenant(), id)
        toast(_("Saved"))
        return redirect(url_for("UsersView.users"))

    @expose("/admin/users/<uuid:id>/link", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def link(self, id: UUID) -> Response:
        """Make a link that sets the person's password once."""
        record = current_store().read(PERSON, id)
        return self._form(record, _values(record), link=_link(id))

    @expose("/admin/users/<uuid:id>/sign-out", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def sign_out(self, id: UUID) -> Any:
        """End every session of a person."""
        record = current_store().read(PERSON, id, fields=("name",))
        with current_tenant().begin() as connection:
            ended = close_sessions(connection, current_tenant(), id)
        log.info("signed out by an administrator", person=str(id), sessions=ended)
        toast(_("%(name)s is signed out everywhere.", name=record.title))
        return redirect(url_for("UsersView.edit", id=id))

    def _form(
        self,
        record: Record | None,
        values: dict[str, Any],
        refused: Refused | None = None,
        *,
        link: str = "",
        fresh: bool = False,
    ) -> Response:
        store, model = current_store(), current_model()
        people = store.list(PERSON, columns=["name"], sort=[Sort("name")], limit=MOST).rows
        teams = (
            store.list(TEAM, columns=["name"], sort=[Sort("name")], limit=MOST).rows if TEAM in model.entities else []
        )
        errors = fault_texts(refused) if refused else {}
        if isinstance(refused, Stale):
            errors[""] = _("Somebody else has saved this person in the meantime. Reload the page to see it.")
        return self.draw(
            "user.html",
            status=422 if refused else 200,
            record=record,
            values=values,
            errors=errors,
            has=frozenset(model.entities[PERSON].fields),
            labels={key: field.label for key, field in model.entities[PERSON].fields.items()},
            people=[p for p in people if record is None or p.id != record.id],
            teams=teams,
            roles=model.roles,
            languages_offered=LANGUAGES,
            time_zones=time_zones(),
            options_of=options_of,
            link=link,
            fresh=fresh,
            sign_in=sign_ins(current_tenant(), [record.id]).get(record.id) if record else None,
        )


def time_zones() -> list[str]:
    """Every time zone that people live in."""
    from babel.core import get_global

    return sorted({zone for zones in get_global("territory_zones").values() for zone in zones if "/" in zone})


def options_of(things: list[Any]) -> list[tuple[str, str]]:
    """(value, label) of records, or of plain texts."""
    return [(one, one) if isinstance(one, str) else (str(one.id), one.title) for one in things]


def _there(wanted: tuple[str, ...]) -> list[str]:
    """Those of the fields that the Model has: a layer may leave some out."""
    fields = current_model().entities[PERSON].fields
    return [key for key in wanted if key in fields]


def _submitted() -> dict[str, Any]:
    form = request.form
    values: dict[str, Any] = {key: form.get(key, "").strip() for key in _there(FIELDS) if key in form}
    fields = current_model().entities[PERSON].fields
    if "roles" in fields:
        values["roles"] = tuple(form.getlist("roles"))
    if "active" in fields:
        values["active"] = "active" in form
    return values


def _values(record: Record) -> dict[str, Any]:
    return {key: record[key] for key in _there((*FIELDS, "roles", "active"))}


def _keep_an_administrator(id: UUID, values: dict[str, Any]) -> None:
    """Refuse to shut out the last administrator, or oneself."""
    from trellis.records.refusal import Fault

    roles = current_model().roles
    stays = values.get("active", True) and any(
        ADMIN in roles[key].allow for key in values.get("roles", ()) if key in roles
    )
    me = current_person()
    if stays:
        return
    if me is not None and me.id == id:
        raise Refused([Fault("rule", "You cannot take the administration from yourself.", "roles")])
    if not other_administrators(current_tenant(), id):
        raise Refused([Fault("rule", "Somebody has to be able to administer this company.", "roles")])


def _link(id: UUID) -> str:
    account = read_account(current_tenant(), id)
    if account is None:
        abort(404)
    log.info("password link made", person=str(id))
    return url_for("LinksView.reset", secret=make_link(current_tenant(), account), _external=True)
