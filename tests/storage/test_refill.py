"""Roll-ups that a configuration brings are there for old records, too."""

from __future__ import annotations

from tests.conftest import SAMPLE
from tests.storage.test_plan import change, insert, run

import trellis.identity  # noqa: F401 - registers what follows an apply


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
