"""A conversion where rules look for duplicates, also in the entity that is converted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.tenant import Tenant

CRM = """
entity: lead
title: name
fields:
  name:  {type: text, required: true}
  email: {type: email}
---
entity: contact
title: name
fields:
  name:  {type: text, required: true}
  email: {type: email}
dedupe:
  same-mail:  {match: [email], action: block}
  known-lead: {match: [email], action: block, against: lead}
---
convert: lead
into:
  contact: {match: [name], set: {name: =name, email: =email}}
"""


@pytest.fixture
def store(make_tenant: Callable[..., Tenant]) -> Store:
    return Store(make_tenant(CRM), Principal.system(Reader()))


def test_a_record_is_no_duplicate_of_what_it_becomes(store: Store) -> None:
    lead = store.create("lead", {"name": "Ada", "email": "ada@acme.example"})
    with pytest.raises(Refused):  # anybody else is kept out
        store.create("contact", {"name": "Somebody", "email": "ada@acme.example"})
    done = store.convert("lead", lead.id, {})
    assert store.read("contact", done.became["contact"].id)["email"] == "ada@acme.example"


def test_what_a_rule_finds_is_proposed_and_a_new_one_is_refused_with_its_name(store: Store) -> None:
    there = store.create("contact", {"name": "Countess", "email": "ada@acme.example"})
    lead = store.create("lead", {"name": "Ada", "email": "ADA@acme.example"})
    [proposal] = store.propose("lead", lead.id)
    assert [(m.ref and m.ref.id, m.on) for m in proposal.matches] == [(there.id, ("email",))]
    with pytest.raises(Refused) as refused:
        store.convert("lead", lead.id, {})
    [fault] = refused.value.faults
    assert (fault.field, fault.code, fault.params["title"]) == ("contact.email", "duplicate", "Countess")
    assert store.convert("lead", lead.id, {"contact": {"existing": there.id}}).became["contact"].id == there.id


def test_another_lead_that_looks_like_it_stands_in_the_way_by_name(store: Store) -> None:
    store.create("lead", {"name": "Twin", "email": "ada@acme.example"})
    lead = store.create("lead", {"name": "Ada", "email": "ada@acme.example"})
    with pytest.raises(Refused) as refused:
        store.convert("lead", lead.id, {})
    assert [f.params["title"] for f in refused.value.faults] == ["Twin"]
    assert store.read("lead", lead.id)["converted_at"] is None
