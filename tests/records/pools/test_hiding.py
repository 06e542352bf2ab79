"""What lies in a pool is seen by its members, and what it hides by nobody but its admins, on every path."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests.conftest import layers_of
from tests.records.pools.conftest import DAY, POOL, Crm, at

from trellis.formula.reader import Reader
from trellis.records.pools import claiming
from trellis.records.principal import Principal
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.records.transfer import export_csv
from trellis.storage.catalogue import Catalogue

PHONE = "+4915112345678"


def paths(store: Store, lead: object) -> dict[str, object]:
    """What somebody learns of a lead's telephone number, path by path."""
    page = store.list("lead", columns=["name", "phone"], where=[f'id == "{lead}"'])
    return {
        "list": [record["phone"] for record in page.rows],
        "record": store.read("lead", lead)["phone"],
        "filter": store.count("lead", where=[f'phone == "{PHONE}" and id == "{lead}"']).n,
        "search": store.count("lead", where=[f'id == "{lead}"'], q="015112345678").n,
        "everywhere": [hit.ref.id for hit in store.search("015112345678") if hit.ref.id == lead],
        "details": [hit.detail for hit in store.search("Secretive") if hit.ref.id == lead],
        "history": [c.new for entry in store.history("lead", lead) for c in entry.changes if c.field == "phone"],
        "past": store.read("lead", lead, as_of=datetime(2019, 3, 30, tzinfo=UTC))["phone"],
    }


def test_members_see_the_pool_but_not_what_it_hides(crm: Crm) -> None:
    lead = crm.lead("Secretive", phone=PHONE)
    rep, boss, market = crm.by("ann"), crm.by("bob", DAY, "boss"), crm.by("mia", DAY, "marketing")
    nothing = {"list": [None], "record": None, "filter": 0, "search": 0, "everywhere": [], "history": [], "past": None}
    for store in (rep, market):
        told = paths(store, lead)
        assert PHONE not in str(told.pop("details"))
        assert told == nothing
    assert paths(boss, lead)["record"] == PHONE
    claiming.claim(rep, "leads", [lead])
    told = paths(rep, lead)
    assert (told["list"], told["record"], told["filter"], told["search"]) == ([PHONE], PHONE, 1, 1)
    assert told["history"] == [PHONE]
    assert paths(market, lead)["record"] == PHONE


def test_the_pool_ends_where_its_filter_does(crm: Crm) -> None:
    closed = crm.lead("Closed", closed=True)
    with pytest.raises(Missing):
        crm.by("ann").read("lead", closed)


def test_what_is_hidden_is_not_written_either(crm: Crm) -> None:
    lead = crm.lead("Kept", phone=PHONE)
    market = crm.by("mia", DAY, "marketing")
    market.update("lead", lead, {"city": "Kiel", "phone": ""})  # a form sends back what it was shown
    assert crm.system().read("lead", lead)["phone"] == PHONE
    with pytest.raises(Refused):
        market.update("lead", lead, {"phone": "+49301234567"})


def test_others_do_not_see_the_pool(crm: Crm) -> None:
    lead, mine = crm.lead("In the pool"), crm.lead("Taken", "zoe", now=at(3, 26))
    assert crm.by("ann").read("lead", lead).title == "In the pool"
    with pytest.raises(Missing):
        crm.by("ann").read("lead", mine)
    assert crm.by("ann").may("update", "lead", lead) is False


def test_who_may_see_it_says_that_it_lies_in_a_pool(crm: Crm) -> None:
    lead = crm.lead("Explained", phone=PHONE)
    told = crm.by("ann").explain("lead", lead)
    read = next(ruling for ruling in told.rulings if ruling.action == "read")
    assert (read.allowed, [(rule.holds, rule.pooled) for rule in read.rules]) == (True, [(False, True)])
    assert [(field.field, field.mode) for field in told.fields] == [("phone", "hidden")]
    assert not next(ruling for ruling in told.rulings if ruling.action == "update").allowed
    claiming.claim(crm.by("explainer"), "leads", [lead])
    with pytest.raises(Missing):
        crm.by("ann").read("lead", lead)


def test_teams_and_single_people_are_members_and_admins(catalogue: Catalogue) -> None:
    text = POOL.replace("members: {roles: [rep]}", "members: {teams: [North]}").replace(
        "admins: {roles: [boss]}", "admins: {users: [Kim@example.com]}"
    )
    crm = Crm(catalogue.create("pool-of-teams", layers_of(text, "pool-of-teams"), "test"))
    try:
        team = crm.system().create("team", {"name": "north"}).id
        lead = crm.lead("Acme", phone=PHONE)

        def of(name: str, *teams: UUID) -> Store:
            me = crm.person(name)
            reader = Reader(me=me, roles=frozenset({"rep"}), team_ids=frozenset(teams), now=DAY)
            return Store(crm.tenant, Principal(reader, id=me.id, name=name, roles=frozenset({"rep"})))

        member, admin, other = of("ann", team), of("kim"), of("zoe")
        assert [member.read("lead", lead)["phone"], admin.read("lead", lead)["phone"]] == [None, PHONE]
        with pytest.raises(Missing):
            other.read("lead", lead)
        with pytest.raises(Forbidden):
            claiming.claim(other, "leads", [lead])
        assert claiming.assign(admin, "leads", [lead], crm.person("ann").id)[0].done
    finally:
        catalogue.drop("pool-of-teams")


def test_groups_exports_and_links_do_not_tell_it_either(pooled: Callable[..., Crm]) -> None:
    crm = pooled(POOL.replace("lead: {read: all, update: all}", "lead: {read: all, update: all, export: true}"))
    lead, own = crm.lead("Secretive", phone=PHONE), "+4915112345679"
    crm.lead("Owned", "ann", phone=own)
    crm.system().create("offer", {"name": "Offer", "lead": str(lead)})
    market, rep = crm.by("mia", DAY, "marketing"), crm.by("ann")
    out = io.StringIO()
    export_csv(market, "lead", out, columns=["name", "phone"])
    for told in (str(market.groups("lead", "phone")), out.getvalue()):
        assert own in told
        assert PHONE not in told
    assert rep.list("offer", columns=["lead.phone"]).rows[0]["lead.phone"] is None
    assert rep.count("offer", where=[f'lead.phone == "{PHONE}"']).n == 0
