from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.refusal import Missing
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue

PROFILE = "bin: {purge_after: 30 days}\n"
CRM = """
entity: user
title: name
fields: {name: {type: text, required: true}, email: {type: email, unique: true}, active: {type: boolean, default: true}}
---
entity: paper
title: name
fields: {name: {type: text, required: true}}
---
entity: letter
title: name
bin: {purge_after: 2 days}
fields: {name: {type: text, required: true}, paper: {type: link, to: paper, inverse: letters, on_delete: restrict}}
---
entity: deed
title: name
bin: {purge_after: never}
fields: {name: {type: text, required: true}}
"""


@pytest.fixture(scope="module")
def door(catalogue: Catalogue) -> Iterator[Store]:
    tenant = catalogue.create("records-purging", layers_of(CRM, "records-purging", profile=PROFILE), "test")
    yield Store(tenant, Principal.system(Reader()))
    catalogue.drop("records-purging")


def later(door: Store, days: int) -> Store:
    reader = replace(door.principal.reader, now=door.principal.reader.now + timedelta(days=days))
    return Store(door.tenant, replace(door.principal, reader=reader))


def binned(door: Store, entity: str, **values: object) -> object:
    record = door.create(entity, {"name": "x", **values})
    door.delete(entity, record.id)
    return record.id


def test_each_entity_is_purged_at_its_own_age(door):
    paper, letter, deed = (binned(door, entity) for entity in ("paper", "letter", "deed"))
    assert later(door, 1).purge_old() == []
    [told] = later(door, 3).purge_old(dry_run=True)
    assert (told.entity, told.due, told.done) == ("letter", 1, 0)
    assert [p.entity for p in later(door, 3).purge_old()] == ["letter"]
    with pytest.raises(Missing):
        door.read("letter", letter, deleted=True)
    door.read("paper", paper, deleted=True)
    assert [p.entity for p in later(door, 31).purge_old()] == ["paper"]
    later(door, 9999).purge_old(timedelta(days=1))
    assert door.read("deed", deed, deleted=True).deleted_at is not None


def test_what_is_held_waits_for_what_holds_it(door):
    paper = door.create("paper", {"name": "held"}).id
    letter = door.create("letter", {"name": "holds", "paper": paper}).id
    table = door.tenant.tables.entity["paper"]
    with door.transaction() as connection:
        connection.execute(table.update().values(deleted_at=door.principal.reader.now).where(table.c.id == paper))
    [told] = later(door, 40).purge_old()
    assert (told.due, told.done, told.held) == (1, 0, 1)
    door.delete("letter", letter)
    told = {p.entity: p.done for p in later(door, 40).purge_old()}
    assert told == {"paper": 1, "letter": 1}
