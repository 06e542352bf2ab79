"""Roll-ups that a configuration brings are there for old records, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import SAMPLE
from tests.storage.test_plan import change, insert, run

import trellis.identity  # noqa: F401 - registers what follows an apply
from trellis.packaging.provision import system_store
from trellis.records.deriving import refill
from trellis.storage.doctor import Patient, examine
from trellis.storage.followups import follow_up_all, pending
from trellis.storage.tenant import RevisionChanged


def test_a_new_rollup_counts_what_is_there_already(tenant, catalogue):
    acme, empty = insert(tenant, "account", name="Acme"), insert(tenant, "account", name="Empty")
    for name in ("a", "b"):
        insert(tenant, "contact", name=name, account=acme)
    counted = "vip: {type: boolean}\n  people: {type: integer, rollup: count(contacts)}"
    new = change(catalogue, tenant, SAMPLE.replace("vip: {type: boolean}", counted))
    assert dict(run(new, "SELECT id, people FROM account")) == {acme: 2, empty: 0}
    other = counted.replace("count(contacts)", "'count(contacts, name == \"a\")'")
    again = change(catalogue, new, SAMPLE.replace("vip: {type: boolean}", other))
    assert dict(run(again, "SELECT id, people FROM account")) == {acme: 1, empty: 0}


def found(tenant, entity, q):
    """The names that a search finds."""
    page = system_store(tenant).list(entity, columns=["name"], q=q)
    return sorted(row["name"] for row in page.rows)


def test_old_records_are_found_by_new_search_fields_and_not_by_former_ones(tenant, catalogue, monkeypatch):
    monkeypatch.setattr(refill, "BATCH", 2)  # several batches
    acme = insert(tenant, "account", name="Acme", industry="retail")
    for number in range(5):
        insert(tenant, "contact", name=f"Anna {number} 江南", account=acme)
    assert found(tenant, "contact", "anna") == []  # put in behind the door's back
    by_account = SAMPLE.replace(
        "{type: link, to: account, inverse: contacts}", "{type: link, to: account, inverse: contacts, search: true}"
    )
    new = change(catalogue, tenant, by_account)
    assert len(found(new, "contact", "acme")) == len(found(new, "contact", "江南")) == 5
    assert pending(catalogue) == {}
    unnamed = by_account.replace(
        "entity: contact\nlabel: Contact\nfields:\n  name: {type: text, required: true, search: true}",
        "entity: contact\nlabel: Contact\nfields:\n  name: {type: text, required: true}",
    )
    newer = change(catalogue, new, unnamed)
    assert found(newer, "contact", "anna") == []
    assert len(found(newer, "contact", "acme")) == 5


def test_what_a_killed_process_has_left_is_done_by_the_next_one(tenant, catalogue, monkeypatch):
    acme = insert(tenant, "account", name="Acme")
    for number in range(5):
        insert(tenant, "contact", name=f"Anna {number}", account=acme)
    text = SAMPLE.replace(
        "{type: link, to: account, inverse: contacts}", "{type: link, to: account, inverse: contacts, search: true}"
    )
    fill = refill.fill_search

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(refill, "fill_search", killed)
    with pytest.raises(KeyboardInterrupt):
        change(catalogue, tenant, text)
    assert pending(catalogue) == {tenant.slug: 1}
    monkeypatch.setattr(refill, "fill_search", fill)
    now = catalogue.get(tenant.slug)
    assert found(now, "contact", "acme") == []
    assert any("old records" in finding.text for _, finding in examine(Patient(Path(), Path(), catalogue)))
    follow_up_all(catalogue)
    assert len(found(now, "contact", "acme")) == 5
    assert pending(catalogue) == {}


def test_work_for_a_revision_that_is_no_more_is_left_to_the_next(tenant, catalogue, monkeypatch):
    insert(tenant, "account", name="Acme")
    monkeypatch.setattr(refill, "refill", lambda *_: (_ for _ in ()).throw(RevisionChanged))
    change(catalogue, tenant, SAMPLE.replace("vip: {type: boolean}", "vip: {type: text, search: true}"))
    assert pending(catalogue) == {tenant.slug: 1}


def test_a_changed_formula_beneath_a_rollup_is_followed(tenant, catalogue):
    acme = insert(tenant, "account", name="Acme")
    for name in ("a", "b"):
        insert(tenant, "contact", name=name, account=acme)
    text = SAMPLE.replace("born: {type: date}", "born: {type: date}\n  worth: {type: integer, formula: 10}")
    summed = "vip: {type: boolean}\n  sum: {type: integer, rollup: sum(contacts.worth)}"
    text = text.replace("vip: {type: boolean}", summed)
    first = change(catalogue, tenant, text)
    assert dict(run(first, "SELECT id, sum FROM account")) == {acme: 20}
    second = change(catalogue, first, text.replace("formula: 10", "formula: 11"))
    assert dict(run(second, "SELECT id, sum FROM account")) == {acme: 22}
