"""The person behind a session: one statement gives who they are, their roles, teams and the people below them."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.storage.prepared import KEPT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import RowMapping

    from trellis.storage.tenant import Tenant

PERSON = "user"  # the entities that the platform knows by name: who signs in, and the teams they are in
TEAM = "team"
CONTACT = "contact"  # the field that ties a person from outside to who they are among the records
ADMIN = "admin"  # the right to users, roles and the configuration


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in. Flask-Login's user, and where the Principal comes from."""

    id: UUID
    login: int
    name: str
    email: str
    roles: tuple[str, ...] = ()
    language: str | None = None
    time_zone: str | None = None
    job_title: str | None = None
    team: UUID | None = None
    teams: frozenset[str] = frozenset()
    team_ids: frozenset[UUID] = frozenset()  # the teams whose shares reach them: theirs, those above, those they lead
    has_shares: bool = True
    contact: UUID | None = None  # of somebody from outside
    below: frozenset[UUID] = frozenset()
    session: str = ""
    seen_at: datetime | None = None
    session_data: Mapping[str, Any] = dc_field(default_factory=dict, hash=False)

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie."""
        return str(self.login)


def zone(name: str | None, default: str = "UTC") -> ZoneInfo:
    """A time zone by name; the default for one that does not exist."""
    for candidate in (name, default):
        if candidate:
            try:
                return ZoneInfo(candidate)
            except (ZoneInfoNotFoundError, ValueError):
                continue
    return ZoneInfo("UTC")


def reader_for(tenant: Tenant, person: Person | None = None, language: str | None = None) -> Reader:
    """The reader's settings: the person's own, else the tenant's."""
    profile = tenant.profile
    known = frozenset(person.roles) & frozenset(tenant.model.roles) if person else frozenset()
    return Reader(
        me=Ref(PERSON, person.id, person.name) if person else None,
        roles=known,
        my_team=Ref(TEAM, person.team) if person and person.team else None,
        teams=person.teams if person else frozenset(),
        team_members=(person.below | {person.id}) if person else frozenset(),
        team_ids=person.team_ids if person else frozenset(),
        has_shares=person.has_shares if person else False,
        contact=Ref(CONTACT, person.contact) if person and person.contact else None,
        language=language or (person.language if person else None) or profile.language,
        time_zone=zone(person.time_zone if person else None, profile.time_zone),
        currency=profile.currency,
        region=profile.region,
        settings=profile.settings,
    )


def principal_for(tenant: Tenant, person: Person, language: str | None = None) -> Principal:
    """What the door to records is told about a signed-in person."""
    reader = reader_for(tenant, person, language)
    return Principal(reader=reader, id=person.id, name=person.name, roles=reader.roles)


def has_right(tenant: Tenant, person: Person | None, right: str) -> bool:
    """Whether one of the person's roles allows a right beside any entity: admin, import, reports, api, …"""
    if person is None:
        return False
    roles = tenant.model.roles
    return any(right in roles[key].allow for key in person.roles if key in roles)


def read_person(tenant: Tenant, session: str) -> Person | None:
    """The person of a session that is still good; None when it is not, or the person may not sign in any more."""
    with tenant.begin() as connection:
        row = connection.execute(_statement(tenant, "session"), {"session": session}).mappings().first()
    return person_of(row, session) if row else None


def read_person_by_id(connection: sa.Connection, tenant: Tenant, id: UUID) -> Person | None:
    """Somebody who may sign in, without a session: who an API key acts as."""
    row = connection.execute(_statement(tenant, "id"), {"person": id}).mappings().first()
    return person_of(row) if row else None


def person_of(row: RowMapping, session: str = "") -> Person:
    """A row of the statement as a Person."""
    return Person(
        id=row["id"],
        login=row["login"],
        name=row["name"] or row["email"] or "",
        email=row["email"] or "",
        roles=tuple(row["roles"] or ()),
        language=row["language"],
        time_zone=row["time_zone"],
        job_title=row["job_title"],
        team=row["team"],
        teams=frozenset(row["teams"] or ()),
        team_ids=frozenset(row["team_ids"] or ()),
        has_shares=row["has_shares"],
        contact=row["contact"],
        below=frozenset(row["below"] or ()),
        session=session,
        seen_at=row["seen_at"],
        session_data=row["session_data"] or {},
    )


def _statement(tenant: Tenant, by: Literal["session", "id"]) -> sa.Select[Any]:
    """One statement for a person; kept with the tables, which equal models share."""
    kept: dict[str, Any] = tenant.tables.metadata.info
    key = f"person by {by}"
    if key not in kept:
        kept[key] = _build(tenant, by)
    statement: sa.Select[Any] = kept[key]
    return statement


def _build(tenant: Tenant, by: Literal["session", "id"]) -> sa.Select[Any]:
    tables = tenant.tables
    user, login, session = tables.entity[PERSON], tables.metadata.tables["ab_user"], tables.platform.session
    wanted = ("name", "email", "roles", "language", "time_zone", "job_title", "team")
    chosen = [user.c.id, user.c.login, *(_column(user, name) for name in wanted), _contact(tables.entity)]
    found = user.join(login, login.c.id == user.c.login)
    if by == "session":
        which = sa.and_(session.c.id == sa.bindparam("session"), session.c.expires_at > sa.func.now())
        chosen += [session.c.seen_at, session.c.data.label("session_data")]
        found = session.join(user, user.c.id == session.c.user).join(login, login.c.id == user.c.login)
    else:
        which = user.c.id == sa.bindparam("person", type_=sa.Uuid())
        chosen += [sa.null().label("seen_at"), sa.null().label("session_data")]
    may_sign_in = sa.and_(user.c.deleted_at.is_(None), is_active(user), login.c.active)
    me = sa.select(*chosen).select_from(found).where(which, may_sign_in).cte("me")
    above, reached = _teams_above(tables.entity, me)
    below = _people_below(tables.entity, me)
    shared = _is_shared_with(tables.platform.share, me, reached)
    told = above.label("teams"), reached.label("team_ids"), below.label("below"), shared.label("has_shares")
    return sa.select(*me.c, *told).execution_options(**KEPT)


def _is_shared_with(share: sa.Table, me: sa.CTE, teams: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether any record is shared with the person: where none is, no statement of theirs asks about shares."""
    own = sa.exists().where(share.c.user == me.c.id)
    if isinstance(teams, sa.sql.elements.Null):
        return own
    return own | sa.exists().where(share.c.team == sa.any_(teams))


def _contact(entities: Mapping[str, sa.Table]) -> sa.ColumnElement[Any]:
    """Who somebody from outside is among the contacts; nobody once the contact is in the bin."""
    user, contact = entities[PERSON], entities.get(CONTACT)
    if contact is None or CONTACT not in user.c or not isinstance(user.c[CONTACT].type, sa.Uuid):
        return sa.null().label(CONTACT)
    row = contact.alias("own_contact")
    live = sa.select(row.c.id).where(row.c.id == user.c[CONTACT], row.c.deleted_at.is_(None))
    return live.correlate(user).scalar_subquery().label(CONTACT)


def is_active(user: sa.Table) -> sa.ColumnElement[bool]:
    """Whether a person may sign in at all: `active` is not switched off."""
    return sa.func.coalesce(user.c.active, sa.true()) if "active" in user.c else sa.true()


def _column(table: Any, name: str) -> sa.ColumnElement[Any]:
    column: sa.ColumnElement[Any] = table.c[name] if name in table.c else sa.null().label(name)
    return column


def _array(select: sa.Select[Any]) -> sa.ColumnElement[Any]:
    return sa.func.array(select.scalar_subquery())


def _teams_above(entities: Mapping[str, sa.Table], me: sa.CTE) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """The names of the person's team and of every team above it; the ids of these, and of the teams that they lead."""
    team = entities.get(TEAM)
    if team is None or "name" not in team.c:
        return sa.null(), sa.null()
    own = team.alias("own_team")
    above = (
        sa.select(own.c.id, own.c.name, _column(own, "parent"))
        .where(own.c.id == sa.cast(me.c.team, sa.Uuid()))  # nobody's, where people have no team
        .cte("above", recursive=True)
    )
    upper = team.alias("upper_team")
    higher = sa.select(upper.c.id, upper.c.name, _column(upper, "parent"))
    higher = higher.where(upper.c.id == sa.cast(above.c.parent, sa.Uuid()))
    above = above.union(higher)
    ids: Any = sa.select(above.c.id)
    if "manager" in team.c:
        ids = ids.union(sa.select(_led(team, me, "led_team").c.id))
    return _array(sa.select(above.c.name)), _array(ids)


def _led(team: sa.Table, me: sa.CTE, name: str) -> sa.CTE:
    """The teams that the person manages, and every team below these."""
    led, lower = team.alias(f"{name}_first"), team.alias(f"{name}_lower")
    managed = sa.select(led.c.id).where(led.c.manager == me.c.id).cte(name, recursive=True)
    if "parent" in team.c:
        managed = managed.union(sa.select(lower.c.id).where(lower.c.parent == managed.c.id))
    return managed


def _people_below(entities: Mapping[str, sa.Table], me: sa.CTE) -> sa.ColumnElement[Any]:
    """Everyone below the person: members of the teams that they manage, and whoever reports to one of these."""
    first, report = entities[PERSON].alias("first"), entities[PERSON].alias("report")
    begins: sa.ColumnElement[bool] = first.c.id.in_(sa.select(me.c.id))
    team = entities.get(TEAM)
    if team is not None and "team" in first.c and "manager" in team.c:
        begins |= first.c.team.in_(sa.select(_led(team, me, "managed").c.id))
    below = sa.select(first.c.id).where(begins).cte("below", recursive=True)
    if "manager" in report.c:
        below = below.union(sa.select(report.c.id).where(report.c.manager == below.c.id))
    return _array(sa.select(below.c.id))
