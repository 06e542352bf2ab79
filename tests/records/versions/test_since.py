"""Two people save one record: what each changed stays, what both changed is refused."""

from __future__ import annotations

import pytest

from trellis.records.refusal import Refused, Stale


@pytest.fixture
def read(system):
    """An account as a form read it, and what the form sends back of it."""
    account = system.create("account", {"name": "Acme", "city": "Kiel", "employees": 2})
    return account, {"name": "Acme", "city": "Kiel", "employees": 2}


def test_each_keeps_what_the_other_left_alone(system, read):
    account, form = read
    system.update("account", account.id, {"city": "Rome"})
    system.update("account", account.id, form | {"name": "Acme AG"}, version=account.version, merges=True)
    saved = system.read("account", account.id)
    assert (saved["name"], saved["city"]) == ("Acme AG", "Rome")


def test_only_what_both_changed_is_a_conflict(system, read):
    account, form = read
    system.update("account", account.id, {"city": "Rome", "employees": 5})
    with pytest.raises(Stale) as stale:
        system.update("account", account.id, form | {"city": "Oslo", "name": "x"}, version=account.version, merges=True)
    assert stale.value.current == {"city": "Rome"}


def test_what_was_changed_and_changed_back_is_what_it_was(system, read):
    account, form = read
    system.update("account", account.id, {"city": "Rome"})
    system.update("account", account.id, {"city": "Kiel"})
    system.update("account", account.id, form | {"city": "Oslo"}, version=account.version, merges=True)
    assert system.read("account", account.id)["city"] == "Oslo"


def test_programs_that_do_not_merge_are_refused(system, read):
    account, _form = read
    system.update("account", account.id, {"city": "Rome"})
    with pytest.raises(Stale):
        system.update("account", account.id, {"name": "Acme AG"}, version=account.version)


def test_what_the_history_cannot_tell_apart_is_refused(system, read):
    account, form = read
    system.update("account", account.id, {"city": "Rome"})
    system.delete("account", account.id)
    system.restore("account", account.id)
    with pytest.raises(Stale):
        system.update("account", account.id, form, version=account.version, merges=True)


def test_a_conflict_tells_what_the_writer_left_alone(system, read):
    account, form = read
    system.update("account", account.id, {"city": "Rome", "employees": 5})
    with pytest.raises(Stale) as stale:
        system.update("account", account.id, form | {"city": "Oslo"}, version=account.version, merges=True)
    assert stale.value.left == {"employees"}


def test_a_version_that_never_was_is_refused(system, read):
    account, form = read
    with pytest.raises(Stale):
        system.update("account", account.id, form | {"city": "Oslo"}, version=account.version + 7, merges=True)


def test_a_conflict_does_not_tell_a_masked_value(system, person):
    rep = person("Anna", "rep")
    account = rep.create("account", {"name": "Acme"})
    system.update("account", account.id, {"phone": "+491701234567"})
    with pytest.raises(Refused) as refused:
        rep.update("account", account.id, {"phone": "+4930111"}, version=account.version, merges=True)
    assert not isinstance(refused.value, Stale)
    assert [f.code for f in refused.value.faults] == ["forbidden"]
