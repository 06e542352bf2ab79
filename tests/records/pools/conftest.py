"""A small CRM with a pool of leads, its people, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

POOL = """
entity: user
title: name
fields:
  name: {type: text, required: true}
  email: {type: email, unique: true}
  roles: {type: list}
  active: {type: boolean, default: true}
---
entity: lead
title: name
fields:
  name: {type: text, required: true, search: true}
  phone: {type: phone, search: true}
  city: {type: text}
  closed: {type: boolean, default: false}
  owner: {type: user, role: owner, default: =me}
---
entity: call
title: subject
fields:
  subject: {type: text, required: true}
  about: {type: any_link, to: "*", inverse: calls}
---
entity: offer
title: name
fields:
  name: {type: text, required: true}
  lead: {type: link, to: lead, inverse: offers}
  won: {type: boolean}
---
role: rep
label: Rep
grants:
  lead: {read: own, create: true, update: own, delete: own, restore: own}
  call: {read: all, create: true, update: all}
  offer: {read: all, create: true, update: all}
  user: {read: all}
---
role: boss
label: Boss
grants:
  lead: {read: all, create: true, update: all, delete: all, restore: all}
  user: {read: all}
---
role: marketing
label: Marketing
grants:
  lead: {read: all, update: all}
  user: {read: all}
---
pool: leads
label: Public leads
entity: lead
filter: not closed
members: {roles: [rep]}
admins: {roles: [boss]}
hide: [phone]
release: {after: 10 days, without: [activity], extend: 3 days, at_most: 20 days, warn: 2 days}
claim: {per_day: 3, holding: 4, not_counting: city == "Bonn"}
lock: {at_most: 1, for: 30 days}
cool_down: 3 days
"""

DAY = datetime(2019, 3, 25, 9, tzinfo=UTC)


def at(month: int, day: int, hour: int = 10) -> datetime:
    """A moment in 2019."""
    return datetime(2019, month, day, hour, tzinfo=UTC)


class Crm:
    """The tenant with its people, at moments that a test chooses."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.people: dict[str, tuple[UUID, str]] = {}

    def system(self, now: datetime = DAY, **reader: object) -> Store:
        """The system's hand at a moment."""
        return Store(self.tenant, Principal.system(Reader(now=now)))

    def person(self, name: str, role: str = "rep") -> Ref:
        """Somebody who works here."""
        if name not in self.people:
            values = {"name": name, "email": f"{name}@example.com", "roles": [role]}
            self.people[name] = (self.system().create("user", values).id, role)
        return Ref("user", self.people[name][0], name)

    def by(self, name: str, now: datetime = DAY, role: str = "rep") -> Store:
        """What somebody does at a moment."""
        me = self.person(name, role)
        roles = frozenset({self.people[name][1]})
        reader = Reader(me=me, roles=roles, now=now)
        return Store(self.tenant, Principal(reader, id=me.id, name=name, roles=roles))

    def lead(self, name: str = "Acme", owner: str | None = None, now: datetime = DAY, **values: object) -> UUID:
        """A lead of somebody, or of nobody."""
        given = {"name": name, "owner": str(self.person(owner).id) if owner else None, **values}
        return self.system(now).create("lead", given).id

    def returns(self, id: UUID) -> datetime | None:
        """When a lead goes back."""
        found = self.system().read("lead", id, fields=["returns_at"])["returns_at"]
        assert found is None or isinstance(found, datetime)
        return found

    def owner(self, id: UUID) -> str | None:
        """Whose a lead is."""
        ref = self.system().read("lead", id, fields=["owner"])["owner"]
        return None if ref is None else next(n for n, (i, _) in self.people.items() if i == ref.id)


@pytest.fixture(scope="module")
def pooled(catalogue: Catalogue) -> Iterator[Callable[..., Crm]]:
    """Tenants with a pool, one for each text, for a module."""
    made: dict[str, Crm] = {}

    def make(text: str = POOL) -> Crm:
        if text not in made:
            slug = f"pool-{abs(hash((text, id(made)))) % 10**8}"
            made[text] = Crm(catalogue.create(slug, layers_of(text, slug), "test"))
        return made[text]

    yield make
    for crm in made.values():
        catalogue.drop(crm.tenant.slug)


@pytest.fixture
def crm(pooled: Callable[..., Crm]) -> Crm:
    """The pool of leads."""
    return pooled()


SOON = timedelta(minutes=1)
