"""A merge can be undone within thirty days."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from trellis.records.merging.lookup import UNDO_FOR
from trellis.records.refusal import Refused
from trellis.records.store import Store

LEFT_ALONE = {"version", "updated_at", "updated_by", "search"}


def picture(store):
    """Everything in the tables that a merge touches, without versions."""
    found = {}
    with store.transaction() as connection:
        for name in ("account", "contact", "deal", "note", "member"):
            rows = connection.execute(sa.select(store.tenant.tables.entity[name])).mappings()
            found[name] = {r["id"]: {k: v for k, v in r.items() if k not in LEFT_ALONE} for r in rows}
        for key, table in store.tenant.tables.links.items():
            found[key] = {(r["source"], r["target"]): dict(r) for r in connection.execute(sa.select(table)).mappings()}
    return found


@pytest.fixture
def world(store):
    """Two contacts and two accounts with everything on them."""
    top = store.create("account", {"name": "Top"})
    a = store.create("account", {"name": "Acme", "code": "A", "parent": top.id})
    b = store.create(
        "account",
        {
            "name": "Acme GmbH",
            "code": "B",
            "city": "Kiel",
            "revenue": "7.50 USD",
            "website": "https://b.example",
            "tags": ["x"],
        },
    )
    store.create("account", {"name": "Child", "parent": b.id})
    p = store.create("account", {"name": "Partner"})
    store.update("account", b.id, {"partners": [p.id]})
    k, other = (
        store.create("contact", {"name": "Kim", "account": a.id}),
        store.create("contact", {"name": "Lee", "account": b.id}),
    )
    deal = store.create("deal", {"name": "one", "account": b.id, "amount": "5 EUR", "contacts": [k.id]})
    store.link("deal", deal.id, "contacts", other.id, {"part": "buyer"})
    store.create("note", {"text": "n", "about": f"account:{b.id}"})
    store.create("campaign", {"name": "Spring", "lines": [{"contact": k.id}, {"contact": other.id}]})
    return {"a": a.id, "b": b.id, "k": k.id, "l": other.id, "deal": deal.id}


def last(store, entity, id):
    """The latest merge into a record."""
    return store.merges(entity, id)[0]


def test_everything_is_as_it_was(store, world):
    before = picture(store)
    store.merge("account", world["a"], [world["b"]], {"name": world["b"]})
    store.merge("contact", world["k"], [world["l"]])
    assert picture(store) != before
    done = store.unmerge(last(store, "contact", world["k"]).id)
    assert (done.fields, done.records) == ((), 0)
    store.unmerge(last(store, "account", world["a"]).id)
    assert picture(store) == before
    assert store.read("account", world["b"])["deal_count"] == 1
    assert store.read("account", world["a"])["deal_sum"].amount == Decimal(0)
    assert store.count("deal", q="GmbH").n == 1
    assert store.merges("account", world["a"]) == []
    assert [c.kind for c in store.history("account", world["b"])][:2] == ["unmerged", "merged"]


def test_what_was_changed_since_stays_and_is_told(store, world):
    store.merge("account", world["a"], [world["b"]])
    other = store.create("account", {"name": "Other"})
    store.update("account", world["a"], {"city": "Ulm"})
    store.update("deal", world["deal"], {"account": other.id})
    done = store.unmerge(last(store, "account", world["a"]).id)
    assert (done.fields, done.records) == (("city",), 1)
    a = store.read("account", world["a"])
    assert (a["city"], a["revenue"]) == ("Ulm", None)
    assert store.read("account", world["b"])["city"] == "Kiel"
    assert store.read("deal", world["deal"])["account"].id == other.id


def test_what_came_since_stays_with_the_winner(store, world):
    store.merge("account", world["a"], [world["b"]])
    new = store.create("deal", {"name": "new", "account": world["a"], "amount": "1 EUR"})
    store.unmerge(last(store, "account", world["a"]).id)
    assert store.read("deal", new.id)["account"].id == world["a"]
    assert store.read("account", world["a"])["deal_count"] == 1


def test_only_once_and_only_within_thirty_days(store, world):
    store.merge("account", world["a"], [world["b"]])
    merge = last(store, "account", world["a"])
    principal = store.principal
    later = replace(principal.reader, now=principal.reader.now + UNDO_FOR + timedelta(seconds=1))
    with pytest.raises(Refused, match="30 days"):
        Store(store.tenant, replace(principal, reader=later)).unmerge(merge.id)
    store.unmerge(merge.id)
    with pytest.raises(Refused, match="undone already"):
        store.unmerge(merge.id)


def test_a_later_merge_is_undone_first(store, world):
    c = store.create("account", {"name": "C"})
    store.merge("account", world["a"], [world["b"]])
    first = last(store, "account", world["a"])
    store.merge("account", c.id, [world["a"]])
    with pytest.raises(Refused, match="merged once more"):
        store.unmerge(first.id)
    assert store.merged_into("account", world["b"]) == c.id
    store.unmerge(last(store, "account", c.id).id)
    assert store.merged_into("account", world["b"]) == world["a"]
    store.unmerge(first.id)
    assert store.merged_into("account", world["b"]) is None


def test_a_unique_value_that_somebody_else_has_by_now(store, world):
    store.merge("account", world["a"], [world["b"]])
    store.create("account", {"name": "New", "code": "B"})
    with pytest.raises(Refused, match="already a record with this value"):
        store.unmerge(last(store, "account", world["a"]).id)
    assert store.merged_into("account", world["b"]) == world["a"]


def part_of(store, deal, contact):
    table = store.tenant.tables.links["deal", "contacts"]
    with store.transaction() as connection:
        wanted = sa.select(table.c.part).where(table.c.source == deal, table.c.target == contact)
        return connection.execute(wanted).scalar_one_or_none()


def test_what_links_keep_by_now_stays_with_the_winner(store, world):
    k, lee, deal = (world[name] for name in ("k", "l", "deal"))
    second = store.create("deal", {"name": "two", "account": world["a"], "contacts": [lee]})
    store.merge("contact", k, [lee])  # fills the part in the first deal, and links the second
    assert part_of(store, deal, k) == "buyer"
    store.link("deal", deal, "contacts", k, {"part": "user"})
    store.link("deal", second.id, "contacts", k, {"part": "user"})
    done = store.unmerge(last(store, "contact", k).id)
    assert done.records == 1
    assert (part_of(store, deal, k), part_of(store, deal, lee)) == ("user", "buyer")
    assert (part_of(store, second.id, k), part_of(store, second.id, lee)) == ("user", None)


def changes(store, entity, id):
    return [(c.kind, f.field, f.old, f.new) for c in store.history(entity, id) for f in c.changes]


def test_the_history_of_both_ends_tells_how_links_moved(store, world):
    k, lee = world["k"], world["l"]
    only = store.create("deal", {"name": "only", "account": world["a"], "contacts": [lee]})
    store.merge("contact", k, [lee])
    [[kind, field, old, new], *_rest] = changes(store, "deal", only.id)
    assert (kind, field, [r.title for r in old], [r.title for r in new]) == ("link", "contacts", ["Lee"], ["Kim"])
    store.unmerge(last(store, "contact", k).id)
    [[kind, field, old, new], *_rest] = changes(store, "deal", only.id)
    assert (kind, [r.title for r in old], [r.title for r in new]) == ("link", ["Kim"], ["Lee"])


def test_the_winners_own_links_are_told_and_read_as_they_were(store, world):
    a, b = world["a"], world["b"]
    before = store.read("account", a)
    store.merge("account", a, [b])
    kind, _field, old, new = next(c for c in changes(store, "account", a) if c[1] == "partners")
    assert (kind, old, [r.title for r in new]) == ("merge", None, ["Partner"])
    store.unmerge(last(store, "account", a).id)
    kind, _field, old, new = next(c for c in changes(store, "account", a) if c[1] == "partners")
    assert (kind, [r.title for r in old], new) == ("unmerge", ["Partner"], None)
    assert store.read("account", a)["partners"] == before["partners"]
