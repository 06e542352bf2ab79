"""Workflows inside saves: what they set and refuse, whoever writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.conftest import layers_of

import trellis.automation.workflows.before  # noqa: F401 (takes part in every save)
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

YAML = """
entity: account
title: name
fields:
  name: {type: text, required: true}
  code: {type: text, unique: true}
  frozen: {type: boolean}
---
entity: deal
title: name
fields:
  name: {type: text, required: true}
  account: {type: link, to: account, inverse: deals}
  amount: {type: money}
  hint: {type: text, stored: false}
  size: {type: choice, choices: [small, large]}
  note: {type: text}
  rival: {type: link, to: account}
  total: {type: money, rollup: sum(lines.price)}
---
entity: deal_line
part_of: deal
fields:
  what: {type: text}
  price: {type: money}
---
pipeline: sales
entity: deal
stages: {open: {}, proposal: {require: [amount]}, won: {type: won}}
---
workflow: sizes
on: {before: deal}
steps:
  - if: amount > 1000 or total > 1000
    then: [{set: {size: large}}]
    else: [{set: {size: small, note: "small, {name}"}}]
---
workflow: second
order: 200
on: {before: deal, changed: [amount]}
steps:
  - {set: {note: '=note & "!"'}}
---
workflow: rivals
on: {before: deal, created: true}
when: not is_blank(hint)
steps:
  - find: account
    where: code == this.hint
    as: known
  - {stop: nobody, when: is_blank(known)}
  - {set: {rival: =known}}
---
workflow: named
on: {before: deal, created: true}
when: name == "Rivalled"
steps: [{set: {rival: ACME}}]
---
workflow: frozen
on: {before: deal}
when: account.frozen
steps:
  - refuse: "{account.name} is frozen."
    field: account
---
workflow: moved
on: {before: deal, changed: [size]}
when: 'size == "large" and note == "go"'
steps: [{set: {stage: proposal}}]
---
workflow: kept
on: {before: account, deleted: true}
when: any(deals)
steps: [{refuse: "There are deals with {name}."}]
---
workflow: lines
on: {before: deal_line}
steps: [{set: {what: =upper(what)}}]
---
workflow: through
on: {before: account, changed: [name]}
steps:
  - each: =deals
    filter: amount > 5
    steps: [{refuse: "{item.name} is at work."}]
"""


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("before", layers_of(YAML, "before"), "test")
    catalogue.drop("before")


@pytest.fixture
def store(tenant: Tenant) -> Store:
    return Store(tenant, Principal.system(Reader(currency="EUR")))


def euros(amount: int) -> dict[str, object]:
    return {"amount": amount, "currency": "EUR"}


def test_a_workflow_sets_fields_before_a_save(store: Store) -> None:
    small = store.create("deal", {"name": "Pilot", "amount": euros(10)})
    assert (small["size"], small["note"]) == ("small", "small, Pilot")
    large = store.update("deal", small.id, {"amount": euros(2000)})
    assert (large["size"], large["note"]) == ("large", "small, Pilot!")


def test_it_sees_lines_as_they_are_about_to_be(store: Store) -> None:
    deal = store.create("deal", {"name": "Lines", "lines": [{"what": "a", "price": euros(1500)}]})
    assert deal["size"] == "large"
    [line] = store.lines("deal", deal.id, "lines")
    assert line["what"] == "A"


def test_workflows_run_in_their_order_and_only_for_what_has_changed(store: Store) -> None:
    deal = store.create("deal", {"name": "Order", "amount": euros(1)})
    assert deal["note"] == "small, Order"
    deal = store.update("deal", deal.id, {"amount": euros(2)})
    assert deal["note"] == "small, Order!"
    deal = store.update("deal", deal.id, {"name": "Other"})
    assert deal["note"] == "small, Other"


def test_a_save_that_changes_nothing_stays_one(store: Store) -> None:
    deal = store.create("deal", {"name": "Same", "amount": euros(1)})
    assert store.update("deal", deal.id, {"name": "Same"}).version == deal.version


def test_what_is_not_stored_is_read_and_a_record_is_found(store: Store) -> None:
    rival = store.create("account", {"name": "Rival", "code": "R-1"})
    deal = store.create("deal", {"name": "Hinted", "hint": "R-1"})
    assert deal["rival"] == rival.ref
    assert store.create("deal", {"name": "Unknown", "hint": "R-2"})["rival"] is None


def test_a_text_names_a_record_by_its_key(store: Store) -> None:
    acme = store.create("account", {"name": "Acme", "code": "ACME"})
    assert store.create("deal", {"name": "Rivalled"})["rival"] == acme.ref


@pytest.mark.parametrize(
    "write",
    [
        lambda s, a: s.create("deal", {"name": "No", "account": a}),
        lambda s, a: s.create("deal", {"name": "No", "account": a}, means="api"),
        lambda s, a: raise_first(s.create_many("deal", [{"name": "No", "account": a}], means="import")),
        lambda s, a: raise_first(
            s.update_many("deal", [(s.create("deal", {"name": "Yes"}).id, {"account": a})], means="bulk")
        ),
    ],
    ids=["page", "api", "import", "bulk"],
)
def test_a_refusal_names_its_field_for_every_writer(store: Store, write: Callable[..., None]) -> None:
    cold = store.create("account", {"name": "Cold", "frozen": True})
    with pytest.raises(Refused, match="account: Cold is frozen") as refused:
        write(store, cold.ref)
    assert refused.value.faults[0].field == "account"


def raise_first(outcomes: list[object]) -> None:
    raise Refused(outcomes[0].faults)  # type: ignore[attr-defined]


def test_a_stage_that_is_set_asks_for_what_the_stage_requires(store: Store) -> None:
    deal = store.create("deal", {"name": "Go"})
    moved = store.update("deal", deal.id, {"amount": euros(3000), "note": "go"})
    assert (moved["stage"], moved["note"]) == ("proposal", "go!")
    deal = store.create("deal", {"name": "Stay"})
    with pytest.raises(Refused, match="amount"):
        store.update("deal", deal.id, {"note": "go", "lines": [{"what": "a", "price": euros(1500)}]})


def test_a_deletion_is_refused(store: Store) -> None:
    account = store.create("account", {"name": "Held"})
    store.create("deal", {"name": "It", "account": account.ref})
    with pytest.raises(Refused, match="There are deals with Held"):
        store.delete("account", account.id)
    store.delete("account", store.create("account", {"name": "Free"}).id)


def test_each_goes_through_a_list(store: Store) -> None:
    account = store.create("account", {"name": "Busy"})
    store.create("deal", {"name": "Tiny", "account": account.ref, "amount": euros(1)})
    account = store.update("account", account.id, {"name": "Busy 2"})
    store.create("deal", {"name": "Big", "account": account.ref, "amount": euros(9)})
    with pytest.raises(Refused, match="Big is at work"):
        store.update("account", account.id, {"name": "Busy 3"})
