"""People: the list, and the form of one with their sign-in."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.mail.account import is_set_up
from trellis.identity import letters, second_factor
from trellis.identity.accounts import read_account
from trellis.identity.elsewhere import identities_of, unlink
from trellis.identity.invitations import Sent, give_password_link, invite, language_of, tell
from trellis.identity.people import names_of, other_administrators, sign_ins
from trellis.identity.person import ADMIN, PERSON, TEAM
from trellis.identity.sessions import browsers, close_session_of, close_sessions
from trellis.identity.sign_in_log import note, sign_in_history
from trellis.identity.throttle import locked_until, unlock
from trellis.model.view import Sort
from trellis.records.refusal import Refused, Stale
from trellis.web.cells.numbers import locale_of
from trellis.web.context import current_language, current_model, current_person, current_store, current_tenant
from trellis.web.faults import fault_texts
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.i18n import LANGUAGES
from trellis.web.links_to import base_for_letters, base_of_request
from trellis.web.pages.base import Page
from trellis.web.sign_in_words import door_words
from trellis.web.signing_in import here

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
        sent = invite_person(record.id)
        if sent is not None and sent.mailed:
            toast(_("The invitation to %(email)s is on its way.", email=sent.account.email))
            return redirect(url_for("UsersView.edit", id=record.id))
        return self._form(record, _values(record), sent=sent, fresh=True)

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
                if close_sessions(connection, current_tenant(), id):
                    note(current_tenant(), "ended", id, "admin", here(), by=_me(), connection=connection)
        toast(_("Saved"))
        return redirect(url_for("UsersView.users"))

    @expose("/admin/users/<uuid:id>/link", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def link(self, id: UUID) -> Any:
        """A link by which the person comes in: an invitation, or a new password; mailed, or to be handed over."""
        record = current_store().read(PERSON, id)
        by_mail = "mail" in request.form
        has_login = sign_ins(current_tenant(), [id])[id].has_login
        sent = _password_link(id, mail=by_mail) if has_login else invite_person(id, mail=by_mail)
        if sent is None:
            abort(404)
        if sent.mailed:
            toast(_("The letter to %(email)s is on its way.", email=sent.account.email))
            return redirect(url_for("UsersView.edit", id=id))
        return self._form(record, _values(record), sent=sent)

    @expose("/admin/users/<uuid:id>/sign-out", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def sign_out(self, id: UUID) -> Any:
        """End a session of a person, or every one."""
        tenant, record = current_tenant(), current_store().read(PERSON, id, fields=("name",))
        if one := request.form.get("session"):
            if close_session_of(tenant, id, one):
                note(tenant, "ended", id, "admin", here(), by=_me())
            toast(_("That browser is signed out."))
            return redirect(url_for("UsersView.edit", id=id, _anchor="sessions"))
        with tenant.begin() as connection:
            ended = close_sessions(connection, tenant, id)
            note(tenant, "ended", id, "admin", here(), by=_me(), connection=connection)
        log.info("signed out by an administrator", person=str(id), sessions=ended)
        toast(_("%(name)s is signed out everywhere.", name=record.title))
        return redirect(url_for("UsersView.edit", id=id))

    @expose("/admin/users/<uuid:id>/factor-off", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def factor_off(self, id: UUID) -> Any:
        """Take a second factor away whose phone is lost; who has to have one sets it up at the next sign-in."""
        tenant, record = current_tenant(), current_store().read(PERSON, id, fields=("name",))
        account = read_account(tenant, id)
        with tenant.begin() as connection:
            if account is not None and second_factor.remove(connection, tenant, id):
                close_sessions(connection, tenant, id, but=_own_session(id))
                note(tenant, "factor-off", id, "admin", here(), by=_me(), connection=connection)
                letter = letters.factor_removed(tenant.profile, account, language_of(tenant, id))
                tell(connection, tenant, account, letter, "notice")
        toast(_("The second factor of %(name)s is gone.", name=record.title))
        return redirect(url_for("UsersView.edit", id=id, _anchor="sign-in"))

    @expose("/admin/users/<uuid:id>/unlock", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def unlock(self, id: UUID) -> Any:
        """Let somebody try again at once whom too many wrong passwords have made wait."""
        tenant, record = current_tenant(), current_store().read(PERSON, id, fields=("name",))
        account = read_account(tenant, id)
        if account is not None and locked_until(tenant, account.email) is not None:
            unlock(tenant, account.email)
            note(tenant, "unlocked", id, "admin", here(), by=_me())
        toast(_("%(name)s can try again.", name=record.title))
        return redirect(url_for("UsersView.edit", id=id, _anchor="sign-in"))

    @expose("/admin/users/<uuid:id>/unlink", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def unlink(self, id: UUID) -> Any:
        """Forget who a person is at another place."""
        tenant, means = current_tenant(), request.form.get("means", "")
        current_store().read(PERSON, id, fields=("name",))
        if unlink(tenant, id, means):
            note(tenant, "unlinked", id, means, here(), by=_me())
            toast(_("The account there is no longer linked."))
        return redirect(url_for("UsersView.edit", id=id, _anchor="sign-in"))

    def _form(
        self,
        record: Record | None,
        values: dict[str, Any],
        refused: Refused | None = None,
        *,
        sent: Sent | None = None,
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
            sent=sent,
            fresh=fresh,
            **(_sign_in_of(record.id) if record is not None else {}),
        )


def time_zones() -> list[tuple[str, str]]:
    """Every time zone that people live in, by its city in the reader's language."""
    return _zones(current_language())


@lru_cache(maxsize=8)
def _zones(language: str) -> list[tuple[str, str]]:
    from babel.core import get_global

    zones = {zone for zones in get_global("territory_zones").values() for zone in zones if "/" in zone}
    return [(zone, _zone_label(zone, language)) for zone in sorted(zones)]


def _zone_label(zone: str, language: str) -> str:
    from babel.dates import get_timezone_location

    try:
        city = get_timezone_location(zone, locale=locale_of(language), return_city=True)
    except LookupError:  # the machine's list of time zones is another one than Babel's
        return zone
    return zone if zone.endswith("/" + city.replace(" ", "_")) else f"{city} · {zone}"


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


def invite_person(id: UUID, *, mail: bool = True) -> Sent | None:
    """Invite a person in the name of whoever is signed in."""
    base = base_for_letters() if mail else base_of_request()
    log.info("invited", person=str(id))
    link = partial(_address, base or base_of_request(), "invite")
    return invite(current_tenant(), id, link, by=_me(), place=here(), mail=mail)


def _password_link(id: UUID, *, mail: bool) -> Sent | None:
    base = base_for_letters() if mail else base_of_request()
    log.info("password link made", person=str(id))
    link = partial(_address, base or base_of_request(), "reset")
    return give_password_link(current_tenant(), id, link, by=_me(), place=here(), mail=mail)


def _address(base: str, page: str, secret: str) -> str:
    return f"{base}/{page}/{secret}"


def _me() -> UUID | None:
    person = current_person()
    return person.id if person is not None else None


def _locked(id: UUID) -> Any:
    """Until when a person's account waits."""
    account = read_account(current_tenant(), id)
    return locked_until(current_tenant(), account.email) if account is not None and account.email else None


def _own_session(id: UUID) -> str | None:
    """The session at hand, where it is the person's own."""
    person = current_person()
    return person.session if person is not None and person.id == id else None


def _sign_in_of(id: UUID) -> dict[str, Any]:
    """What the page says of how a person signs in."""
    tenant = current_tenant()
    entries = sign_in_history(tenant, id, 15)
    return {
        "sign_in": sign_ins(tenant, [id]).get(id),
        "sessions": browsers(tenant, id),
        "mine": _own_session(id),
        "entries": entries,
        "names": names_of(tenant, {entry.by for entry in entries if entry.by is not None}),
        "has_factor": second_factor.has_factor(tenant, id),
        "locked": _locked(id),
        "identities": identities_of(tenant, id),
        "can_mail": is_set_up(tenant),
        **door_words(),
    }
