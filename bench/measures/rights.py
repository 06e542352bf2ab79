"""Permissions in the list of the API: a level of a role against no rule at all, over the same records and people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from bench.fill import fill
from bench.registry import Result, measure
from bench.setting import PERSON, VAR, layers
from bench.timing import OURS, THEIRS, compare
from trellis.api.app import add_api
from trellis.api.rates import forget_counts
from trellis.identity.api_keys import create_key
from trellis.storage.catalogue import NoSuchTenant
from trellis.web.app import create_tenant_app
from trellis.web.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

    from bench.setting import Bench
    from trellis.storage.tenant import Tenant

SLUG = "bench-rights"
PEOPLE = 500
TEAM = 25  # people whom one manager leads
SHARES = 200  # records that one person has been given
GOAL = 1.3
ROLES = """
role: free
grants: {"*": {read: all}}
allow: [api]
---
role: team
grants: {contact: {read: team}, account: {read: all}}
allow: [api]
---
role: own
grants: {contact: {read: own}, account: {read: all}}
allow: [api]
"""
FIELDS = "name,account,job_title,email,phone,mobile,owner"
CASES = {
    "newest first": f"contact?fields={FIELDS}&limit=50&sort=-created_at",
    "filtered": f'contact?fields={FIELDS}&limit=50&sort=-created_at&filter=buying_role == "decision"',
}


@measure("rights")
def rights(bench: Bench) -> Iterator[Result]:
    """A page of the list API under `team` and `own`, with and without shares, against a reader of everything."""
    tenant = _tenant(bench)
    app = create_tenant_app(tenant, Settings(var=VAR), bench.catalogue, extensions=(add_api,))
    free = _asker(tenant, app, "free", 1)
    readers = {
        f"team of {TEAM}, {PEOPLE} people": _asker(tenant, app, "team", 2),
        "own, nobody below": _asker(tenant, app, "own", 3),
        f"own, {SHARES} shared": _asker(tenant, app, "own", 4),
    }
    for who, ask in readers.items():
        for name, address in CASES.items():
            works: dict[str, Callable[[], object]] = {
                OURS: lambda ask=ask, address=address: ask(address),  # type: ignore[misc]
                THEIRS: lambda address=address: free(address),  # type: ignore[misc]
            }
            timed = compare(works, bench.seconds)
            goal = GOAL if who.startswith("team") else None
            both = timed.medians[OURS], timed.medians[THEIRS]
            yield Result(f"list API, {who}: {name}", *both, None, timed.ratio, goal=goal)


def _asker(tenant: Tenant, app: Flask, role: str, number: int) -> Callable[[str], int]:
    """Asks as a person with the role; every page is full."""
    person = UUID(int=PERSON.int + number)
    user = tenant.tables.entity["user"]
    with tenant.begin() as connection:
        connection.execute(sa.update(user).where(user.c.id == person).values(roles=[role]))
    secret = create_key(tenant, person, f"bench {role}")[1]
    client = app.test_client()

    def ask(address: str) -> int:
        forget_counts()
        answer = client.get(f"/api/v1/{address}", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 200, answer.text
        rows = answer.get_json()["data"]
        assert len(rows) == 50, len(rows)
        return len(rows)

    return ask


def _tenant(bench: Bench) -> Tenant:
    """Half a thousand people, each with as many contacts; one leads a team, one has been given some."""
    why = f"{bench.rows} contacts of {PEOPLE}"
    made = layers(SLUG, roles=ROLES)
    try:
        if bench.catalogue.revisions(SLUG)[-1].why == why and bench.catalogue.entry(SLUG).status == "active":
            return bench.catalogue.get(SLUG)
        bench.catalogue.drop(SLUG)
    except (NoSuchTenant, IndexError):
        pass
    tenant = bench.catalogue.create(SLUG, made, "bench", why=why, status="provisioning")
    fill(tenant, bench.rows, PERSON, people=PEOPLE, roles=["free"])
    tables = tenant.tables
    user, team, share, contact = (
        tables.entity["user"],
        tables.entity["team"],
        tables.platform.share,
        tables.entity["contact"],
    )
    led, given = uuid7(), UUID(int=PERSON.int + 4)
    with tenant.begin() as connection:
        connection.execute(sa.insert(team).values(id=led, name="Led", manager=UUID(int=PERSON.int + 2)))
        members = [UUID(int=PERSON.int + n) for n in range(10, 10 + TEAM)]
        connection.execute(sa.update(user).where(user.c.id.in_(members)).values(team=led))
        some = connection.execute(sa.select(contact.c.id).where(contact.c.owner != given).limit(SHARES)).scalars().all()
        rows = [{"id": uuid7(), "entity": "contact", "record": id, "user": given, "level": "read"} for id in some]
        connection.execute(sa.insert(share), rows)
    bench.catalogue.resume(SLUG)
    return bench.catalogue.get(SLUG)
