"""What a file tells over links: columns of linked records, and what a many-to-many keeps with its links."""

from __future__ import annotations

import io

import pytest

from trellis.records.reading.pointing import link_values
from trellis.records.transfer import export_csv, import_table, read_table

COLUMNS = ["id", "name", "account", "account.city", "contacts", "contacts.part"]


@pytest.fixture
def deal(system):
    account = system.create("account", {"name": "Acme", "city": "Kiel"})
    people = [system.create("contact", {"name": name}) for name in ("Anna", "Bert")]
    given = [{"id": people[0].id, "part": "buyer"}, people[1].id]
    return system.create("deal", {"name": "Pilot", "account": account.id, "contacts": given}), people


def exported(store, *, labels=False):
    out = io.StringIO()
    export_csv(store, "deal", out, columns=COLUMNS, labels=labels)
    return out.getvalue()


def test_columns_over_links_and_what_links_keep_are_exported(system, deal):
    head, row = exported(system).splitlines()
    assert head == ",".join(COLUMNS)
    cells = row.split(",")
    assert [*cells[1:4], cells[-1]] == ["Pilot", "Acme", "Kiel", "buyer; "]


@pytest.mark.parametrize("labels", [False, True])
def test_importing_the_same_again_changes_nothing(system, deal, labels):
    made, _ = deal
    summary = import_table(system, "deal", read_table(exported(system, labels=labels).encode()))
    assert (summary.counts["skipped"], summary.counts["failed"], summary.counts["updated"]) == (1, 0, 0)
    assert system.read("deal", made.id).version == made.version


def test_what_links_keep_is_imported(system, deal):
    made, people = deal
    text = exported(system).replace("buyer; ", "user; buyer").replace("Kiel", "elsewhere")
    summary = import_table(system, "deal", read_table(text.encode()))
    assert summary.counts["updated"] == 1
    kept = link_values(system, "deal", "contacts", made.ref, [p.id for p in people], from_owner=True)
    assert [kept[p.id]["part"] for p in people] == ["user", "buyer"]
    assert system.read("deal", made.id)["industry"] == "Kiel"  # the account's own city stays


def test_what_one_may_not_see_is_not_exported_over_a_link(system, person, deal, monkeypatch):
    monkeypatch.setattr("trellis.records.transfer.exporter.require_export", lambda store, entity: None)
    for role, wanted in (("manager", "name,account.margin,account.city"), ("rep", "name,account.city")):
        out = io.StringIO()
        columns = ["name", "account.margin", "account.nonsense", "account.city"]
        export_csv(person(role.title(), role), "deal", out, columns=columns)
        assert out.getvalue().splitlines()[0] in (wanted, f"id,{wanted}")
