"""Pickers whose choice hangs on another: what the filter asks holds after that other has changed, too."""

from __future__ import annotations

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store

YAML = """
entity: user
title: name
fields: {name: {type: text}}
---
entity: account
title: name
fields: {name: {type: text, required: true}}
---
entity: contact
title: name
fields:
  name: {type: text, required: true}
  secret: {type: boolean, default: false}
  account: {type: link, to: account, inverse: contacts}
---
entity: deal
title: name
fields:
  name: {type: text, required: true}
  account: {type: link, to: account, inverse: deals}
  contact: {type: link, to: contact, filter: account == this.account}
  people: {type: links, to: contact, filter: account == this.account, inverse: deals}
---
role: clerk
grants:
  "*": {read: all, create: true, update: all}
  contact: {read: not secret}
allow: [bulk-edit]
"""


@pytest.fixture(scope="module")
def tenant(catalogue):
    yield catalogue.create("records-cascading", layers_of(YAML, "records-cascading"), "test")
    catalogue.drop("records-cascading")


@pytest.fixture
def clerk(tenant):
    return Store(tenant, Principal(Reader(), roles=frozenset({"clerk"})))


@pytest.fixture
def world(tenant):
    store = Store(tenant, Principal.system(Reader()))
    one, two = (store.create("account", {"name": name}) for name in ("One", "Two"))
    anna = store.create("contact", {"name": "Anna", "account": one.id})
    bert = store.create("contact", {"name": "Bert", "account": two.id})
    deal = store.create("deal", {"name": "D", "account": one.id, "contact": anna.id, "people": [anna.id]})
    return store, one, two, anna, bert, deal


def test_another_account_refuses_the_contact_of_the_first(clerk, world):
    _, _, two, _, bert, deal = world
    with pytest.raises(Refused) as refused:
        clerk.update("deal", deal.id, {"account": two.id})
    assert [(f.field, f.params["title"]) for f in refused.value.faults] == [("contact", "Anna"), ("people", "Anna")]
    changed = clerk.update("deal", deal.id, {"account": two.id, "contact": bert.id, "people": []})
    assert changed["contact"] == Ref("contact", bert.id)


def test_many_at_once_and_imports_are_held_to_it(clerk, world):
    _, _, two, _, _, deal = world
    for means in ("bulk", "import"):
        [outcome] = clerk.update_many("deal", [(deal.id, {"account": two.id})], means=means)
        assert outcome.status == "refused"


def test_what_fitted_once_stays_while_nothing_of_it_changes(clerk, world):
    store, _, two, anna, _, deal = world
    store.update("contact", anna.id, {"account": two.id})
    assert clerk.update("deal", deal.id, {"name": "E"})["name"] == "E"


def test_a_contact_that_one_may_not_read_is_not_named(clerk, world):
    store, _, two, anna, _, deal = world
    store.update("contact", anna.id, {"secret": True})
    with pytest.raises(Refused) as refused:
        clerk.update("deal", deal.id, {"account": two.id})
    assert {f.params["title"] for f in refused.value.faults} == {""}


def test_the_open_form_says_what_does_not_fit_any_more(clerk, world):
    _, _, two, anna, _, deal = world
    typed = {"account": str(two.id), "contact": str(anna.id), "people": [str(anna.id)]}
    state = clerk.evaluate_form("deal", typed, deal.id)
    assert state.fields["contact"].unfit == (str(anna.id),)
    assert state.fields["people"].unfit == (str(anna.id),)
    assert clerk.evaluate_form("deal", typed).fields["contact"].unfit == (str(anna.id),)
    assert state.fields["name"].unfit == ()
