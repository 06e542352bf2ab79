"""A phone number is found in whatever way it is typed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.records.deriving import drift
from trellis.records.principal import Principal
from trellis.records.store import Store

YAML = """
entity: person_
label: Person
title: name
fields:
  name: {type: text, required: true, search: true}
  phone: {type: phone, search: true}
  others: {type: phone, multiple: true, kinds: [work, home], search: true}
  number: {type: text, search: true}
  running: {type: sequence, mask: "T-{000000}", start: 35, search: true}
"""


@pytest.fixture(scope="module")
def store(catalogue):
    tenant = catalogue.create("records-phones", layers_of(YAML, "records-phones"), "test")
    store = Store(tenant, Principal.system(Reader(region="DE")))
    store.create("person_", {"name": "Anna", "phone": "0170 300-0001", "others": ["+86 139 1234 5678"]})
    store.create("person_", {"name": "Bert", "phone": "+1 212 555 0123 ext. 42", "number": "2026-00042"})
    yield store
    catalogue.drop("records-phones")


@pytest.mark.parametrize(
    "typed",
    [
        "+491703000001",
        "+49 170 3000001",
        "0170/3000001",
        "0170 300 00 01",
        "0049 170 3000001",
        "170 3000001",
        "0170 300",
        "0001",
        "3000001",
    ],
)
def test_in_every_format(store, typed):
    assert [r.title for r in store.list("person_", columns=["name"], q=typed).rows] == ["Anna"]
    assert [c.title for c in store.pick("person_", typed)] == ["Anna"]


def test_of_another_country_and_among_several(store):
    for typed in ("139 1234 5678", "13912345678", "+86 139-1234-5678"):
        assert [r.title for r in store.list("person_", columns=["name"], q=typed).rows] == ["Anna"]
    assert [r.title for r in store.list("person_", columns=["name"], q="(212) 555-0123").rows] == ["Bert"]


def test_what_only_looks_like_a_number_is_found_as_before(store):
    for typed in ("2026-00042", "T-000036", "T-36", "36"):
        assert [r.title for r in store.list("person_", columns=["name"], q=typed).rows] == ["Bert"]


def test_what_was_typed_and_the_extension_stay(store):
    [bert] = store.list("person_", columns=["phone"], where=['name == "Bert"']).rows
    assert bert["phone"] == "+12125550123;ext=42"
    assert bert["phone"].raw == "+1 212 555 0123 ext. 42"


def test_what_was_saved_before_is_found_once_it_is_mended(store):
    tenant, reader = store.tenant, store.principal.reader
    made = store.create("person_", {"name": "Cora", "phone": "0170 300-0009"})
    table = store.session.table("person_")
    with store.session.write("person_"):
        old = sa.func.to_tsvector("simple", "Cora +491703000009")
        store.session.execute(sa.update(table).where(table.c.id == made.id).values(search=old))
    assert store.list("person_", columns=["name"], q="0170 3000009").rows == []
    found = drift.find(tenant, reader)
    assert [(d.field, d.ids) for d in found] == [("search", (made.id,))]
    drift.mend(tenant, reader, found)
    assert [r.id for r in store.list("person_", columns=["name"], q="0170 3000009").rows] == [made.id]
