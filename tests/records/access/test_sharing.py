"""Single records that are shared with a person or a team: what that opens, on every path, and when it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store

CRM = """
entity: user
title: name
fields: {name: {type: text, required: true}, team: {type: team}, roles: {type: choices, choices: {from: roles}}}
---
entity: team
title: name
fields: {name: {type: text, required: true}, parent: {type: link, to: team, tree: true}}
---
entity: account
title: name
fields: {name: {type: text, required: true, search: true}, owner: {type: user, role: owner, default: =me}}
---
entity: deal
title: name
fields:
  name: {type: text, required: true, search: true}
  account: {type: link, to: account, inverse: deals}
  amount: {type: money}
  closed: {type: boolean}
  margin: {type: percent}
  owner: {type: user, role: owner, default: =me}
merge: true
---
entity: deal_line
part_of: deal
title: product
fields: {product: {type: text, required: true}}
---
role: rep
grants:
  account: {read: all}
  deal: {read: own, create: true, update: own, delete: own, export: own, where: not closed, fields: {margin: hidden}}
---
role: looker
grants: {account: {read: all}, deal: {read: own}}
---
role: boss
grants: {"*": {read: all, create: true, update: all, delete: all, restore: all}}
allow: [merge]
---
role: stranger
grants: {account: {read: all}}
"""


@pytest.fixture(scope="module")
def crm(catalogue):
    yield catalogue.create("records-sharing", layers_of(CRM, "records-sharing"), "test")
    catalogue.drop("records-sharing")


class World:
    """Rita owns a deal; Ron is a rep in the team North, below Sales; Lola only looks; Stan reads no deals."""

    def __init__(self, crm):
        self.crm, self.system = crm, Store(crm, Principal.system(Reader()))
        self.sales = self.system.create("team", {"name": "Sales"}).ref
        self.north = self.system.create("team", {"name": "North", "parent": self.sales.id}).ref
        self.rita, self.ron = self.person("Rita", "rep"), self.person("Ron", "rep", teams=(self.north, self.sales))
        self.lola, self.boss, self.stan = (
            self.person("Lola", "looker"),
            self.person("Bo", "boss"),
            self.person("Stan", "stranger"),
        )
        self.account = self.system.create("account", {"name": "Acme"})
        lines = [{"product": "Wheel"}]
        self.deal = self.rita.create("deal", {"name": "Big", "account": self.account.id, "amount": 10, "lines": lines})

    def person(self, name, *roles, teams=(), **more):
        user = self.system.create("user", {"name": name, "roles": list(roles)})
        return self.door(user.id, name, roles, frozenset(t.id for t in teams), **more)

    def door(self, id, name, roles, teams, **more):
        held = frozenset(roles)
        reader = Reader(
            me=Ref("user", id, name), roles=held, team_members=frozenset({id}), team_ids=frozenset(teams), **more
        )
        return Store(self.crm, Principal(reader, id=id, name=name, roles=held))

    def later(self, store, days):
        reader = replace(store.principal.reader, now=store.principal.reader.now + timedelta(days=days))
        return Store(self.crm, replace(store.principal, reader=reader))

    def me(self, store):
        return store.principal.reader.me


@pytest.fixture
def world(crm):
    yield World(crm)
    tables = [*crm.tables.entity.values(), crm.tables.platform.share, crm.tables.platform.history]
    with crm.database.engine.begin() as connection:
        names = "".join(f'DELETE FROM "{crm.schema}"."{t.name}";' for t in tables)
        connection.exec_driver_sql(f"SET LOCAL session_replication_role = replica;{names}")


def listed(store, **more):
    return [r["name"] for r in store.list("deal", columns=["name"], **more).rows]


def test_a_shared_record_is_seen_on_every_path(world):
    ron, deal = world.ron, world.deal
    assert listed(ron) == []
    world.rita.share("deal", deal.id, world.me(ron))
    assert listed(ron) == ["Big"]
    assert ron.read("deal", deal.id)["name"] == "Big"
    assert ron.count("deal").n == 1
    assert ron.totals("deal", {"amount": "sum"})["amount"].amount == 10
    assert [g.count for g in ron.groups("deal", "account")] == [1]
    assert [c.title for c in ron.pick("deal", "bi")] == ["Big"]
    assert [c.title for c in ron.search("big")] == ["Big"]
    assert listed(ron, q="big") == listed(ron, where=['name == "Big"']) == ["Big"]
    assert listed(ron, where=["account.name == 'Acme'"]) == ["Big"]
    assert [r["product"] for r in ron.lines("deal", deal.id, "lines")] == ["Wheel"]
    assert ron.history("deal", deal.id)
    assert ron.may("read", "deal", deal.id)
    assert listed(world.lola) == []


def test_reading_is_not_changing_and_changing_is_not_more(world):
    rita, ron, deal = world.rita, world.ron, world.deal
    rita.share("deal", deal.id, world.me(ron))
    with pytest.raises(Forbidden):
        ron.update("deal", deal.id, {"name": "Mine"})
    assert not ron.may("update", "deal", deal.id)
    rita.share("deal", deal.id, world.me(ron), "write")
    assert ron.update("deal", deal.id, {"name": "Ours", "lines": [{"product": "Tyre"}]})["name"] == "Ours"
    for action in ("delete", "export", "assign", "share"):
        assert not ron.may(action, "deal", deal.id), action
    with pytest.raises(Forbidden):
        ron.share("deal", deal.id, world.me(world.lola))
    with pytest.raises(Forbidden):
        ron.delete("deal", deal.id)


def test_a_team_share_reaches_the_teams_below_it_and_nobody_else(world):
    world.rita.share("deal", world.deal.id, world.sales)
    assert listed(world.ron) == ["Big"]
    assert listed(world.lola) == []


def test_a_share_holds_up_to_its_day(world):
    today = world.rita.principal.reader.today()
    world.rita.share("deal", world.deal.id, world.me(world.ron), "read", today + timedelta(days=2))
    assert listed(world.later(world.ron, 2)) == ["Big"]
    assert listed(world.later(world.ron, 3)) == []
    with pytest.raises(Missing):
        world.later(world.ron, 3).read("deal", world.deal.id)
    [share] = world.later(world.rita, 3).shares("deal", world.deal.id)
    assert share.is_over
    with pytest.raises(Refused, match="past"):
        world.rita.share("deal", world.deal.id, world.me(world.ron), "read", today - timedelta(days=1))


def test_a_share_gives_nobody_what_no_role_of_theirs_grants(world):
    rita, deal = world.rita, world.deal
    with pytest.raises(Refused, match="has no role that reads"):
        rita.share("deal", deal.id, world.me(world.stan))
    with pytest.raises(Refused, match="has no role that changes"):
        rita.share("deal", deal.id, world.me(world.lola), "write")
    rita.share("deal", deal.id, world.sales, "write")
    stan = world.door(world.me(world.stan).id, "Stan", ("stranger",), [world.sales.id])
    with pytest.raises(Forbidden):
        stan.list("deal", columns=["name"])
    lola = world.door(world.me(world.lola).id, "Lola", ("looker",), [world.sales.id])
    assert listed(lola) == ["Big"]
    assert not lola.may("update", "deal", deal.id)


def test_a_share_widens_the_level_and_neither_the_where_nor_the_fields(world):
    rita, ron, deal = world.rita, world.ron, world.deal
    rita.share("deal", deal.id, world.me(ron))
    assert "margin" not in ron.read("deal", deal.id)
    world.system.update("deal", deal.id, {"closed": True})
    assert listed(ron) == []


def test_who_may_change_a_record_by_their_roles_may_share_it(world):
    rita, ron, deal = world.rita, world.ron, world.deal
    assert rita.may_share("deal", deal.id)
    assert not ron.may_share("deal", deal.id)
    assert not rita.may_share("deal_line")
    assert not rita.may_share("user")
    with pytest.raises(Missing):  # not even read
        ron.share("deal", deal.id, world.me(ron))
    with pytest.raises(Missing):
        ron.shares("deal", deal.id)
    with pytest.raises(Refused, match="That is you"):
        rita.share("deal", deal.id, world.me(rita))
    with pytest.raises(Refused, match="a person or a team"):
        rita.share("deal", deal.id, world.account.ref)
    with pytest.raises(Refused, match="no such record"):
        rita.share("deal", deal.id, Ref("user", deal.id))
    with pytest.raises(Refused, match="cannot be chosen"):
        rita.share("deal", deal.id, world.me(ron), "own")


def test_a_share_is_changed_told_of_and_ended(world):
    rita, ron, deal = world.rita, world.ron, world.deal
    first = rita.share("deal", deal.id, world.me(ron))
    again = rita.share("deal", deal.id, world.me(ron), "write")
    assert (again.id, again.level, again.whom.title) == (first.id, "write", "Ron")
    assert rita.change_share("deal", deal.id, first.id, {"level": "read"}).level == "read"
    assert [s.by.title for s in ron.shares("deal", deal.id)] == ["Rita"]
    entries = [c for c in rita.history("deal", deal.id) if c.kind in ("share", "unshare")]
    assert [e.changes[0].new["level"] for e in entries] == ["read", "write", "read"]
    rita.end_share("deal", deal.id, first.id)
    assert listed(ron) == []
    assert rita.history("deal", deal.id)[0].kind == "unshare"
    with pytest.raises(Missing):
        rita.end_share("deal", deal.id, first.id)


def test_one_may_end_what_is_shared_with_oneself(world):
    share = world.rita.share("deal", world.deal.id, world.me(world.ron))
    other = world.rita.share("deal", world.deal.id, world.me(world.lola))
    with pytest.raises(Forbidden):
        world.ron.end_share("deal", world.deal.id, other.id)
    world.ron.end_share("deal", world.deal.id, share.id)
    assert listed(world.ron) == []


def test_shares_go_along_in_a_merge_and_come_back_out_of_it(world):
    rita, boss, system = world.rita, world.boss, world.system
    other = rita.create("deal", {"name": "Twin", "account": world.account.id})
    today = rita.principal.reader.today()
    rita.share("deal", world.deal.id, world.me(world.lola), "read", today)
    rita.share("deal", other.id, world.me(world.lola), "read")
    rita.share("deal", other.id, world.me(world.ron), "write")
    boss.merge("deal", world.deal.id, [other.id])
    assert {(s.whom.title, s.level, s.until) for s in boss.shares("deal", world.deal.id)} == {
        ("Lola", "read", None),
        ("Ron", "write", None),
    }
    assert listed(world.ron) == ["Big"]
    [merge] = boss.merges("deal", world.deal.id)
    boss.unmerge(merge.id)
    assert {(s.whom.title, s.until) for s in boss.shares("deal", world.deal.id)} == {("Lola", today)}
    assert listed(world.ron) == ["Twin"]
    assert system.count("deal").n == 2


def test_a_share_ends_when_the_record_or_the_person_is_gone_for_good(world):
    rita, deal, system = world.rita, world.deal, world.system
    rita.share("deal", deal.id, world.me(world.ron))
    rita.share("deal", deal.id, world.north)
    shares = world.crm.tables.platform.share

    def left():
        with world.crm.begin() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(shares)).scalar()

    system.delete("team", world.north.id)
    system.purge("team", world.north.id)
    assert left() == 1
    rita.delete("deal", deal.id)
    assert left() == 1  # in the bin: it may come back
    system.purge("deal", deal.id)
    assert left() == 0


def test_where_nothing_is_shared_with_anybody_a_list_costs_one_look_into_an_index(world):
    """The ids are gathered once, not for each row."""
    plan = world.ron.session
    with plan.transaction():
        from trellis.records.reading.catalog import system_scope

        scope = system_scope(plan, "deal")
        reach = plan.permit.reach("read", scope)
        statement = sa.select(scope.alias.c.id).where(reach)
        compiled = statement.compile(plan.connection, compile_kwargs={"render_postcompile": True})
        explained = plan.connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {compiled}", compiled.params).scalars().all()
    told = "\n".join(explained)
    assert "InitPlan" in told
    assert "(SubPlan" not in told
    assert "hashed SubPlan" in told
