"""Small CRMs for the door's tests, and the people who use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

SALES = """
entity: user
title: name
fields:
  name: {type: text, required: true, search: true}
  email: {type: email, unique: true}
  active: {type: boolean, default: true}
---
entity: account
label: Account
title: name
fields:
  name: {type: text, required: true, search: true, max_length: 80}
  city: {type: text}
  employees: {type: integer, min: 0}
  owner: {type: user, role: owner, default: =me}
  margin: {type: percent}
  phone: {type: phone}
  secret_note: {type: text, search: true}
  open_amount: {type: money, rollup: 'sum(deals.amount, stage_type == "open")'}
  deal_count: {type: integer, rollup: count(deals)}
---
entity: contact
label: Contact
fields:
  name: {type: text, required: true, search: true}
  email: {type: email, unique: true}
  account: {type: link, to: account, inverse: contacts, on_delete: clear}
dedupe:
  same-name: {match: [name], action: warn}
---
entity: deal
label: Deal
title: name
fields:
  name: {type: text, required: true, search: true}
  number: {type: sequence, mask: "D-{yyyy}-{0000}", reset: year}
  account: {type: link, to: account, required: true, inverse: deals, on_delete: restrict}
  contacts:
    type: links
    to: contact
    inverse: deals
    columns: {part: {type: choice, choices: [buyer, user]}}
  owner: {type: user, role: owner, default: =me}
  amount: {type: money, min: 0}
  discount: {type: percent}
  close_date: {type: date, index: true, required_when: amount > 1000}
  priority: {type: choice, choices: [low, normal, high], default: normal}
  expected: {type: money, formula: amount * probability / 100}
  lines_total: {type: money, rollup: sum(lines.total)}
  industry: {lookup: account.city}
  lost_reason: {type: text, index: true, visible_when: 'stage_type == "lost"', required: true}
  locked_after: {type: text, readonly: after_create}
  buyers: {type: integer, rollup: 'count(contacts, via.part == "buyer")'}
rules:
  discount-cap:
    check: discount <= 20 or has_role("manager")
    message: Discounts above 20 % need a manager.
    field: discount
unique:
  per-account: {fields: [account, name], case: false, message: This account already has a deal of that name.}
---
entity: deal_line
label: Line
part_of: deal
title: product
fields:
  product: {type: text, required: true}
  quantity: {type: integer, default: 1, min: 1}
  price: {type: money}
  total: {type: money, formula: quantity * price}
---
pipeline: sales
entity: deal
default: true
stages:
  qualify: {label: Qualify, probability: 10}
  proposal: {label: Proposal, probability: 40, require: [amount]}
  negotiate: {label: Negotiate, probability: 70, checklist: {legal: Legal terms agreed}}
  won: {label: Won, type: won}
  lost: {label: Lost, type: lost}
moves:
  - {from: "*", to: lost}
  - {from: qualify, to: [proposal]}
  - {from: proposal, to: [negotiate, qualify]}
  - {from: negotiate, to: won, when: amount > 0, roles: [manager]}
---
role: rep
label: Rep
grants:
  "*": {read: all}
  account:
    read: own
    create: true
    update: own
    delete: own
    fields: {margin: hidden, phone: masked, secret_note: hidden}
  deal: {read: team, create: true, update: own, delete: own, restore: own, fields: {discount: readonly}}
  contact: {read: all, create: true, update: all}
allow: [bulk-edit]
---
role: manager
label: Manager
grants:
  "*": {read: all, create: true, update: all, delete: all, restore: all}
allow: [bulk-edit]
---
role: keeper
label: Keeper
grants:
  "*": {read: all, update: all, delete: all, restore: all}
---
role: careful
label: Careful
grants:
  "*": {read: all, update: all, delete: all, restore: all}
  deal:
    {read: all, create: true, update: all, delete: all, restore: all, bulk-edit: own, assign: own, export: own,
     import: own}
allow: [bulk-edit]
---
role: clerk
label: Clerk
grants:
  "*": {read: all, create: true}
---
role: north
label: North
grants:
  account: {read: 'city == "Kiel"', create: true}
"""


@pytest.fixture(scope="session")
def sales_for_all(catalogue: Catalogue) -> Iterator[Tenant]:
    """The small sales CRM, made once for the run."""
    yield catalogue.create("records-sales", layers_of(SALES, "records-sales"), "test")
    catalogue.drop("records-sales")


@pytest.fixture
def sales(sales_for_all: Tenant) -> Iterator[Tenant]:
    """A small sales CRM with roles, a pipeline, lines and roll-ups; empty again after the test."""
    yield sales_for_all
    tables = [*sales_for_all.tables.entity.values(), *sales_for_all.tables.links.values()]
    tables += [sales_for_all.tables.platform.history, sales_for_all.tables.platform.stage_history]
    names = [f'"{sales_for_all.schema}"."{t.name}"' for t in (*tables, sales_for_all.tables.platform.sequence)]
    with sales_for_all.database.engine.begin() as connection:
        # deleting a few rows is quicker than making every file anew; no foreign key looks on meanwhile
        connection.exec_driver_sql(
            "SET LOCAL session_replication_role = replica;" + "".join(f"DELETE FROM {name};" for name in names)
        )


@pytest.fixture
def system(sales: Tenant) -> Store:
    """The system's own door: bound by rules, not by permissions."""
    return Store(sales, Principal.system(Reader()))


@pytest.fixture
def person(sales: Tenant, system: Store) -> Callable[..., Store]:
    """Doors of people: `person("Anna", "rep", team=[…])`."""

    def make(name: str, *roles: str, team: tuple[UUID, ...] = ()) -> Store:
        user = system.create("user", {"name": name, "email": f"{name.lower()}@example.com"})
        reader = Reader(me=Ref("user", user.id, name), roles=frozenset(roles), team_members=frozenset({user.id, *team}))
        return Store(sales, Principal(reader, id=user.id, name=name, roles=frozenset(roles)))

    return make


@pytest.fixture
def statements(database):
    """What is sent to the database within a block, without the statement that opens the transaction."""

    @contextmanager
    def watch() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(connection: object, cursor: object, statement: str, *_: object) -> None:
            if "set_config" not in statement:
                seen.append(statement)

        sa.event.listen(database.engine, "before_cursor_execute", note)
        yield seen
        sa.event.remove(database.engine, "before_cursor_execute", note)

    return watch
