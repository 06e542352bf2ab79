"""`readonly_when`: judged on the record as stored, shown as it stands in the form."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store

LOAN = """
entity: loan
fields:
  rate:    {type: percent, readonly_when: closed}
  what:    {type: text}
  closed:  {type: boolean}
  paid_on: {type: date}
  settled: {type: boolean, readonly_when: is_blank(paid_on)}
  bonus:   {type: integer, readonly_when: 'not has_role("boss")'}
  kind:    {type: choice, choices: [short, long], readonly_when: closed}
---
role: clerk
grants: {"*": {read: all, create: true, update: all}}
---
role: boss
grants: {"*": {read: all, create: true, update: all}}
"""


@pytest.fixture
def door(same_tenant: Any) -> Callable[[str], Store]:
    tenant = same_tenant(LOAN)

    def open_for(role: str) -> Store:
        return Store(tenant, Principal(Reader(roles=frozenset({role})), roles=frozenset({role})))

    return open_for


def refused(run: Callable[[], object]) -> set[str | None]:
    with pytest.raises(Refused) as caught:
        run()
    return {f.field for f in caught.value.faults if f.code in ("readonly", "forbidden_field", "field")}


@pytest.mark.parametrize("order", [("closed", "rate", "kind"), ("kind", "rate", "closed")])
def test_first_values_may_be_given_in_any_order(door, order) -> None:
    given = {"closed": True, "rate": 3, "kind": "long"}
    loan = door("clerk").create("loan", {name: given[name] for name in order})
    assert (loan["rate"], loan["kind"], loan["closed"]) == (Decimal(3), "long", True)


def test_a_new_record_is_closed_where_nothing_of_its_own_opens_it(door) -> None:
    clerk = door("clerk")
    assert clerk.create("loan", {"settled": True, "paid_on": "2026-01-02"})["settled"] is True
    assert clerk.create("loan", {"paid_on": "2026-01-02", "settled": True})["settled"] is True
    assert refused(lambda: clerk.create("loan", {"settled": True})) == {"settled"}
    assert refused(lambda: clerk.create("loan", {"bonus": 5})) == {"bonus"}
    assert door("boss").create("loan", {"bonus": 5})["bonus"] == 5


def test_a_change_is_judged_on_what_is_stored(door) -> None:
    clerk = door("clerk")
    loan = clerk.create("loan", {"rate": 3})
    loan = clerk.update("loan", loan.id, {"rate": 4, "closed": True})
    assert loan["rate"] == 4
    assert refused(lambda: clerk.update("loan", loan.id, {"closed": False, "rate": 5})) == {"rate"}


def test_a_form_shows_what_stands_in_it_and_knows_what_a_save_would_refuse(door) -> None:
    clerk = door("clerk")
    new = clerk.evaluate_form("loan", {"closed": True}).fields
    assert (new["rate"].readonly, new["rate"].closed) == (True, False)
    assert (new["settled"].readonly, new["settled"].closed) == (True, True)
    loan = clerk.create("loan", {"closed": True})
    opened = clerk.evaluate_form("loan", {"closed": False}, loan.id).fields["rate"]
    assert (opened.readonly, opened.closed) == (True, True)


def test_what_others_changed_and_closed_is_no_change_of_who_left_it_alone(door: Callable[[str], Store]) -> None:
    store = door("clerk")
    loan = store.create("loan", {"rate": "3", "what": "car", "closed": False})
    store.update("loan", loan.id, {"rate": "4", "closed": True})
    form = {"rate": "3", "what": "boat", "closed": False}
    saved = store.update("loan", loan.id, form, version=loan.version, merges=True)
    assert (saved["rate"], saved["what"], saved["closed"]) == (Decimal(4), "boat", True)
