"""Every address of a tenant's app, asked by everyone who has no business there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import PEOPLE, add_person, app_of, signed_in_client
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.secrets import use_installation_key
from trellis.storage.tenant import Tenant

CRM = (
    PEOPLE
    + """
entity: account
label: Account
title: name
fields:
  name:  {type: text, required: true, search: true}
  owner: {type: user, default: =me, role: owner}
  margin: {type: text}
  mobile: {type: text}
  scan: {type: file}
  friends: {type: links, to: account, inverse: friend_of}
views:
  board: {type: kanban, group: stage}
---
entity: line
part_of: account
title: name
fields: {name: {type: text, required: true}}
---
entity: payslip
label: Payslip
title: name
fields: {name: {type: text, required: true, search: true}, account: {type: link, to: account, inverse: payslips}}
---
pipeline: care
entity: account
default: true
stages: {new: {label: New, checklist: {asked: Asked}}, done: {label: Done, type: won}}
---
role: admin
label: Administrator
grants: {"*": {read: all, create: true, update: all, delete: all, restore: all, export: true}}
allow: [admin]
---
role: few
label: Few
grants: {account: {read: own, create: true, update: own, fields: {margin: hidden, mobile: masked}}}
"""
)
SECRET = "CANARY"
MINE = "Mine alone"
PUBLIC = ("/login", "/forgot", "/reset", "/password", "/offline", "/theme.css", "/worker.js", "/manifest", "/m/")
"""Pages that are for people who are not signed in, and the picture that a letter is read by."""


@dataclass
class World:
    """A tenant with an administrator and one who may do little, and a second tenant with an administrator."""

    tenant: Tenant
    app: Flask
    admin: FlaskClient
    few: FlaskClient
    other: FlaskClient  # signed in as an administrator of the other tenant
    mine: uuid.UUID
    foreign: dict[str, uuid.UUID]


@pytest.fixture(scope="module")
def world(catalogue: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    var = tmp_path_factory.mktemp("matrix")
    use_installation_key(var)
    tenants = [catalogue.create(slug, layers_of(CRM, slug), "test") for slug in ("matrix", "matrix-other")]
    apps = [app_of(tenant, var) for tenant in tenants]
    for app in apps:
        app.config["WTF_CSRF_ENABLED"] = False  # the views themselves are asked, not the door before them
    for tenant in tenants:
        add_person(tenant, "admin@x.example", "admin")
    few = add_person(tenants[0], "few@x.example", "few")
    system = Store(tenants[0], Principal.system(Reader()))
    values = {"margin": f"{SECRET} margin", "mobile": f"{SECRET} mobile number"}
    mine = system.create("account", {"name": MINE, "owner": few, **values})
    foreign = system.create("account", {"name": f"{SECRET} Ltd", **values, "lines": [{"name": f"{SECRET} line"}]})
    system.update("account", mine.id, {"friends": [foreign.id]})
    gone = system.create("account", {"name": f"{SECRET} gone"})
    system.delete("account", gone.id)
    payslip = system.create("payslip", {"name": f"{SECRET} payslip", "account": mine.id})
    line = system.list("line", columns=["name"]).rows[0]
    yield World(
        tenants[0],
        apps[0],
        signed_in_client(apps[0], "admin@x.example"),
        signed_in_client(apps[0], "few@x.example"),
        signed_in_client(apps[1], "admin@x.example"),
        mine.id,
        {"account": foreign.id, "payslip": payslip.id, "line": line.id, "gone": gone.id},
    )
    for tenant in tenants:
        catalogue.drop(tenant.slug)


def addresses(world: World, rule: Rule) -> Iterator[str]:
    """A rule's addresses: about records that are out of reach, and about one that is not there."""
    with world.app.test_request_context():
        adapter = world.app.url_map.bind("localhost")
        for entity, key in (("account", "account"), ("payslip", "payslip"), ("line", "line"), ("account", "gone")):
            id = str(world.foreign[key])
            names = {"entity": entity, "id": id, "record": id, "field": "name", "name": "friends", "path": "name"}
            values: dict[str, Any] = {}
            for argument in rule.arguments:
                kind = type(rule._converters[argument]).__name__
                filler = 1 if kind == "IntegerConverter" else id if kind == "UUIDConverter" else "none"
                values[argument] = names.get(argument, filler)
            for field in ("margin", "mobile") if "field" in rule.arguments else ("",):
                yield adapter.build(rule.endpoint, values | ({"field": field} if field else {}))
            if not rule.arguments:
                return


def every_call(world: World, *, briefly: bool = False) -> Iterator[tuple[str, str]]:
    """Each address with each method; briefly: one address of each kind."""
    for rule in world.app.url_map.iter_rules():
        if any(rule.rule.startswith(p) for p in ("/logout", "/static")):
            continue
        for address in list(dict.fromkeys(addresses(world, rule)))[: 1 if briefly else None]:
            for method in sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}):
                yield method, address


def ask(client: FlaskClient, method: str, address: str, world: World) -> TestResponse:
    if method == "GET":
        return client.open(address, method=method, query_string={"q": "Ltd", "ids": str(world.foreign["account"])})
    data = {
        "name": "changed",
        "value": "changed",
        "stage": "done",
        "item": "new.asked",
        "ids": str(world.foreign["account"]),
        "target": str(world.foreign["payslip"]),
        "text": "x",
        "margin": "changed",
    }
    return client.open(address, method=method, data=data)


def is_public(address: str) -> bool:
    return address.startswith(PUBLIC)


def untouched(world: World) -> dict[str, Any]:
    """Every row of the tenant's records, to see that nothing was changed."""
    found = {}
    with world.tenant.begin() as connection:
        for key, table in world.tenant.tables.entity.items():
            columns = [c for c in table.c if c.name in ("id", "version", "deleted_at")]
            found[key] = sorted(map(repr, connection.execute(sa.select(*columns))))
    return found


def strangers(world: World) -> dict[str, FlaskClient]:
    """People without a session of this tenant: nobody, another tenant's cookie, a tampered one, one signed out."""
    nobody = world.app.test_client()
    name = world.app.config["SESSION_COOKIE_NAME"]
    cookie = world.other.get_cookie("t-matrix-other")
    assert cookie is not None
    elsewhere = world.app.test_client()
    elsewhere.set_cookie(name, cookie.value)
    elsewhere.set_cookie("t-matrix-other", cookie.value)
    own = world.few.get_cookie(name)
    assert own is not None
    tampered = world.app.test_client()
    head, _, tail = own.value.partition(".")
    tampered.set_cookie(name, f"{head[:-2]}{'AA' if head[-2:] != 'AA' else 'BB'}.{tail}")
    left = signed_in_client(world.app, "few@x.example")
    kept = left.get_cookie(name)
    assert kept is not None
    left.post("/logout")
    left.get("/logout")
    left.set_cookie(name, kept.value)
    return {"nobody": nobody, "other tenant": elsewhere, "tampered": tampered, "signed out": left}


def test_who_is_not_signed_in_gets_nothing_anywhere(world: World) -> None:
    before = untouched(world)
    wrong = []
    for who, client in strangers(world).items():
        for method, address in every_call(world, briefly=who != "nobody"):
            answer = ask(client, method, address, world)
            leaks = SECRET.encode() in answer.data.replace(f"q={SECRET}".encode(), b"") or MINE.encode() in answer.data
            opened = answer.status_code < 300 and answer.data and not is_public(address)  # a stream says nothing: 204
            if leaks or opened or answer.status_code >= 500:
                wrong.append((who, method, address, answer.status_code, leaks))
    assert wrong == [], "\n".join(map(str, wrong))
    assert untouched(world) == before


def test_a_role_with_few_grants_gets_nothing_that_is_not_its_own(world: World) -> None:
    before = untouched(world)
    wrong = []
    for method, address in every_call(world):
        answer = ask(world.few, method, address, world)
        said = answer.data.replace(f"q={SECRET}".encode(), b"").replace(f'value="{SECRET}"'.encode(), b"")
        if said.count(SECRET.encode()) or answer.status_code >= 500:
            at = said.find(SECRET.encode())
            wrong.append((method, address, answer.status_code, said[max(0, at - 80) : at + 40] if at >= 0 else b""))
    assert wrong == [], "\n".join(map(str, wrong))
    after = untouched(world)
    for key in ("account", "payslip", "line"):
        assert set(before[key]) <= set(after[key]), key
    for key in ("payslip", "user", "team"):
        assert before[key] == after[key], key


def test_records_out_of_reach_are_not_there(world: World) -> None:
    """Whether a record exists is not told: one that is out of reach and one that never was look the same."""
    for rule in world.app.url_map.iter_rules():
        if not {"entity", "id"} <= set(rule.arguments) or "GET" not in (rule.methods or ()):
            continue
        for address in addresses(world, rule):
            answer = world.few.get(address)
            assert answer.status_code in (302, 400, 403, 404, 405), (address, answer.status_code)
            for known in world.foreign.values():
                if str(known) in address:
                    never = world.few.get(address.replace(str(known), str(uuid.uuid4())))
                    assert never.status_code == answer.status_code, (address, answer.status_code, never.status_code)


def test_an_administrator_never_meets_a_broken_page(world: World) -> None:
    broken = []
    for method, address in every_call(world):
        if method == "GET":
            status = ask(world.admin, method, address, world).status_code
            if status >= 500:
                broken.append((address, status))
    assert broken == [], "\n".join(map(str, broken))


def test_ones_own_record_tells_nothing_hidden(world: World) -> None:
    wrong = []
    for rule in world.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and "id" in rule.arguments:
            for address in addresses(world, rule):
                own = address
                for known in world.foreign.values():
                    own = own.replace(str(known), str(world.mine))
                answer = world.few.get(own)
                if SECRET.encode() in answer.data.replace(b"CAN\xe2\x80\xa2", b"") or answer.status_code >= 500:
                    at = answer.data.find(SECRET.encode())
                    wrong.append((own, answer.status_code, answer.data[max(0, at - 80) : at + 40]))
    assert wrong == [], "\n".join(map(str, wrong))


def test_keys_of_other_tenants_differ(world: World) -> None:
    other = world.other.application
    for name in ("SECRET_KEY", "WTF_CSRF_SECRET_KEY", "JWT_SECRET_KEY", "SESSION_COOKIE_NAME"):
        assert other.config[name] != world.app.config[name]
