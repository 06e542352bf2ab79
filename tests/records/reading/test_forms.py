from __future__ import annotations


def test_an_open_form_is_judged_without_being_saved(system):
    account = system.create("account", {"name": "Acme"})
    state = system.evaluate_form("deal", {"name": "x", "account": str(account.id), "amount": "2000"})
    assert state.fields["close_date"].required
    assert not state.fields["lost_reason"].visible
    assert state.defaults["priority"] == "normal"
    assert state.computed["expected"].amount == 200
    assert system.count("deal").n == 0


def test_lines_of_an_open_form_are_computed(system):
    state = system.evaluate_form("deal", {"name": "x", "lines": [{"product": "a", "quantity": "3", "price": "2"}, {}]})
    assert state.computed["lines.0.total"].amount == 6
    assert state.computed["lines_total"].amount == 6
    assert state.defaults["lines.1.quantity"] == 1


def test_a_stored_record_s_form_starts_from_what_is_stored(system):
    account = system.create("account", {"name": "Acme"})
    deal = system.create("deal", {"name": "x", "account": account.id, "locked_after": "y"})
    state = system.evaluate_form("deal", {"stage": "lost"}, deal.id)
    assert state.fields["lost_reason"].visible
    assert state.fields["lost_reason"].required
    assert state.fields["locked_after"].readonly
    assert state.defaults == {}


def test_probable_duplicates_warn_and_ask_for_a_second_look(system):
    first = system.create("contact", {"name": "Anna Berg"})
    second = system.create("contact", {"name": "anna berg"})
    assert second.warnings[0].params["id"] == str(first.id)
    assert system.create("contact", {"name": "Else"}, confirmed=False).warnings == ()
