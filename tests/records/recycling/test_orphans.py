"""Coming out of the bin while what is linked to is still in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

FARM = """
entity: user
title: name
fields: {name: {type: text, required: true}}
---
entity: farm
title: name
fields: {name: {type: text, required: true}, part_of_farm: {type: link, to: farm, inverse: below, on_delete: clear}}
---
entity: field_
title: name
fields:
  name: {type: text, required: true}
  farm: {type: link, to: farm, inverse: fields_, on_delete: cascade}
  seller: {type: link, to: farm, inverse: sold, on_delete: clear}
---
entity: sowing
part_of: field_
title: what
fields: {what: {type: text, required: true}}
---
entity: lease
title: name
fields: {name: {type: text, required: true}, farm: {type: link, to: farm, inverse: leases, on_delete: restrict}}
---
entity: memo
title: text
fields:
  text: {type: text, required: true}
  about: {type: any_link, to: [farm, lease], inverse: memos, on_delete: clear}
---
role: all
grants: {"*": {read: all, create: true, update: all, delete: all, restore: all}}
---
role: blind
grants: {"lease": {read: all, update: all, delete: all, restore: all}}
"""


@pytest.fixture(scope="module")
def land(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("records-orphans", layers_of(FARM, "records-orphans"), "test")
    catalogue.drop("records-orphans")


@pytest.fixture
def store(land: Tenant) -> Store:
    return Store(land, Principal.system(Reader()))


@pytest.fixture
def farm(store):
    return store.create("farm", {"name": "Elm Farm"})


def test_a_link_that_clears_is_blank_when_its_target_stays_in_the_bin(store, farm):
    field = store.create("field_", {"name": "South", "seller": farm.id})
    store.delete("field_", field.id)
    store.delete("farm", farm.id)
    store.restore("field_", field.id)
    assert store.read("field_", field.id)["seller"] is None
    change = store.history("field_", field.id)[0]
    assert (change.kind, change.changes[0].field, change.changes[0].old.title) == ("update", "seller", "Elm Farm")


def test_a_link_to_one_of_several_kinds_is_blank_too(store, farm):
    memo = store.create("memo", {"text": "call", "about": Ref("farm", farm.id)})
    store.delete("memo", memo.id)
    store.delete("farm", farm.id)
    store.restore("memo", memo.id)
    assert store.read("memo", memo.id)["about"] is None


def test_what_would_have_gone_along_does_not_come_back_without_it(land, store, farm):
    field = store.create("field_", {"name": "North", "farm": farm.id})
    store.delete("field_", field.id)
    Store(land, Principal.system(Reader())).delete("farm", farm.id)  # at another moment: they did not go together
    with pytest.raises(Refused, match="Elm Farm") as refused:
        store.restore("field_", field.id)
    assert [(f.code, f.field) for f in refused.value.faults] == [("restrict", "farm")]
    store.restore("farm", farm.id)
    store.restore("field_", field.id)
    assert store.read("field_", field.id)["farm"].id == farm.id


def undone_import(store):
    """A farm and its lease that lie in the bin together, which only an undoing brings about."""
    with store.batch("import", "farm") as batch:
        farm = store.create("farm", {"name": "Oak Farm"})
        lease = store.create("lease", {"name": "L1", "farm": farm.id})
    store.undo(batch.id)
    return farm, lease


def test_what_would_have_held_it_says_what_has_to_come_back_first(store):
    farm, lease = undone_import(store)
    with pytest.raises(Refused, match="Oak Farm"):
        store.restore("lease", lease.id)
    store.restore("farm", farm.id)
    store.restore("lease", lease.id)
    assert store.read("lease", lease.id)["farm"].title == "Oak Farm"


def test_a_name_that_one_may_not_know_is_not_told(land, store):
    _farm, lease = undone_import(store)
    user = store.create("user", {"name": "Bo"})
    reader = Reader(me=Ref("user", user.id, "Bo"), roles=frozenset({"blind"}))
    with pytest.raises(Refused, match="recycle bin") as refused:
        Store(land, Principal(reader, id=user.id, roles=frozenset({"blind"}))).restore("lease", lease.id)
    assert "Oak" not in str(refused.value.faults)


def test_what_went_along_is_counted(store, farm):
    for n in range(2):
        store.create("field_", {"name": f"F{n}", "farm": farm.id, "lines": [{"what": "rye"}]})
    store.delete("farm", farm.id)
    assert store.restore("farm", farm.id) == {"field_": 2, "sowing": 2}


def test_many_come_back_each_after_what_it_links_to(store):
    top = store.create("farm", {"name": "Top"})
    below = store.create("farm", {"name": "Below", "part_of_farm": top.id})
    store.delete("farm", below.id)
    store.delete("farm", top.id)
    outcomes = store.restore_many("farm", [below.id, top.id])
    assert [o.status for o in outcomes] == ["restored", "restored"]
    assert store.read("farm", below.id)["part_of_farm"].id == top.id


def test_a_bulk_restore_is_undone_and_done_again_with_its_links(store):
    top = store.create("farm", {"name": "Up"})
    below = store.create("farm", {"name": "Down", "part_of_farm": top.id})
    store.delete_many("farm", [below.id, top.id])
    [batch] = store.batches(limit=1)
    assert store.undo(batch.id).counts == {"restored": 2}
    assert store.read("farm", below.id)["part_of_farm"].id == top.id


def test_a_link_to_a_merged_record_follows_the_merge(store, farm):
    twin = store.create("farm", {"name": "Elm farm"})
    lease = store.create("lease", {"name": "L2", "farm": twin.id})
    store.delete("lease", lease.id)
    store.merge("farm", farm.id, [twin.id])
    store.restore("lease", lease.id)
    assert store.read("lease", lease.id)["farm"].id == farm.id
