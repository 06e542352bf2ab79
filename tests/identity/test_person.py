"""Who somebody is: teams above, people below, and sessions that end."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from tests.web.frame_tenants import YAML, add_person

from trellis.identity.person import has_right, principal_for, read_person
from trellis.identity.sessions import close_session, close_sessions, digest, open_session
from trellis.storage.tenant import Tenant


def person_of(tenant: Tenant, person: Any) -> Any:
    return read_person(tenant, digest(open_session(tenant, person)))


def test_teams_above_and_people_below(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    boss = add_person(tenant, "boss@x.example", "rep")
    team, sub = tenant.tables.entity["team"], None
    with tenant.begin() as connection:
        top = connection.execute(
            sa.insert(team).values(id=sa.func.gen_random_uuid(), name="West", manager=boss).returning(team.c.id)
        ).scalar_one()
        sub = connection.execute(
            sa.insert(team).values(id=sa.func.gen_random_uuid(), name="Far west", parent=top).returning(team.c.id)
        ).scalar_one()
    member = add_person(tenant, "member@x.example", "rep", team=sub)
    report = add_person(tenant, "report@x.example", "rep", manager=member)
    stranger = add_person(tenant, "stranger@x.example", "rep")

    assert person_of(tenant, boss).below == {boss, member, report}
    assert person_of(tenant, member).teams == {"West", "Far west"}
    assert person_of(tenant, stranger).below == {stranger}
    principal = principal_for(tenant, person_of(tenant, member))
    assert principal.reader.team_members == {member, report}
    assert principal.roles == {"rep"}


def test_circles_of_managers_end(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    one = add_person(tenant, "one@x.example")
    other = add_person(tenant, "other@x.example", manager=one)
    user = tenant.tables.entity["user"]
    with tenant.begin() as connection:
        connection.execute(sa.update(user).where(user.c.id == one).values(manager=other))

    assert person_of(tenant, one).below == {one, other}


def test_sessions_end(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    person = add_person(tenant, "one@x.example")
    first, second, third = (open_session(tenant, person) for _ in range(3))

    close_session(tenant, first)
    assert read_person(tenant, digest(first)) is None
    with tenant.begin() as connection:
        close_sessions(connection, tenant, person, but=digest(second))
    assert read_person(tenant, digest(second)) is not None
    assert read_person(tenant, digest(third)) is None


def test_the_database_does_not_know_the_secret(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    secret = open_session(tenant, add_person(tenant, "one@x.example"))
    table = tenant.tables.platform.session
    with tenant.begin() as connection:
        assert secret not in str(connection.execute(sa.select(table)).all())
    assert read_person(tenant, secret) is None


def test_inactive_deleted_and_expired_people_are_nobody(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    user, sessions = tenant.tables.entity["user"], tenant.tables.platform.session
    for change in ({"active": False}, {"deleted_at": sa.func.now()}):
        person = add_person(tenant, f"{next(iter(change))}@x.example")
        secret = open_session(tenant, person)
        assert read_person(tenant, digest(secret)) is not None
        with tenant.begin() as connection:
            connection.execute(sa.update(user).where(user.c.id == person).values(**change))
        assert read_person(tenant, digest(secret)) is None
    secret = open_session(tenant, add_person(tenant, "late@x.example"))
    with tenant.begin() as connection:
        connection.execute(sa.update(sessions).values(expires_at=sa.func.now() - sa.text("interval '1 second'")))
    assert read_person(tenant, digest(secret)) is None


def test_rights_come_from_roles(same_tenant: Any) -> None:
    tenant = same_tenant(YAML)
    admin = person_of(tenant, add_person(tenant, "a@x.example", "rep", "admin"))
    rep = person_of(tenant, add_person(tenant, "b@x.example", "rep", "gone-role"))

    assert has_right(tenant, admin, "admin")
    assert not has_right(tenant, rep, "admin")
    assert not has_right(tenant, None, "admin")
    assert principal_for(tenant, rep).roles == {"rep"}
