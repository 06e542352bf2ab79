"""People from outside: they see what hangs on their own contact or account, and nobody who works here."""

from __future__ import annotations

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store

CRM = """
entity: user
title: name
fields:
  name: {type: text, required: true, search: true}
  roles: {type: choices, choices: {from: roles}}
  contact: {type: link, to: contact, inverse: portal_users}
---
entity: account
title: name
fields: {name: {type: text, required: true}, owner: {type: user, role: owner}}
---
entity: contact
title: name
fields:
  name: {type: text, required: true}
  email: {type: email}
  account: {type: link, to: account, inverse: contacts}
---
entity: ticket
title: subject
fields:
  subject: {type: text, required: true, search: true}
  account: {type: link, to: account, default: =me.contact.account, inverse: tickets}
  contact: {type: link, to: contact, default: =me.contact}
  owner: {type: user, role: owner}
  inside: {type: text, search: true}
filters:
  delicate: {label: Delicate, filter: inside == "quiet"}
  answered: {label: Answered, filter: subject == "Answered"}
---
entity: payslip
title: name
fields: {name: {type: text}}
---
role: customer
portal: true
grants:
  account: {read: id == me.account.id}
  contact: {read: account == me.account, update: id == me.id}
  ticket:
    read: account == me.account
    create: true
    update: contact == me
    where: account == me.account
    fields: {inside: hidden, account: readonly}
---
role: agent
grants: {"*": {read: all, create: true, update: all}, payslip: {read: false}}
"""


@pytest.fixture(scope="module")
def crm(catalogue):
    yield catalogue.create("records-portal", layers_of(CRM, "records-portal"), "test")
    catalogue.drop("records-portal")


@pytest.fixture(scope="module")
def world(crm):
    system = Store(crm, Principal.system(Reader()))
    doors, made = {"system": system}, {}

    def door(name, role, contact=None):
        user = system.create("user", {"name": name, "roles": [role], "contact": contact and contact.id})
        held = frozenset({role})
        reader = Reader(me=user.ref, roles=held, team_members=frozenset({user.id}), contact=contact and contact.ref)
        doors[name] = Store(crm, Principal(reader, id=user.id, name=name, roles=held))

    door("Agnes", "agent")
    agnes = doors["Agnes"].principal.id
    for account, people in (("Acme", ("Carla", "Carl")), ("Bolt", ("Berta",))):
        made[account] = system.create("account", {"name": account, "owner": agnes})
        for name in people:
            made[name] = system.create("contact", {"name": name, "account": made[account].id})
            door(name, "customer", made[name])
        values = {"subject": f"{account} is down", "inside": "quiet", "owner": agnes, "contact": made[people[0]].id}
        made[f"{account} ticket"] = system.create("ticket", {**values, "account": made[account].id})
    return doors, made


def titles(store, entity):
    return sorted(row.title for row in store.list(entity, columns=[]).rows)


def test_everything_is_ones_own_accounts(world):
    doors, made = world
    carla = doors["Carla"]
    assert titles(carla, "account") == ["Acme"]
    assert titles(carla, "contact") == ["Carl", "Carla"]
    assert titles(carla, "ticket") == ["Acme is down"]
    assert titles(doors["Berta"], "ticket") == ["Bolt is down"]
    with pytest.raises(Missing):
        carla.read("ticket", made["Bolt ticket"].id)
    assert carla.count("ticket").n == 1
    assert [c.title for c in carla.search("down")] == ["Acme is down"]
    for entity in ("payslip", "user"):
        with pytest.raises(Forbidden):
            carla.list(entity, columns=[])


def test_a_new_record_is_ones_own_and_cannot_be_anothers(world):
    doors, made = world
    ticket = doors["Carl"].create("ticket", {"subject": "New"})
    assert (ticket["account"].id, ticket["contact"].id) == (made["Acme"].id, made["Carl"].id)
    assert "inside" not in ticket
    with pytest.raises(Refused):
        doors["Carl"].create("ticket", {"subject": "Theirs", "account": made["Bolt"].id})
    doors["system"].delete("ticket", ticket.id)


def test_one_changes_what_is_ones_own(world):
    doors, made = world
    assert doors["Carla"].update("ticket", made["Acme ticket"].id, {"subject": "Acme is down"})
    with pytest.raises(Forbidden):
        doors["Carl"].update("ticket", made["Acme ticket"].id, {"subject": "x"})
    with pytest.raises(Forbidden):
        doors["Carl"].update("contact", made["Carla"].id, {"name": "x"})
    for action in ("delete", "assign", "share", "export", "bulk-edit"):
        assert not doors["Carla"].may(action, "ticket"), action


def test_who_works_here_is_not_named_and_not_found(world):
    doors, made = world
    ticket = doors["Carla"].read("ticket", made["Acme ticket"].id)
    assert ticket["owner"].title is None
    assert doors["Carla"].search("agnes") == []
    with pytest.raises(Forbidden):
        doors["Carla"].pick("user", "")


def test_nobody_from_outside_is_offered_where_people_are_picked(world):
    doors, _ = world
    assert [c.title for c in doors["Agnes"].pick("user", "")] == ["Agnes"]


def test_somebody_without_a_contact_sees_nothing(crm, world):
    doors, made = world
    held = frozenset({"customer"})
    reader = Reader(me=Ref("user", doors["Carl"].principal.id), roles=held)
    lost = Store(crm, Principal(reader, id=reader.me.id, roles=held))
    for entity in ("account", "contact", "ticket"):
        assert titles(lost, entity) == []
    with pytest.raises(Missing):
        lost.read("ticket", made["Acme ticket"].id)


def test_shares_are_not_told_outside(world):
    doors, made = world
    carla, ticket = doors["Carla"], made["Acme ticket"]
    doors["Agnes"].share("ticket", ticket.id, Ref("user", doors["Berta"].principal.id))
    assert "share" not in [c.kind for c in carla.history("ticket", ticket.id)]
    with pytest.raises(Forbidden):
        carla.shares("ticket", ticket.id)
    assert titles(doors["Berta"], "ticket") == ["Bolt is down"]  # a share widens no `where`
