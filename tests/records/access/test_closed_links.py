"""A links field that is closed to somebody is closed from both of its sides, with what its links keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.reading.pointing import link_values
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

CRM = """
entity: user
title: name
fields: {name: {type: text}}
---
entity: contact
title: name
fields: {name: {type: text}}
---
entity: deal
title: name
fields:
  name: {type: text}
  state: {type: choice, choices: [open, closed]}
  people:
    {type: links, to: contact, inverse: deals, columns: {part: {type: text}}, readonly_when: 'state == "closed"'}
  board: {type: links, to: contact, inverse: boards, readonly: true}
---
role: member
grants: {"*": {read: all, create: true, update: all}}
---
role: reader
grants:
  "*": {read: all, create: true, update: all}
  deal: {read: all, create: true, update: all, fields: {people: readonly}}
---
role: blind
grants:
  "*": {read: all, create: true, update: all}
  deal: {read: all, create: true, update: all, fields: {people: hidden}}
"""


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("closed-links", layers_of(CRM, "closed-links"), "test")
    catalogue.drop("closed-links")


@pytest.fixture(scope="module")
def system(tenant: Tenant) -> Store:
    return Store(tenant, Principal.system(Reader()))


def door(tenant: Tenant, role: str) -> Store:
    return Store(tenant, Principal(Reader(roles=frozenset({role})), roles=frozenset({role})))


@pytest.fixture
def made(system: Store) -> tuple[Ref, Ref, Ref]:
    """A deal, somebody in it, and somebody else."""
    inside, outside = (system.create("contact", {"name": name}).ref for name in ("In", "Out"))
    people = [{"id": inside.id, "part": "buyer"}]
    return system.create("deal", {"name": "D", "people": people, "board": [inside.id]}).ref, inside, outside


def kept(system: Store, deal: Ref, *people: Ref) -> dict[Any, Any]:
    return link_values(system, "deal", "people", deal, [ref.id for ref in people], from_owner=True)


@pytest.mark.parametrize("role", ["reader", "blind"])
def test_what_a_role_closes_is_closed_from_the_other_side(tenant: Tenant, system: Store, made: Any, role: str) -> None:
    deal, inside, outside = made
    before = kept(system, deal, inside, outside)
    for attempt in (
        lambda: door(tenant, role).link("contact", outside.id, "deals", deal.id),
        lambda: door(tenant, role).link("contact", inside.id, "deals", deal.id, {"part": "chief"}),
        lambda: door(tenant, role).unlink("contact", inside.id, "deals", deal.id),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.faults[0].code == ("unknown" if role == "blind" else "forbidden")
    assert kept(system, deal, inside, outside) == before


def test_what_links_keep_is_closed_with_them(tenant: Tenant, system: Store, made: Any) -> None:
    deal, inside, _ = made
    reader = door(tenant, "reader")
    with pytest.raises(Refused) as refused:
        reader.update("deal", deal.id, {"people": [{"id": inside.id, "part": "chief"}]})
    assert [(f.field, f.code) for f in refused.value.faults] == [("people", "forbidden")]
    reader.update("deal", deal.id, {"people": [{"id": inside.id, "part": "buyer"}], "name": "E"})  # as a form does
    assert kept(system, deal, inside)[inside.id]["part"] == "buyer"


def test_what_is_read_only_takes_no_link(tenant: Tenant, system: Store, made: Any) -> None:
    deal, inside, outside = made
    member = door(tenant, "member")
    member.link("contact", outside.id, "deals", deal.id)
    system.update("deal", deal.id, {"state": "closed"})
    for entity, id, name, target in (
        ("deal", deal, "board", outside),
        ("contact", outside, "boards", deal),
        ("deal", deal, "people", inside),
        ("contact", outside, "deals", deal),
    ):
        with pytest.raises(Refused) as refused:
            member.link(entity, id.id, name, target.id, {"part": "x"} if name in ("people", "deals") else {})
        assert refused.value.faults[0].code == "readonly"
        with pytest.raises(Refused):
            member.unlink(entity, id.id, name, target.id)
    system.link("deal", deal.id, "board", outside.id)
    assert len(system.read("deal", deal.id)["board"]) == 2
