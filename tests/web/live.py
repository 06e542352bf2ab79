"""A tenant with deals in a pipeline, for the tests that need many records, and for the browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

ADMIN = "anna@shop.example"
SELLER = "sam@shop.example"

SALES = """
---
entity: deal
label: Deal
plural: Deals
icon: businessplan
title: name
description: A chance to sell something to an account.
fields:
  name:       {type: text, required: true, search: true}
  account:    {type: link, to: account, inverse: deals}
  owner:      {type: user, default: =me, role: owner}
  amount:     {type: money, min: 0}
  close_date: {type: date}
  priority:   {type: choice, choices: [low, normal, {high: {color: red}}], default: normal}
  note:       {type: text}
  lost_reason: {type: choice, choices: [price, time]}
  pitch:      {type: rich_text}
rules:
  cap: {check: amount <= 1000000, message: Nobody sells that much., field: amount}
filters:
  mine: {label: Mine, filter: owner == me}
  big:  {label: Big, filter: amount > 500}
views:
  open:
    type: list
    label: Open deals
    filter: 'stage_type == "open"'
    sort: [close_date]
    columns: [name, account, stage, amount, close_date, owner]
    totals: {amount: sum}
  board:
    {type: kanban, group: stage, card: [account, amount, close_date], totals: {amount: sum}, hide: [lost]}
  plan:  {type: calendar, label: Calendar, start: close_date}
---
entity: sheet
label: Sheet
title: name
fields:
  name:   {type: text, required: true}
  locked: {type: boolean}
  text:   {type: text, readonly_when: locked}
  rich:   {type: rich_text, readonly_when: locked}
  one:    {type: choice, choices: [x, y], readonly_when: locked}
  many:   {type: choices, choices: [x, y], readonly_when: locked}
  flag:   {type: boolean, readonly_when: locked}
  stars:  {type: rating, readonly_when: locked}
  amount: {type: money, readonly_when: locked}
  items:  {type: list, readonly_when: locked}
  papers: {type: file, max_size: 1 KB, readonly_when: locked}
  unseen: {type: text, visible_when: 'name == "seen"'}
---
entity: place
label: Place
plural: Places
description: Somewhere that we go to.
title: name
fields:
  name: {type: text, required: true}
  at:   {type: location}
views:
  map: {type: map, label: Map, location: at}
---
entity: ware
label: Ware
plural: Wares
title: name
fields:
  name:  {type: text, required: true, search: true}
  price: {type: money}
---
entity: bill
label: Bill
plural: Bills
title: name
fields:
  name:  {type: text, required: true}
  total: {type: money, rollup: sum(rows.amount)}
form:
  basics: {label: Basics, fields: [name]}
  rows:   {label: Rows, columns: 1, fields: [rows]}
  totals: {label: Totals, fields: [total]}
---
entity: bill_row
part_of: bill
label: Row
title: ware.name
fields:
  bill:     {type: link, to: bill, inverse: rows}
  ware:     {type: link, to: ware, required: true}
  quantity: {type: decimal, required: true, default: 1, min: 0}
  price:    {type: money, default: =ware.price, follow_default: true}
  amount:   {type: money, formula: quantity * price}
---
pipeline: sales
entity: deal
default: true
stages:
  new:    {label: New, color: azure}
  offer:  {label: Offer, color: indigo, require: [amount]}
  closed: {label: Won, type: won, color: green}
  lost:   {label: Lost, type: lost, require: [lost_reason]}
moves:
  - {from: new, to: [offer, lost]}
  - {from: offer, to: [new, closed, lost]}
---
report: deals-by-stage
label: Deals by stage
entity: deal
date: close_date
group: [stage]
measures: {deals: count(), amount: sum(amount)}
---
dashboard: desk
label: Desk
filters: {owner: {type: user}, kind: {type: choice, choices: [low, high], field: priority}}
widgets:
  open:  {list: deal.open, at: [0, 0, 6, 5]}
  word:  {text: "**Hello** to all", label: Word, at: [6, 0, 3, 3]}
  news:  {feed: deal, label: News, at: [9, 0, 3, 5]}
  plan:  {calendar: deal.plan, at: [0, 5, 6, 5]}
---
role: seller
label: Seller
grants:
  "*":  {read: all}
  deal: {read: own, create: true, update: own, delete: false}
"""
SHOP = (
    YAML.replace("update: all, delete: all}", "update: all, delete: all, restore: all, export: true}").replace(
        "allow: [admin]", "allow: [admin, import, bulk-edit, reports]"
    )
    + SALES
)
EVIL = '<b id="evil">"Bold"</b> & Co'


def system_store(tenant: Tenant) -> Store:
    """The door for the system's hand."""
    profile = tenant.profile
    return Store(tenant, Principal.system(Reader(currency=profile.currency)))


@contextmanager
def shop_tenant(catalogue: Catalogue, slug: str) -> Iterator[Tenant]:
    """A tenant with an administrator, a seller and 120 deals, dropped at the end."""
    tenant = catalogue.create(slug, layers_of(SHOP, slug), "test")
    anna = add_person(tenant, ADMIN, "admin", name="Anna Admin")
    add_person(tenant, SELLER, "seller", name="Sam Seller")
    fill(tenant, Ref("user", anna, "Anna Admin"))
    yield tenant
    catalogue.drop(slug)


def fill(tenant: Tenant, owner: Any, count: int = 120) -> list[Any]:
    """Accounts and deals: every third in the second stage, amounts 10, 20, …, one name that is markup."""
    store = system_store(tenant)
    accounts = [store.create("account", {"name": name}).ref for name in ("Acme", "Ångström", "上海同济", EVIL)]
    today = date.today()
    rows = [
        {
            "name": EVIL if number == 1 else f"Deal {number:03}",
            "account": accounts[number % 4],
            "owner": owner,
            "amount": {"amount": number * 10, "currency": "EUR"} if number % 3 == 0 else None,
            "close_date": (today + timedelta(days=number - 5)).isoformat(),
            "stage": "offer" if number % 3 == 0 else "new",
        }
        for number in range(count)
    ]
    return [store.create("deal", row, means="import").ref for row in rows]
