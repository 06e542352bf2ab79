"""Several records become one, and everything that hangs on them follows."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from trellis.records.refusal import Forbidden, Refused
from trellis.records.transfer import ImportMap, import_table, read_table


def two(store, **values):
    """A winner and a loser."""
    return (
        store.create("account", {"name": "Acme", "code": "A-1"}),
        store.create("account", {"name": "Acme GmbH", "code": "A-2", **values}),
    )


def test_blank_values_are_filled_up_and_others_stay(store):
    winner, loser = two(store, city="Kiel", revenue="5 EUR")
    merged = store.merge("account", winner.id, [loser.id])
    assert (merged.title, merged["code"], merged["city"], merged["revenue"].amount) == ("Acme", "A-1", "Kiel", 5)


def test_a_chosen_value_is_taken(store):
    winner, loser = two(store)
    merged = store.merge("account", winner.id, [loser.id], {"name": loser.id, "code": loser.id})
    assert (merged.title, merged["code"]) == ("Acme GmbH", "A-2")


def test_links_follow_and_roll_ups_are_right_at_once(store):
    winner, loser = two(store)
    above = store.create("account", {"name": "Holding", "code": "H"})
    store.update("account", winner.id, {"parent": above.id})
    store.create("deal", {"name": "one", "account": winner.id, "amount": "10 EUR"})
    for n in range(3):
        store.create("deal", {"name": f"d{n}", "account": loser.id, "amount": "5 EUR"})
    merged = store.merge("account", winner.id, [loser.id])
    assert (merged["deal_count"], merged["deal_sum"].amount) == (4, Decimal(25))
    assert store.read("account", above.id)["group_sum"].amount == Decimal(25)
    assert store.count("deal", where=['account.code == "A-1"']).n == 4
    assert store.count("deal", q="Acme").n == 4
    assert store.count("deal", q="GmbH").n == 0


def test_an_any_link_follows(store):
    winner, loser = two(store)
    contact = store.create("contact", {"name": "Kim"})
    note = store.create("note", {"text": "hello", "about": f"account:{loser.id}"})
    store.create("note", {"text": "other", "about": f"contact:{contact.id}"})
    assert store.merge("account", winner.id, [loser.id])["note_count"] == 1
    assert store.read("note", note.id)["about"].id == winner.id


def test_many_to_many_links_follow_with_their_columns_and_none_is_there_twice(store):
    a, b = store.create("contact", {"name": "Kim"}), store.create("contact", {"name": "Kim Lee"})
    account = store.create("account", {"name": "Acme"})
    both = store.create("deal", {"name": "both", "account": account.id, "contacts": [a.id]})
    store.link("deal", both.id, "contacts", b.id, {"part": "buyer"})
    only = store.create("deal", {"name": "only", "account": account.id})
    store.link("deal", only.id, "contacts", b.id, {"part": "user"})
    store.merge("contact", a.id, [b.id])
    deals = {d.title: d for d in store.list("deal", columns=["contacts", "buyers", "main_contact"]).rows}
    assert {t: [r.id for r in d["contacts"]] for t, d in deals.items()} == {"both": [a.id], "only": [a.id]}
    assert store.count("deal", where=['count(contacts, via.part == "user") == 1']).n == 1
    assert deals["both"]["buyers"] == 1


def test_the_merged_records_own_links_follow(store):
    winner, loser = two(store)
    p, q = (store.create("account", {"name": n}) for n in "pq")
    store.update("account", winner.id, {"partners": [p.id, loser.id]})
    store.update("account", loser.id, {"partners": [p.id, q.id]})
    merged = store.merge("account", winner.id, [loser.id])
    assert [r.id for r in merged["partners"]] == [p.id, q.id]


def test_list_memberships_survive(store):
    """SuiteCRM#5835: the memberships of the merged record were lost."""
    a, b = store.create("contact", {"name": "Kim"}), store.create("contact", {"name": "Kim Lee"})
    spring = store.create("campaign", {"name": "Spring", "lines": [{"contact": a.id}, {"contact": b.id}]})
    autumn = store.create("campaign", {"name": "Autumn", "lines": [{"contact": b.id}]})
    store.merge("contact", a.id, [b.id])
    assert [r["contact"].id for r in store.lines("campaign", spring.id, "lines")] == [a.id]
    assert [r["contact"].id for r in store.lines("campaign", autumn.id, "lines")] == [a.id]
    assert store.read("campaign", spring.id)["members"] == 1


def test_a_merge_is_not_blocked_by_the_duplicate_rule_and_the_merged_record_is_no_duplicate(store):
    """NPSP#1669, and disciple-tools#2742."""
    a = store.create("account", {"name": "Nord"})
    b = store.create("account", {"name": "Sued"})
    store.create("account", {"name": "West"})
    table = store.tenant.tables.entity["account"]
    with store.transaction() as connection:  # as it came to be before there was a rule
        connection.execute(sa.update(table).where(table.c.id == b.id).values(name="West"))
    store.merge("account", a.id, [b.id], {"name": b.id})
    store.update("account", a.id, {"name": "Nord"})
    c = store.create("account", {"name": "Ost"})
    store.merge("account", a.id, [c.id])
    assert store.create("account", {"name": "Ost"}).title == "Ost"


def test_the_merged_record_is_neither_listed_nor_in_the_bin(store):
    winner, loser = two(store)
    store.merge("account", winner.id, [loser.id])
    assert [r.id for r in store.list("account", columns=["name"]).rows] == [winner.id]
    assert store.list("account", columns=["name"], deleted=True).rows == []
    assert store.merged_into("account", loser.id) == winner.id
    with pytest.raises(Refused, match="merged into another record"):
        store.restore("account", loser.id)
    with pytest.raises(Refused, match="merged into another record"):
        store.purge("account", loser.id)


def test_the_history_goes_along(store):
    winner, loser = two(store)
    store.update("account", loser.id, {"city": "Kiel"})
    store.merge("account", winner.id, [loser.id])
    kinds = [c.kind for c in store.history("account", winner.id)]
    assert kinds == ["merge", "update", "create", "create"]
    told = next(c for c in store.history("account", winner.id) if c.kind == "merge")
    assert [f.field for f in told.changes] == ["city", "merged"]


def test_comments_and_followers_follow(store):
    winner, loser = two(store)
    platform = store.tenant.tables.platform
    user = store.create("user", {"name": "Anna", "email": "a@example.com"})
    with store.transaction() as connection:
        row = {"entity": "account", "record": loser.id}
        connection.execute(sa.insert(platform.comment).values(id=user.id, body="hi", **row))
        connection.execute(sa.insert(platform.follow).values(user=user.id, **row))
    store.merge("account", winner.id, [loser.id])
    with store.transaction() as connection:
        assert connection.execute(sa.select(platform.comment.c.record)).scalars().all() == [winner.id]
        assert winner.id in connection.execute(sa.select(platform.follow.c.record)).scalars().all()


def test_ten_records_become_one_and_not_eleven(store):
    ids = [store.create("contact", {"name": f"c{n}"}).id for n in range(11)]
    with pytest.raises(Refused, match="between 2 and 10"):
        store.merge("contact", ids[0], ids[1:])
    store.merge("contact", ids[0], ids[1:10])
    assert store.count("contact").n == 2


def test_a_chain_of_merges_leads_to_its_end(store):
    a, b, c = (store.create("contact", {"name": n}).id for n in "abc")
    store.merge("contact", b, [c])
    store.merge("contact", a, [b])
    assert store.merged_into("contact", c) == a


def test_a_record_that_stood_under_the_merged_one_takes_its_place(store):
    winner, loser = two(store)
    top = store.create("account", {"name": "Top"})
    store.update("account", loser.id, {"parent": top.id})
    store.update("account", winner.id, {"parent": loser.id})
    assert store.merge("account", winner.id, [loser.id])["parent"].id == top.id


def test_a_ring_in_a_tree_is_refused(store):
    winner, loser = two(store)
    between = store.create("account", {"name": "Between", "parent": loser.id})
    store.update("account", winner.id, {"parent": between.id})
    with pytest.raises(Refused, match="stands above"):
        store.merge("account", winner.id, [loser.id])
    assert store.read("account", loser.id)["code"] == "A-2"


def test_tags_add_up(store):
    winner, loser = two(store, tags=["b", "a"])
    store.update("account", winner.id, {"tags": ["a"]})
    assert set(store.merge("account", winner.id, [loser.id])["tags"]) == {"a", "b"}


def test_a_unique_value_can_be_taken_over(store):
    winner, loser = two(store, website="https://acme.example")
    assert store.merge("account", winner.id, [loser.id])["website"] == "https://acme.example"


def test_kinds_that_cannot_be_merged(store):
    a, b = store.create("licence", {"name": "a"}), store.create("licence", {"name": "b"})
    with pytest.raises(Refused, match="cannot be merged"):
        store.merge("licence", a.id, [b.id])
    assert not store.may_merge("licence")
    assert not store.may_merge("member")


def test_the_right_to_merge(store, person):
    winner, loser = two(store)
    with pytest.raises(Forbidden):
        person("Otto", "other").merge("account", winner.id, [loser.id])
    with pytest.raises(Forbidden):
        person("Hella", "half").merge("account", winner.id, [loser.id])  # may not delete what is not hers
    assert person("Greta", "granted").merge("account", winner.id, [loser.id]).id == winner.id


def test_a_field_that_is_read_only_cannot_be_chosen_and_a_hidden_one_is_kept(store, person):
    half = person("Hella", "half")
    me = half.principal.id
    winner, loser = two(store, city="Kiel", secret="x")
    for id in (winner.id, loser.id):
        store.update("account", id, {"owner": me})
    store.update("account", winner.id, {"city": "Ulm"})
    with pytest.raises(Refused) as refused:
        half.merge("account", winner.id, [loser.id], {"city": loser.id})
    assert refused.value.faults[0].field == "city"
    half.merge("account", winner.id, [loser.id])
    assert store.read("account", winner.id)["secret"] == "x"


def test_a_record_that_changed_meanwhile_is_looked_at_again(store):
    winner, loser = two(store)
    store.update("account", loser.id, {"city": "Kiel"})
    with pytest.raises(Refused, match="meantime"):
        store.merge("account", winner.id, [loser.id], versions={loser.id: loser.version})


def test_an_old_name_or_number_finds_the_winner(store, person):
    winner, loser = two(store)
    store.create("account", {"name": "Zenith"})
    store.merge("account", winner.id, [loser.id])
    assert [r.id for r in store.list("account", columns=["name"], q="A-2").rows] == [winner.id]
    assert store.count("account", q="gmbh").n == 1
    [hit] = store.search("gmbh", entities=["account"])
    assert (hit.ref.id, hit.title, hit.merged_from) == (winner.id, "Acme", "Acme GmbH")
    assert [h.merged_from for h in store.search("Acme", entities=["account"])] == [""]
    assert [c.ref.id for c in store.pick("account", "gmbh")] == [winner.id]
    store.unmerge(store.merges("account", winner.id)[0].id)
    assert [h.ref.id for h in store.search("gmbh", entities=["account"])] == [loser.id]


def test_an_import_by_an_old_key_brings_the_winner_up_to_date(store):
    winner, loser = two(store)
    store.merge("account", winner.id, [loser.id])
    summary = import_table(store, "account", read_table("code,city\nA-2,Kiel\nA-3,Ulm\n"))
    assert dict(summary.counts) == {"updated": 1, "failed": 1}  # A-3 has no name
    assert store.read("account", winner.id)["city"] == "Kiel"
    contacts = import_table(store, "contact", read_table("name,account\nKim,A-2\n"))
    assert contacts.counts["created"] == 1
    assert store.list("contact", columns=["account"]).rows[0]["account"].id == winner.id


def test_an_import_that_matches_several_records_touches_none_of_them(store):
    """F-RevoCRM#712: all but the first match were deleted without a word."""
    for name in ("Kim", "Kim"):
        store.create("contact", {"name": name, "email": "kim@example.com"})
    told = []
    import_table(
        store,
        "contact",
        read_table("name,email\nLee,kim@example.com\n"),
        ImportMap(match=("email",)),
        on_outcome=told.append,
    )
    assert (told[0].status, told[0].faults[0].code) == ("failed", "match")
    assert [r.title for r in store.list("contact", columns=["name"]).rows] == ["Kim", "Kim"]


@pytest.fixture
def invited(store):
    """Two contacts, both invited to the same campaign, one of them to another one, too."""
    spring, autumn = (store.create("campaign", {"name": n}).id for n in ("Spring", "Autumn"))
    kim, lee = (store.create("contact", {"name": n}).id for n in ("Kim", "Lee"))
    first = store.create("invitation", {"campaign": spring, "contact": kim, "state": "sent"})
    second = store.create("invitation", {"campaign": spring, "contact": lee, "state": "planned"})
    store.create("invitation", {"campaign": autumn, "contact": lee})
    return kim, lee, first.id, second.id


def test_a_second_membership_goes_to_the_bin_with_the_record_it_was_of(store, invited):
    """SuiteCRM#5835: merge dropped list memberships."""
    kim, lee, first, second = invited
    store.merge("contact", kim, [lee])
    rows = store.list("invitation", columns=["campaign", "contact"]).rows
    assert sorted((r["campaign"].title, r["contact"].title) for r in rows) == [("Autumn", "Kim"), ("Spring", "Kim")]
    assert store.read("invitation", first)["state"] == "sent"
    assert store.read("invitation", second, deleted=True).deleted_at is not None
    store.unmerge(store.merges("contact", kim)[0].id)
    assert store.read("invitation", second)["contact"].id == lee
    assert store.count("invitation").n == 3


def test_a_second_membership_that_something_points_to_is_for_a_person(store, invited):
    kim, lee, _first, second = invited
    store.create("answer", {"text": "I come", "invitation": second})
    with pytest.raises(Refused, match="where only one may be: planned"):
        store.merge("contact", kim, [lee])
