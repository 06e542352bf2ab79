"""Levels that are formulas over lists of people: `owner == me or me in collaborators`."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.reading.catalog import system_scope
from trellis.records.refusal import Forbidden
from trellis.records.store import Store

CRM = """
entity: user
title: name
fields: {name: {type: text, required: true}}
---
entity: account
title: name
fields:
  name: {type: text, required: true}
  owner: {type: user, role: owner, default: =me}
  collaborators: {type: links, to: user, inverse: helps}
---
role: rep
grants:
  account:
    {read: owner == me or me in collaborators, update: owner == me or me in collaborators, create: true, delete: own}
---
role: reader
grants: {account: {read: me not in collaborators}}
"""


@pytest.fixture(scope="module")
def crm(catalogue):
    yield catalogue.create("records-collaborators", layers_of(CRM, "records-collaborators"), "test")
    catalogue.drop("records-collaborators")


@pytest.fixture(scope="module")
def world(crm):
    system = Store(crm, Principal.system(Reader()))

    def door(name, role):
        user = system.create("user", {"name": name})
        held = frozenset({role})
        reader = Reader(me=user.ref, roles=held, team_members=frozenset({user.id}))
        return Store(crm, Principal(reader, id=user.id, name=name, roles=held))

    rita, ron, nele = door("Rita", "rep"), door("Ron", "rep"), door("Nele", "reader")
    made = rita.create("account", {"name": "Acme"})
    return system, rita, ron, nele, made


def names(store):
    return [row["name"] for row in store.list("account", columns=["name"]).rows]


def test_a_collaborator_sees_and_changes_and_does_not_delete(world):
    _system, rita, ron, _, made = world
    assert names(ron) == []
    rita.link("account", made.id, "collaborators", ron.principal.id)
    assert names(ron) == ["Acme"]
    assert ron.count("account").n == 1
    assert ron.update("account", made.id, {"name": "Acme"})
    with pytest.raises(Forbidden):
        ron.delete("account", made.id)
    assert [row["name"] for row in ron.list("account", columns=["name"], where=["me in collaborators"]).rows] == [
        "Acme"
    ]
    assert rita.list("account", columns=["name"], where=["me in collaborators"]).rows == []
    rita.unlink("account", made.id, "collaborators", ron.principal.id)
    assert names(ron) == []


def test_the_same_the_other_way_round(world):
    system, _, _, nele, made = world
    assert names(nele) == ["Acme"]
    system.link("account", made.id, "collaborators", nele.principal.id)
    assert names(nele) == []


def test_who_is_gone_is_no_collaborator(world):
    system, _, ron, _, made = world
    system.link("account", made.id, "collaborators", ron.principal.id)
    system.delete("user", ron.principal.id)
    assert names(ron) == []
    system.restore("user", ron.principal.id)
    assert names(ron) == ["Acme"]


def test_the_ids_are_gathered_once_and_not_for_each_row(world):
    session = world[2].session
    with session.transaction():
        scope = system_scope(session, "account")
        statement = sa.select(scope.alias.c.id).where(session.permit.reach("read", scope))
        compiled = statement.compile(session.connection, compile_kwargs={"render_postcompile": True})
        plan = session.connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {compiled}", compiled.params).scalars().all()
    told = "\n".join(plan)
    assert "InitPlan" in told
    assert "(SubPlan" not in told
    assert "hashed SubPlan" in told
