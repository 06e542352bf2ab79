from __future__ import annotations


def test_every_change_says_who_when_how_and_from_what_to_what(system, person):
    mona = person("Mona", "manager")
    account = mona.create("account", {"name": "Acme"}, means="api")
    mona.update("account", account.id, {"name": "Acme Ltd", "city": "Kiel"})
    newest, first = mona.history("account", account.id)
    assert (first.kind, first.means, first.by_name, first.by.id) == ("create", "api", "Mona", mona.principal.id)
    assert {(c.field, c.old, c.new) for c in newest.changes} == {("name", "Acme", "Acme Ltd"), ("city", None, "Kiel")}
    assert [h.version for h in (newest, first)] == [2, 1]
    assert [h.kind for h in mona.history("account", account.id, limit=1, before=newest.id)] == ["create"]


def test_an_entry_keeps_the_titles_of_the_time(system):
    first, second = (system.create("account", {"name": n}) for n in ("First", "Second"))
    deal = system.create("deal", {"name": "x", "account": first.id})
    system.update("deal", deal.id, {"account": second.id})
    system.update("account", first.id, {"name": "Renamed"})
    [change] = system.history("deal", deal.id)[0].changes
    assert (change.field, change.old.title, change.new.title) == ("account", "First", "Second")
