"""Each action has a level of its own: what a grant says, what a right beside any entity carries, and how far."""

from __future__ import annotations

import io

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.model.role import ACTIONS
from trellis.records.principal import Principal, Scopes
from trellis.records.refusal import Forbidden, Refused
from trellis.records.store import Store
from trellis.records.transfer import export_csv


@pytest.fixture
def world(system, person):
    """Cara is careful: she may do everything with any deal, but hand on, export and import only her own."""
    cara, rita = person("Cara", "careful"), person("Rita", "rep")
    account = system.create("account", {"name": "Acme", "owner": rita.principal.id})
    mine = system.create("deal", {"name": "hers", "account": account.id, "owner": cara.principal.id})
    other = system.create("deal", {"name": "his", "account": account.id, "owner": rita.principal.id})
    return cara, rita, account, mine, other


@pytest.mark.parametrize("means", ["page", "api", "bulk", "import"])
def test_handing_over_needs_assign_and_everything_else_does_not(world, means):
    cara, rita, _, mine, other = world
    with pytest.raises(Refused, match="hand this over") as refused:
        cara.update("deal", other.id, {"owner": cara.principal.id, "priority": "high"}, means=means)
    assert refused.value.faults[0].field == "owner"
    assert cara.update("deal", other.id, {"priority": "high", "owner": rita.principal.id}, means=means)
    assert cara.update("deal", mine.id, {"owner": rita.principal.id}, means=means)


def test_unnamed_handing_over_goes_as_far_as_changing(world):
    cara, rita, _, _, other = world
    assert rita.update("deal", other.id, {"owner": cara.principal.id})["owner"].id == cara.principal.id


def test_automation_hands_over_what_it_likes(world, system):
    cara, _, _, _, other = world
    assert system.update("deal", other.id, {"owner": cara.principal.id}, means="workflow")


def test_an_export_holds_what_may_be_exported_not_all_that_may_be_read(world):
    cara, rita, *_ = world
    out = io.StringIO()
    assert export_csv(cara, "deal", out, columns=["name"]) == 1
    assert "hers" in out.getvalue()
    assert "his" not in out.getvalue()
    with pytest.raises(Forbidden):
        export_csv(rita, "deal", io.StringIO(), columns=["name"])


def test_what_is_imported_must_be_within_the_level_of_import(world):
    cara, rita, account, *_ = world
    rows = [{"name": n, "account": account.id, "owner": o.principal.id} for n, o in (("a", cara), ("b", rita))]
    assert [o.status for o in cara.create_many("deal", rows)] == ["created", "refused"]
    assert cara.create("deal", rows[1])["owner"].id == rita.principal.id


ROLES = """
entity: thing
title: name
fields: {name: {type: text, required: true}, owner: {type: user, role: owner, default: =me}}
merge: true
---
role: named
grants: {thing: {read: all, update: all, delete: all, merge: own, export: false, approve: own, share: false}}
allow: [merge, export, bulk-edit, import, approve, convert]
---
role: righted
grants: {thing: {read: all, create: true, update: own, delete: own}}
allow: [merge, export, bulk-edit, import, approve, convert]
---
role: bare
grants: {thing: {read: all, create: true, update: all, delete: all}}
"""


@pytest.fixture(scope="module")
def things(catalogue):
    yield catalogue.create("records-levels", layers_of(ROLES, "records-levels"), "test")
    catalogue.drop("records-levels")


def door(things, *roles, scopes=None):
    system = Store(things, Principal.system(Reader()))
    user = system.create("user", {"name": "P", "email": f"p{len(system.matching('user'))}@example.com"})
    held = frozenset(roles)
    reader = Reader(me=Ref("user", user.id), roles=held, team_members=frozenset({user.id}))
    return Store(things, Principal(reader, id=user.id, roles=held, scopes=scopes))


BOTH = {"mine", "other"}
EXPECTED = {
    "named": {"merge": {"mine"}, "approve": {"mine"}, "bulk-edit": BOTH, "convert": BOTH, "assign": BOTH},
    "righted": {
        **{action: {"mine"} for action in ("merge", "convert", "assign", "share")},
        **dict.fromkeys(("export", "bulk-edit", "approve", "import"), BOTH),
    },
    "bare": {"assign": BOTH, "share": BOTH},
}


@pytest.mark.parametrize("role", EXPECTED)
@pytest.mark.parametrize("action", [a for a in ACTIONS if a not in ("read", "create", "update", "delete", "restore")])
def test_a_right_carries_as_far_as_its_action_unless_the_grant_says_otherwise(things, role, action):
    store = door(things, role)
    system = Store(things, Principal.system(Reader()))
    made = {
        "mine": system.create("thing", {"name": "mine", "owner": store.principal.id}),
        "other": system.create("thing", {"name": "other"}),
    }
    allowed = {name for name, record in made.items() if store.may(action, "thing", record.id)}
    assert allowed == EXPECTED[role].get(action, set())


def test_roles_add_up_to_the_most_permissive(things):
    assert door(things, "bare").may("export", "thing") is False
    assert door(things, "bare", "righted").may("export", "thing") is True
    assert door(things, "named", "bare").may("share", "thing") is True


def test_a_key_hands_over_where_it_may_change_and_shares_only_when_it_says_so(things):
    key = door(things, "bare", scopes=Scopes(frozenset({"thing:read", "thing:update"})))
    assert key.may("assign", "thing")
    assert not key.may("share", "thing")
    assert not key.may("delete", "thing")
    assert door(things, "bare", scopes=Scopes(frozenset({"thing:read", "thing:write"}))).may("share", "thing")
