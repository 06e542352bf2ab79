"""A small CRM in which things hang on each other in every way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

CRM = """
entity: user
title: name
fields:
  name: {type: text, required: true, search: true}
  email: {type: email, unique: true}
---
entity: account
title: name
key: code
fields:
  name: {type: text, required: true, search: true}
  code: {type: text, unique: true, search: true}
  city: {type: text}
  revenue: {type: money}
  website: {type: url}
  tags: {type: tags}
  parent: {type: link, to: account, tree: true, inverse: children}
  partners: {type: links, to: account, inverse: partner_of}
  owner: {type: user, role: owner, default: =me}
  deal_count: {type: integer, rollup: count(deals)}
  deal_sum: {type: money, rollup: sum(deals.amount)}
  note_count: {type: integer, rollup: count(notes)}
  group_sum: {type: money, rollup: sum(children.deal_sum)}
  secret: {type: text}
unique:
  one-website: [website]
dedupe:
  same-name: {match: ["exact(name)"], action: block}
---
entity: contact
title: name
fields:
  name: {type: text, required: true, search: true}
  email: {type: email}
  account: {type: link, to: account, inverse: contacts, on_delete: clear}
---
entity: deal
title: name
fields:
  name: {type: text, required: true}
  account: {type: link, to: account, required: true, inverse: deals, search: true}
  amount: {type: money}
  contacts:
    type: links
    to: contact
    inverse: deals
    primary: main_contact
    columns: {part: {type: choice, choices: [buyer, user]}}
  buyers: {type: integer, rollup: 'count(contacts, via.part == "buyer")'}
---
entity: note
title: text
fields:
  text: {type: text, required: true}
  about: {type: any_link, to: [account, contact], inverse: notes}
---
entity: campaign
title: name
fields:
  name: {type: text, required: true}
  members: {type: integer, rollup: count(lines)}
---
entity: member
title: contact
part_of: campaign
fields:
  contact: {type: link, to: contact, inverse: campaigns, required: true}
unique:
  once: [campaign, contact]
---
entity: invitation
title: state
fields:
  state: {type: text}
  campaign: {type: link, to: campaign, inverse: invitations, required: true, on_delete: cascade}
  contact: {type: link, to: contact, inverse: invitations, required: true, on_delete: cascade}
unique:
  once: [campaign, contact]
---
entity: answer
title: text
fields:
  text: {type: text}
  invitation: {type: link, to: invitation, inverse: answers, on_delete: cascade}
---
entity: licence
title: name
merge: false
fields:
  name: {type: text}
---
role: merger
label: Merger
grants: {"*": {read: all, create: true, update: all, delete: all}}
allow: [merge]
---
role: other
label: Other
grants: {"*": {read: all, create: true, update: all, delete: all}}
---
role: half
label: Half
grants:
  "*": {read: all, create: true, update: all, delete: own}
  account: {read: all, update: all, delete: own, fields: {secret: hidden, city: readonly}}
allow: [merge]
---
role: granted
label: Granted
grants: {account: {read: all, update: all, delete: all, merge: true}}
"""


@pytest.fixture(scope="session")
def crm_for_all(catalogue: Catalogue) -> Iterator[Tenant]:
    """The small CRM, made once for the run."""
    yield catalogue.create("records-merging", layers_of(CRM, "records-merging"), "test")
    catalogue.drop("records-merging")


@pytest.fixture
def crm(crm_for_all: Tenant) -> Iterator[Tenant]:
    """The small CRM; empty again after the test."""
    yield crm_for_all
    tables, platform = crm_for_all.tables, crm_for_all.tables.platform
    used = [*tables.entity.values(), *tables.links.values(), platform.history, platform.sequence, platform.comment]
    used += [platform.merge, platform.merged, platform.merge_move, platform.not_duplicate, platform.follow]
    with crm_for_all.database.engine.begin() as connection:
        names = [f'"{crm_for_all.schema}"."{t.name}"' for t in used]
        connection.exec_driver_sql(
            "SET LOCAL session_replication_role = replica;" + "".join(f"DELETE FROM {name};" for name in names)
        )


@pytest.fixture
def store(crm: Tenant) -> Store:
    """The system's own door."""
    return Store(crm, Principal.system(Reader()))


@pytest.fixture
def person(crm: Tenant, store: Store) -> Callable[..., Store]:
    """Doors of people: `person("Anna", "merger")`."""

    def make(name: str, *roles: str) -> Store:
        user = store.create("user", {"name": name, "email": f"{name.lower()}@example.com"})
        reader = Reader(me=Ref("user", user.id, name), roles=frozenset(roles))
        return Store(crm, Principal(reader, id=user.id, name=name, roles=frozenset(roles)))

    return make
