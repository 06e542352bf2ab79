"""An office where a clerk may not see some fields, some records and some links: what the tests of leaks ask about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import PEOPLE, add_person, signed_in_client

from trellis.api import rates
from trellis.api.app import add_api
from trellis.formula.reader import Reader
from trellis.identity.api_keys import create_key
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.secrets import use_installation_key
from trellis.storage.tenant import Tenant
from trellis.web.app import create_tenant_app
from trellis.web.settings import Settings

SECRET = "canary"
"""Stands in every value that the clerk may not see, and in every record that is out of reach."""

PHONE = "+491511234567"

CRM = (
    PEOPLE
    + """
entity: account
label: Account
plural: Accounts
title: name
key: code
fields:
  name:   {type: text, required: true, search: true}
  code:   {type: text, unique: true}
  city:   {type: text}
  owner:  {type: user, default: =me, role: owner}
  labels: {type: tags}
---
entity: deal
label: Deal
plural: Deals
title: name
fields:
  name:    {type: text, required: true, search: true}
  account: {type: link, to: account, inverse: deals}
  broker:  {type: link, to: account, inverse: brokered}
  owner:   {type: user, default: =me, role: owner}
  amount:  {type: money}
  covert:  {type: text, search: true}
  margin:  {type: decimal}
  cost:    {type: money}
  phone:   {type: phone, search: true}
  due:     {type: date}
  deadline: {type: date}
  tier:    {type: choice, choices: [low, high]}
  marks:   {type: tags}
  rivals:  {type: links, to: account, inverse: rivalled, columns: {note: {type: text}}}
  paper:   {type: file, multiple: true}
rules:
  fine:
    check: 'margin >= 0 and (stage != "won" or margin > 1000)'
    message: "A margin of {margin} by {covert} is too low."
dedupe:
  same: {match: [covert], action: warn}
  name: {match: [name], action: warn}
views:
  all:   {type: list, label: All, columns: [name, margin, covert, amount], sort: [-margin]}
  board: {type: kanban, label: Board, group: stage, card: [margin, amount]}
  tiers: {type: kanban, label: Tiers, group: tier}
  plan:  {type: calendar, label: Plan, start: deadline}
  cheap: {type: list, label: Cheap, filter: 'covert == "canary"', columns: [name]}
---
entity: deal_line
label: Line
part_of: deal
title: name
fields: {name: {type: text, required: true}, price: {type: money}}
---
entity: badge
label: Badge
title: "{deal.name} {deal.covert} {word}"
fields:
  deal: {type: link, to: deal, inverse: badges}
  word: {type: text}
---
entity: note
label: Note
title: text
fields:
  text:  {type: text, required: true, search: true}
  about: {type: any_link, to: [account, deal], inverse: notes}
  owner: {type: user, default: =me, role: owner}
---
entity: lead
label: Lead
title: name
fields:
  name:    {type: text, required: true, search: true}
  hush:    {type: text}
  owner:   {type: user, default: =me, role: owner}
---
convert: lead
into:
  account: {match: [name], set: {name: =name}}
  deal:    {set: {name: =name, account: =account, covert: =hush, marks: '[]'}}
---
pipeline: sales
entity: deal
default: true
stages:
  new:   {label: New}
  ready: {label: Ready, require: [margin]}
  won:   {label: Won, type: won}
---
role: admin
label: Administrator
grants:
  "*": {read: all, create: true, update: all, delete: all, restore: all, export: true, import: all, merge: all,
        bulk-edit: all, convert: all}
allow: [admin, api, import, merge, bulk-edit, reports]
---
role: clerk
label: Clerk
grants:
  "*":     {read: own, create: true, update: own, delete: own, restore: own, export: own, import: own, merge: own,
            bulk-edit: own, convert: own}
  account: {read: own, create: true, update: own, delete: own, export: own, merge: own, fields: {code: hidden}}
  deal:
    read: own
    create: true
    update: own
    delete: own
    restore: own
    export: own
    merge: own
    bulk-edit: own
    fields: {covert: hidden, margin: hidden, cost: hidden, broker: hidden, tier: hidden, deadline: hidden,
             marks: hidden, rivals: hidden, paper: hidden, phone: masked}
  deal_line: {read: all, create: true, update: all, delete: all, fields: {price: hidden}}
  badge:   {read: all}
  lead:    {read: own, create: true, update: own, convert: own, fields: {hush: hidden}}
  user:    {read: all}
allow: [api, import, merge, bulk-edit, reports]
"""
)
HIDDEN = ("covert", "margin", "cost", "broker", "tier", "deadline", "marks", "rivals", "paper")
"""The deal's fields that do not exist for the clerk."""


@dataclass
class Office:
    """The tenant, the clerk's browser and program, and records: theirs, and those out of reach."""

    tenant: Tenant
    app: Flask
    clerk: UUID
    boss: UUID
    browser: FlaskClient
    key: str
    boss_key: str
    mine: dict[str, UUID]
    theirs: dict[str, UUID]

    @property
    def system(self) -> Store:
        """The door without any rule."""
        return Store(self.tenant, Principal.system(Reader()))

    def get(self, path: str, **headers: str) -> Any:
        """The clerk's program reads."""
        return self.call("GET", path, **headers)

    def call(self, method: str, path: str, json: Any = None, key: str = "", **headers: str) -> Any:
        """The clerk's program asks."""
        rates.forget_counts()
        sent = {"Authorization": f"Bearer {key or self.key}", "If-Match": "*", **headers}
        if method == "GET":
            del sent["If-Match"]
        more = {} if json is None else {"json": json}
        return self.app.test_client().open(f"/api/v1/{path}", method=method, headers=sent, buffered=True, **more)

    def page(self, path: str, data: Any = None, **headers: str) -> Any:
        """The clerk's browser."""
        method = "GET" if data is None else "POST"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.browser.open(path, method=method, data=data, headers=sent, buffered=True)


def open_office(catalogue: Any, var: Path) -> Office:
    """The office with its records."""
    use_installation_key(var)
    tenant = catalogue.create("leaky", layers_of(CRM, "leaky"), "test")
    app = create_tenant_app(tenant, Settings(var=var), None, [add_api])
    app.config["WTF_CSRF_ENABLED"] = False
    clerk, boss = (add_person(tenant, f"{role}@x.example", role) for role in ("clerk", "admin"))
    system = Store(tenant, Principal.system(Reader()))
    mine, theirs = {}, {}
    for who, kept in ((clerk, mine), (boss, theirs)):
        said = "Mine" if who == clerk else f"{SECRET} theirs"
        kept["account"] = system.create(
            "account", {"name": f"{said} Ltd", "code": f"{SECRET}-{len(said)}", "owner": who}
        ).id
    for who, kept in ((clerk, mine), (boss, theirs)):
        said = "Mine" if who == clerk else f"{SECRET} theirs"
        values = {
            "name": f"{said} deal",
            "account": kept["account"],
            "broker": mine["account"],
            "owner": who,
            "amount": 100,
            "covert": f"{SECRET} word",
            "margin": 7.77,
            "cost": 77.7,
            "phone": PHONE,
            "tier": "high",
            "deadline": "2026-07-07",
            "marks": [f"{SECRET}-mark"],
            "rivals": [theirs["account"]],
            "lines": [{"name": "Item", "price": 77.7}],
        }
        kept["deal"] = system.create("deal", values, confirmed=True).id
        kept["badge"] = system.create("badge", {"deal": kept["deal"], "word": "Badge"}).id
        kept["lead"] = system.create("lead", {"name": f"{said} lead", "hush": f"{SECRET} hush", "owner": who}).id
        kept["note"] = system.create("note", {"text": f"{said} note", "about": None, "owner": who}).id
    for number in range(2):  # changes that the history tells of
        system.update("deal", mine["deal"], {"covert": f"{SECRET} word {number}", "margin": 7.77 + number})
    return Office(
        tenant,
        app,
        clerk,
        boss,
        signed_in_client(app, "clerk@x.example"),
        create_key(tenant, clerk, "clerk")[1],
        create_key(tenant, boss, "boss")[1],
        mine,
        theirs,
    )
