"""Rows inside records: undone with a batch, and given back as they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from trellis.records.store import Store


@pytest.fixture
def deal(system):
    account = system.create("account", {"name": "Acme"})
    given = [{"product": "pen", "price": 2, "quantity": 3}, {"product": "ink", "price": 5}]
    return system.create("deal", {"name": "Pilot", "account": account.id, "lines": given})


def ids(store, deal):
    return [line.id for line in store.lines("deal", deal.id, "lines")]


def told(store, deal):
    return [(line["product"], line["quantity"]) for line in store.lines("deal", deal.id, "lines")]


def edit(store, deal, rows, **values):
    [outcome] = store.update_many("deal", [(deal.id, {"lines": rows, **values})], means="bulk")
    assert outcome.status == "updated", outcome.faults
    return store.batches(limit=1)[0].id


def test_rows_that_came_went_and_changed_go_back_with_their_fields(system, deal):
    pen, ink = ids(system, deal)
    batch = edit(system, deal, [{"id": pen, "quantity": 9}, {"product": "cap"}], name="Other")
    assert system.undo(batch).counts == {"changed": 1}
    assert told(system, deal) == [("pen", 3), ("ink", 1)]
    assert ids(system, deal) == [pen, ink]
    after = system.read("deal", deal.id)
    assert (after["name"], after["lines_total"].amount) == ("Pilot", 11)


def test_an_undoing_of_rows_is_undone_again(system, deal):
    pen, _ink = ids(system, deal)
    undone = system.undo(edit(system, deal, [{"id": pen, "quantity": 9}, {"product": "cap"}]))
    system.undo(undone.batch)
    assert told(system, deal) == [("pen", 9), ("cap", 1)]


def test_a_row_that_was_changed_since_stays_and_is_told(system, deal):
    pen, ink = ids(system, deal)
    batch = edit(system, deal, [{"id": pen, "quantity": 9}, {"id": ink}, {"product": "cap"}])
    cap = ids(system, deal)[2]
    system.update("deal", deal.id, {"lines": [{"id": pen}, {"id": ink}, {"id": cap, "quantity": 4}]})
    [row] = system.undo(batch).rows
    assert (row.status, [(f.field, f.code) for f in row.faults]) == ("changed", [("lines", "since")])
    assert told(system, deal) == [("pen", 3), ("ink", 1), ("cap", 4)]


def test_only_a_row_that_went_comes_back_and_the_history_says_so(system, deal):
    pen, ink = ids(system, deal)
    system.undo(edit(system, deal, [{"id": pen}]))
    assert ids(system, deal) == [pen, ink]
    change = system.history("deal", deal.id)[0]
    assert (f"lines.{ink}", None, "ink") in [(c.field, c.old, c.new) for c in change.changes]


def later(store, hours):
    reader = replace(store.principal.reader, now=store.principal.reader.now + timedelta(hours=hours))
    return Store(store.tenant, replace(store.principal, reader=reader))


def test_rows_are_given_back_as_they_were_at_a_moment(system, deal):
    pen, ink = ids(system, deal)
    then = system.principal.reader.now
    later(system, 1).update("deal", deal.id, {"lines": [{"id": pen, "quantity": 9}, {"product": "cap"}]})
    now = later(system, 2)
    now.give_back("deal", deal.id, then, ["lines"])
    assert ids(now, deal) == [pen, ink]
    assert told(now, deal) == [("pen", 3), ("ink", 1)]
    assert now.read("deal", deal.id)["lines_total"].amount == 11
    assert now.history("deal", deal.id)[0].kind == "update"


def test_fields_and_rows_are_given_back_in_one_save(system, deal):
    pen, _ink = ids(system, deal)
    then = system.principal.reader.now
    later(system, 1).update("deal", deal.id, {"name": "Later", "lines": [{"id": pen}]})
    now = later(system, 2)
    before = now.read("deal", deal.id).version
    assert now.give_back("deal", deal.id, then, ["lines", "name"]) == 2
    after = now.read("deal", deal.id)
    assert (after["name"], after.version, len(told(now, deal))) == ("Pilot", before + 1, 2)
