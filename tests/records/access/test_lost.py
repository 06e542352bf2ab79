"""What a change feed tells of records that have left somebody's sight: theirs of before, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.reading.lost import lost
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue

CRM = """
entity: user
title: name
fields: {name: {type: text, required: true}}
---
entity: region
title: name
fields:
  name:  {type: text, required: true}
  owner: {type: user, role: owner}
---
entity: person
title: name
fields: {name: {type: text, required: true}, email: {type: email, personal: true}}
---
entity: deal
title: name
fields:
  name:   {type: text, required: true}
  owner:  {type: user, role: owner}
  size:   {type: integer}
  due:    {type: date}
  open:   {type: boolean, default: true}
  helper: {type: links, to: user, inverse: helps}
  region: {type: link, to: region, inverse: deals}
  secret: {type: integer, audit: false}
---
role: rep
grants: {deal: {read: 'owner == me or me in helper', where: open}}
---
role: small
grants: {deal: {read: size < 10 and due < date("2026-06-01")}}
---
role: regional
grants: {deal: {read: region.owner == me}}
---
role: sealed
grants: {deal: {read: secret < 10}}
---
role: desk
grants: {person: {read: all}}
"""


@pytest.fixture(scope="module")
def system(catalogue: Catalogue) -> Iterator[Store]:
    yield Store(catalogue.create("records-lost", layers_of(CRM, "records-lost"), "test"), Principal.system(Reader()))
    catalogue.drop("records-lost")


def door(system: Store, role: str) -> Store:
    """Somebody with one role."""
    me = system.create("user", {"name": role})
    reader = Reader(me=me.ref, roles=frozenset({role}))
    return Store(system.tenant, Principal(reader, id=me.id, name=role, roles=frozenset({role})))


def told(store: Store, entity: str = "deal") -> list[UUID]:
    """What is told of the last day, to the end."""
    with store.transaction():
        return lost(store.session, entity, datetime.now(UTC) - timedelta(days=1), None, None)


def changed(system: Store, before: dict[str, Any], *after: dict[str, Any]) -> UUID:
    """A deal, and its changes one after the other."""
    deal = system.create("deal", {"name": "Deal", **before})
    for values in after:
        system.update("deal", deal.id, values)
    return deal.id


def test_a_record_that_was_theirs_is_told_and_one_that_never_was_is_not(system: Store) -> None:
    rep = door(system, "rep")
    me, other = rep.principal.id, system.create("user", {"name": "Other"}).id
    moved = changed(system, {"owner": me}, {"owner": other}, {"name": "Theirs"})
    closed = changed(system, {"owner": me}, {"open": False})
    changed(system, {"owner": me}, {"name": "Still mine"})
    changed(system, {"owner": other}, {"name": "Never mine"})
    changed(system, {"owner": other, "open": False}, {"owner": me}, {"owner": other}, {"open": True})  # closed then
    assert told(rep) == [moved, closed]
    system.delete("deal", moved)
    assert set(told(rep)) == {moved, closed}


def test_values_of_every_kind_are_those_of_the_same_moment(system: Store) -> None:
    small = door(system, "small")
    grown = changed(system, {"size": 5, "due": "2026-01-01"}, {"size": 50})
    changed(system, {"size": 5, "due": "2026-12-01"}, {"due": "2026-01-01", "size": 50})  # never both
    changed(system, {"due": "2026-01-01"}, {"size": 50})  # no size is not small
    assert told(small) == [grown]


@pytest.mark.parametrize("role", ["regional", "sealed"])
def test_what_the_history_does_not_answer_is_not_told(system: Store, role: str) -> None:
    store = door(system, role)
    mine = system.create("region", {"name": "Mine", "owner": store.principal.id}).id
    changed(system, {"region": mine, "secret": 1}, {"region": None, "secret": 20, "name": "Away"})
    assert told(store) == []


def test_a_value_from_before_the_field_had_another_type_is_no_answer(system: Store) -> None:
    small = door(system, "small")
    deal = changed(system, {"size": 50, "due": "2026-01-01"})
    entry = {"entity": "deal", "record": deal, "kind": "update", "means": "page", "changes": [["size", "large", "50"]]}
    with system.tenant.begin() as connection:
        connection.execute(sa.insert(system.tenant.tables.platform.history).values(entry))
    assert told(small) == []
    assert small.count("deal").n == 0  # and the transaction goes on


def test_whose_data_is_restricted_is_told(system: Store) -> None:
    desk = door(system, "desk")
    person = system.create("person", {"name": "Pia"}).id
    assert told(desk, "person") == []
    table = system.tenant.tables.platform.privacy
    with system.tenant.begin() as connection:
        connection.execute(sa.insert(table).values(entity="person", record=person, state="restricted"))
    assert told(desk, "person") == [person]
