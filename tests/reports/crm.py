"""A small CRM with enough of everything that reports ask about, and its records."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from trellis.formula.reader import Reader
from trellis.formula.types import Money, Ref
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.tenant import Tenant

CRM = """
entity: area
fields:
  name: {type: text, required: true, unique: true}
  parent: {type: link, to: area, tree: true, inverse: parts}
---
entity: account
fields:
  name: {type: text, required: true}
  industry: {type: choice, choices: [retail, food, other]}
  employees: {type: integer}
  area: {type: link, to: area, inverse: accounts}
  owner: {type: user, role: owner}
---
entity: deal
fields:
  name: {type: text, required: true}
  account: {type: link, to: account, inverse: deals}
  owner: {type: user, role: owner}
  amount: {type: money}
  margin: {type: money}
  close_date: {type: date}
  opened_at: {type: datetime}
  expected: {type: money, formula: amount * probability / 100}
---
pipeline: sales
entity: deal
stages:
  new: {probability: 10, forecast: pipeline}
  offer: {probability: 50, forecast: best_case}
  signing: {probability: 90, forecast: commit}
  won: {type: won, forecast: closed}
  lost: {type: lost, forecast: omitted}
---
entity: visit
fields:
  account: {type: link, to: account, inverse: visits}
  at: {type: date}
---
role: rep
grants: {"*": {read: all}, deal: {read: own}}
allow: [reports]
---
role: lead
grants: {"*": {read: all}, deal: {read: team}}
allow: [reports]
---
role: blind
grants: {"*": {read: all}, deal: {read: all, fields: {margin: hidden, amount: masked}}}
allow: [reports]
---
role: boss
grants: {"*": {read: all, create: true, update: all}}
allow: [reports]
---
role: visitor
grants: {visit: {read: all}, account: {read: all}, user: {read: all}}
allow: [reports]
---
role: outsider
grants: {"*": {read: all}}
"""
MIDNIGHT = datetime(2025, 1, 31, 22, 30, tzinfo=UTC)  # next month in Berlin an hour later
NOW = datetime(2026, 6, 17, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass
class World:
    """The tenant with its people, and its records as plain Python."""

    tenant: Tenant
    people: dict[str, UUID] = field(default_factory=dict)
    areas: dict[str, UUID] = field(default_factory=dict)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    deals: list[dict[str, Any]] = field(default_factory=list)

    @property
    def system(self) -> Store:
        """The platform's own hand."""
        return Store(self.tenant, Principal.system(self.reader()))

    def reader(self, name: str | None = None, roles: Iterable[str] = (), team: Iterable[str] = ()) -> Reader:
        """Somebody's settings."""
        me = Ref("user", self.people[name]) if name else None
        members = frozenset(self.people[n] for n in team)
        return Reader(
            me=me, my_team=me, roles=frozenset(roles), team_members=members, time_zone=BERLIN, currency="EUR", now=NOW
        )

    def store(self, name: str, role: str, team: Iterable[str] = ()) -> Store:
        """The door for somebody."""
        roles = frozenset({role})
        return Store(
            self.tenant, Principal(id=self.people[name], name=name, roles=roles, reader=self.reader(name, roles, team))
        )

    def boss(self) -> Store:
        """The door for one who may see everything."""
        return self.store("anna", "boss")


def fill(tenant: Tenant, deals: int = 60) -> World:
    """The records, the same each time."""
    world, chance = World(tenant), random.Random(7)
    store = world.system
    for name in ("anna", "ben", "cleo"):
        world.people[name] = store.create("user", {"name": name.title(), "email": f"{name}@example.com"}).id
    north = store.create("area", {"name": "North"}).id
    for name, parent in (("Coast", north), ("Harbour", None), ("South", None)):
        above = world.areas.get("Coast") if name == "Harbour" else parent
        world.areas[name] = store.create("area", {"name": name, "parent": above}).id
    world.areas["North"] = north
    for n in range(9):
        values = {
            "name": f"Account {n}",
            "industry": chance.choice(["retail", "food", "other", None]),
            "employees": chance.choice([3, 10, 49, 50, 700, None]),
            "area": chance.choice([*world.areas.values(), None]),
            "owner": world.people[chance.choice(["anna", "ben", "cleo"])],
        }
        values["id"] = store.create("account", values).id
        world.accounts.append(values)
    for n in range(deals):
        values = {
            "name": f"Deal {n}",
            "account": chance.choice([a["id"] for a in world.accounts] + [None]),
            "owner": world.people[chance.choice(["anna", "ben", "cleo"])],
            "amount": _money(chance.choice([None, 10, 20, 99.5, 250, 1000, 1000.25])),
            "margin": _money(chance.choice([1, 2, 3])),
            "close_date": chance.choice([None, date(2026, 1, 1) + timedelta(days=chance.randrange(300))]),
            "opened_at": datetime(2025, 1, 31, 22, 30, tzinfo=UTC)
            + timedelta(hours=chance.randrange(12000) if n > 3 else n),
            "stage": chance.choice(["new", "offer", "signing", "won", "lost"]),
        }
        values["id"] = store.create("deal", values).id
        world.deals.append(values)
    return world


def _money(amount: float | None) -> Money | None:
    return None if amount is None else Money(Decimal(str(amount)), "EUR")


def total(values: Iterable[Any]) -> Decimal:
    """A sum of amounts, blanks left out."""
    return sum((v.amount for v in values if v is not None), Decimal(0))
