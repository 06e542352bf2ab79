"""An office with an API: a manager, a clerk of few rights, and programs with their keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person

from trellis.api import rates
from trellis.api.app import add_api
from trellis.identity.api_keys import create_key
from trellis.storage.catalogue import Catalogue
from trellis.storage.secrets import use_installation_key
from trellis.storage.tenant import Tenant
from trellis.web.app import create_tenant_app
from trellis.web.settings import Settings

MANAGER = "mona@office.example"
CLERK = "carl@office.example"
OFFICE = (
    YAML.replace("allow: [admin]", "allow: [admin, api, merge, bulk-edit, reports]").replace(
        "update: all, delete: all}", "update: all, delete: all, restore: all, export: true, convert: all}"
    )
    + """
---
report: orders-by-month
label: Orders by month
entity: order
filter: created_at >= param.from
params: {from: {type: date}}
group: {month: month(created_at)}
measures: {n: {formula: count(), label: Orders}, named: 'count(not is_blank(name))'}
---
dashboard: desk
label: Desk
filters: {period: {type: date_range, field: created_at}}
widgets:
  orders: {number: orders-by-month, measure: n, label: Orders}
  months: {table: orders-by-month}
  latest: {list: order, filter: not is_blank(name)}
  word:   {text: Hello}
---
entity: product
label: Product
title: name
key: code
fields:
  code:  {type: text, required: true, unique: true}
  name:  {type: text, required: true, search: true}
  price: {type: money}
  spec:  {type: json}
---
entity: contact
label: Contact
title: name
fields:
  name:    {type: text, required: true, search: true}
  account: {type: link, to: account, inverse: contacts}
  email:   {type: email}
---
entity: order
label: Order
plural: Orders
title: name
key: number
fields:
  number:   {type: text, required: true, unique: true, search: true}
  name:     {type: text, required: true, search: true}
  account:  {type: link, to: account, inverse: orders}
  contacts: {type: links, to: contact, inverse: orders, columns: {part: {type: choice, choices: [buyer, payer]}}}
  owner:    {type: user, default: =me, role: owner}
  amount:   {type: money, rollup: sum(lines.amount)}
  discount: {type: percent, min: 0, max: 50}
  margin:   {type: decimal}
  phone:    {type: phone}
  token:    {type: secret}
  internal: {type: text, hidden: [api]}
  due:      {type: date}
  paper:    {type: file, multiple: true}
  kind:     {type: choice, choices: [standard, express], default: standard}
  reason:   {type: text}
rules:
  cheap: {check: discount <= 30, message: "{name} is too cheap.", field: discount}
views:
  late: {type: list, label: Late, filter: 'due < today()', sort: [-due], columns: [number, account]}
---
entity: order_line
label: Line
part_of: order
fields:
  order:    {type: link, to: order, inverse: lines, required: true}
  product:  {type: link, to: product}
  quantity: {type: decimal, required: true, min: 0}
  price:    {type: money}
  amount:   {type: money, formula: quantity * price}
---
pipeline: work
entity: order
default: true
stages:
  draft:  {label: Draft, checklist: {checked: Numbers checked}}
  placed: {label: Placed, require: [due]}
  done:   {label: Done, type: won}
  off:    {label: Off, type: lost, require: [reason]}
moves:
  - {from: draft, to: [placed, off]}
  - {from: placed, to: [done, off]}
---
entity: lead
label: Lead
title: name
fields:
  name:    {type: text, required: true, search: true}
  company: {type: text}
---
convert: lead
into:
  account: {match: [name], set: {name: =company}}
  contact: {optional: true, set: {name: =name, account: =account}}
---
entity: problem
label: Problem
title: name
fields:
  name:   {type: text, required: true}
  status: {type: choice, choices: [open, solved]}
---
entity: diary
label: Diary
title: text
features: {api: false}
fields:
  text: {type: text, required: true}
---
role: clerk
label: Clerk
grants:
  "*":   {read: all}
  order: {read: own, create: true, update: own, fields: {margin: hidden, phone: masked, discount: readonly}}
  payslip: {read: false}
allow: [api]
---
role: exporter
label: Exporter
grants: {account: {read: all, create: true, export: own}}
allow: [api]
---
role: outsider
label: Outsider
grants: {account: {read: all}}
"""
)


@dataclass(frozen=True)
class Office:
    """The tenant, its app, and the people in it."""

    tenant: Tenant
    app: Flask
    mona: UUID
    carl: UUID

    def key(self, user: UUID | None = None, **limits: Any) -> str:
        """The secret of a new key, of the manager's unless somebody else is named."""
        return create_key(self.tenant, user or self.mona, "test", **limits)[1]

    def api(self, user: UUID | None = None, **limits: Any) -> Api:
        """A program with a key."""
        return Api(self.app.test_client(), self.key(user, **limits))


@dataclass(frozen=True)
class Api:
    """A program that calls the API."""

    client: FlaskClient
    secret: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request; header names are written with underscores."""
        sent = {"Authorization": f"Bearer {self.secret}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        more = {} if body is None else {"json": body}
        return self.client.open(f"/api/v1/{path}", method=method, headers=sent, **more)

    def get(self, path: str, **headers: str) -> Any:
        """Read."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Make or do."""
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: Any, match: str = "*", **headers: str) -> Any:
        """Change."""
        return self.call("PATCH", path, body, If_Match=match, **headers)

    def delete(self, path: str, match: str = "*", **headers: str) -> Any:
        """Delete."""
        return self.call("DELETE", path, If_Match=match, **headers)

    def made(self, entity: str, **values: Any) -> dict[str, Any]:
        """A new record, as the API gives it."""
        answer = self.post(entity, values)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json
        return found


@pytest.fixture(scope="session")
def office(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One for all the tests."""
    tenant = catalogue.create("api-office", layers_of(OFFICE, "api-office"), "test")
    mona = add_person(tenant, MANAGER, "admin", name="Mona Manager")
    carl = add_person(tenant, CLERK, "clerk", name="Carl Clerk")
    settings = Settings(var=tmp_path_factory.mktemp("office"))
    use_installation_key(settings.var)
    app = create_tenant_app(tenant, settings, None, [add_api])
    yield Office(tenant, app, mona, carl)
    catalogue.drop("api-office")


@pytest.fixture
def mona(office: Office) -> Api:
    """The manager's program."""
    return office.api()


@pytest.fixture
def carl(office: Office) -> Api:
    """The clerk's program."""
    return office.api(office.carl)


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Every test begins with no request counted."""
    rates.forget_counts()
