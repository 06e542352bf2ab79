"""A shop whose contacts are persons: with orders, notes, leads that become contacts, files and merges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

SHOP = """
entity: user
title: name
fields:
  name: {type: text, required: true}
  email: {type: email}
  active: {type: boolean, default: true}
  roles: {type: choices, choices: {from: roles}}
  contact: {type: link, to: contact, inverse: portal_users}
---
entity: contact
label: Contact
title: name
fields:
  name: {type: name, required: true, search: true, personal: true}
  email: {type: email, search: true, personal: true, multiple: true}
  phone: {type: phone, personal: true}
  birthday: {type: date, personal: true}
  photo: {type: image, personal: true}
  contract: {type: file}
  city: {type: text}
  spent: {type: money, rollup: sum(orders.total)}
  best_friend: {type: link, to: contact, inverse: friends}
---
entity: visit_log
part_of: contact
label: Visit
title: remark
fields:
  contact: {type: link, to: contact, inverse: visits}
  remark: {type: text, required: true, personal: true}
---
entity: lead
label: Lead
title: name
fields:
  name: {type: name, required: true, search: true, personal: true}
  email: {type: email, personal: true}
  budget: {type: money}
---
convert: lead
into:
  contact: {match: [email], set: {name: =name, email: =email}}
then: {lock: true}
---
entity: order
label: Order
title: number
key: number
fields:
  number: {type: text, required: true, unique: true, search: true}
  contact: {type: link, to: contact, inverse: orders, required: true}
  guests: {type: links, to: contact, inverse: invitations}
  total: {type: money}
  ship_to: {type: address, personal: true}
  contact_email: {lookup: contact.email}
---
entity: note
label: Note
title: text
fields:
  about: {type: any_link, to: "*", inverse: notes, required: true}
  text: {type: long_text, required: true, search: true}
  stars: {type: integer}
---
role: officer
label: Privacy officer
grants: {"*": {read: all}}
allow: [privacy]
---
role: guest
label: Guest
portal: true
grants: {note: {read: own}}
---
role: rep
label: Rep
grants: {"*": {read: all, create: true, update: all, delete: all, merge: all}}
"""


@dataclass(frozen=True)
class Shop:
    """The tenant with its doors."""

    tenant: Tenant
    system: Store
    officer: Store
    rep: Store

    def contact(self, name: str, **values: Any) -> UUID:
        """A new contact."""
        return self.rep.create("contact", {"name": name, **values}).id


@pytest.fixture(scope="module")
def shop(catalogue: Catalogue, request: pytest.FixtureRequest) -> Iterator[Shop]:
    slug = "privacy-" + request.module.__name__.rpartition("_")[2]
    tenant = catalogue.create(slug, layers_of(SHOP, slug), "test")
    system = Store(tenant, Principal.system(Reader()))

    def door(name: str, role: str) -> Store:
        user = system.create("user", {"name": name, "email": f"{name.lower()}@shop.example"})
        reader = Reader(me=Ref("user", user.id, name), roles=frozenset({role}))
        return Store(tenant, Principal(reader, id=user.id, name=name, roles=frozenset({role})))

    yield Shop(tenant, system, door("Olga", "officer"), door("Rolf", "rep"))
    catalogue.drop(slug)
