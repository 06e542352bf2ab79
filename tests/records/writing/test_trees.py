"""Trees: nothing stands above itself, whoever writes and at what moment; what one sees of the way up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trellis.formula.errors import FormulaError
from trellis.formula.formula import compile_formula
from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.graph import StoreGraph
from trellis.records.principal import Principal
from trellis.records.reading.scope import ReaderScope
from trellis.records.refusal import Refused
from trellis.records.store import Store

YAML = """
entity: user
title: name
fields: {name: {type: text}}
---
entity: region
title: name
fields:
  name: {type: text, required: true, search: true}
  shut: {type: boolean, default: false}
  parent: {type: link, to: region, tree: true, inverse: children, on_delete: clear}
---
entity: shop
title: name
fields:
  name: {type: text, required: true}
  region: {type: link, to: region, inverse: shops}
  owner: {type: user}
---
role: clerk
grants:
  "*": {read: all, create: true, update: all}
  region: {read: not shut, update: all}
"""


@pytest.fixture(scope="module")
def tenant(catalogue):
    from tests.conftest import layers_of

    yield catalogue.create("records-trees", layers_of(YAML, "records-trees"), "test")
    catalogue.drop("records-trees")


@pytest.fixture
def store(tenant):
    return Store(tenant, Principal.system(Reader()))


def chain(store, *names):
    """Regions, each below the one before."""
    made = []
    for name in names:
        made.append(store.create("region", {"name": name, "parent": made[-1].id if made else None}))
    return made


def test_a_record_is_not_above_itself(store):
    [top] = chain(store, "North")
    with pytest.raises(Refused, match="above itself"):
        store.update("region", top.id, {"parent": top.id})


def test_a_record_does_not_go_below_what_is_below_it(store):
    top, middle, low = chain(store, "North", "Hamburg", "Altona")
    with pytest.raises(Refused, match="Altona") as refused:
        store.update("region", top.id, {"parent": low.id})
    assert refused.value.faults[0].field == "parent"
    assert store.read("region", top.id)["parent"] is None
    store.update("region", low.id, {"parent": top.id})
    assert store.read("region", low.id)["parent"] == Ref("region", top.id)
    assert middle.id != low.id


def test_the_list_on_the_other_side_makes_no_ring_either(store):
    top, low = chain(store, "North", "Kiel")
    with pytest.raises(Refused, match="above it"):
        store.link("region", low.id, "children", top.id)


def test_a_batch_that_would_make_a_ring_loses_the_row_that_closes_it(store):
    a, b = (store.create("region", {"name": name}) for name in "ab")
    outcomes = store.update_many("region", [(a.id, {"parent": b.id}), (b.id, {"parent": a.id})])
    assert sorted(o.status for o in outcomes) == ["refused", "updated"]


def test_two_moves_at_the_same_moment_make_no_ring(tenant, store):
    for _ in range(5):
        a, b = (store.create("region", {"name": name}) for name in "ab")
        start = Barrier(2)

        def move(which, below, start=start):
            own = Store(tenant, Principal.system(Reader()))
            start.wait()
            try:
                own.update("region", which, {"parent": below})
            except Refused:
                return "refused"
            return "moved"

        with ThreadPoolExecutor(2) as pool:
            done = [pool.submit(move, a.id, b.id), pool.submit(move, b.id, a.id)]
            assert sorted(f.result(timeout=20) for f in done) == ["moved", "refused"]


@given(moves=st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 5)), min_size=1, max_size=12))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_row_of_moves_makes_a_ring(store, moves):
    regions = [store.create("region", {"name": str(n)}).id for n in range(6)]
    parents = dict.fromkeys(range(6))

    def above(n):
        while (n := parents[n]) is not None:
            yield n

    for which, below in moves:
        target = None if below < 0 else below
        wrong = target is not None and (target == which or which in above(target))
        try:
            store.update("region", regions[which], {"parent": None if target is None else regions[target]})
        except Refused:
            assert wrong
        else:
            assert not wrong
            parents[which] = target


def test_the_way_up_ends_at_what_one_may_not_read(tenant, store):
    top, middle, low, _ = chain(store, "World", "Closed", "Kiel", "Gaarden")
    store.update("region", middle.id, {"shut": True})
    clerk = Store(tenant, Principal(Reader(), roles=frozenset({"clerk"})))
    [leaf] = store.list("region", columns=["name"], where=['name == "Gaarden"']).rows
    assert [ref.title for ref in store.breadcrumbs("region", leaf.id)] == ["World", "Closed", "Kiel"]
    assert [ref.title for ref in clerk.breadcrumbs("region", leaf.id)] == ["Kiel"]
    assert clerk.breadcrumbs("shop", clerk.create("shop", {"name": "Hut"}).id) == []
    assert (top.id, low.id) != (None, None)


def test_a_filter_takes_what_is_below_a_record(store):
    north, hamburg, altona = chain(store, "North", "Hamburg", "Altona")
    [south] = chain(store, "South")
    shops = {r.title: store.create("shop", {"name": r.title, "region": r.id}) for r in (north, hamburg, altona, south)}

    def found(top):
        ids = [s.id for s in shops.values()]
        rows = store.list("shop", columns=["name"], where=[f'in_tree(region, "{top}")']).rows
        return sorted(r.title for r in rows if r.id in ids)

    assert found(north.id) == ["Altona", "Hamburg", "North"]
    assert found(hamburg.id) == ["Altona", "Hamburg"]
    assert found(south.id) == ["South"]
    assert found("nonsense") == []
    below = {r.title for r in store.list("region", columns=["name"], where=[f'in_tree(parent, "{north.id}")']).rows}
    assert below == {"Hamburg", "Altona"}


def test_python_and_sql_agree_about_what_is_below(store):
    regions = chain(store, "A", "B", "C")
    shop = store.create("shop", {"name": "s", "region": regions[1].id})
    for top in regions:
        in_sql = store.count("shop", where=[f'id == "{shop.id}" and in_tree(region, "{top.id}")']).n == 1
        rule = compile_formula(f'in_tree(region, "{top.id}")', ReaderScope(store.tenant.model, "shop"))
        with store.transaction():
            record = StoreGraph(store.session).follow(shop.ref)
            assert rule.evaluate(record.env()) is in_sql is (top is not regions[2])


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ('in_tree(owner, "x")', "no tree"),
        ('in_tree(name, "x")', "takes a link"),
        ("in_tree(region, name)", "same for every record"),
        ("in_tree(region)", "in_tree"),
    ],
)
def test_what_makes_no_sense_is_told(store, formula, said):
    with pytest.raises(FormulaError, match=said):
        compile_formula(formula, ReaderScope(store.tenant.model, "shop"))


def test_a_picker_offers_them_below_each_other(store):
    top, _middle, _low = chain(store, "Far top", "Aisle", "Shelf")
    store.create("region", {"name": "Basket", "parent": top.id})
    offered = [(c.title, c.depth) for c in store.pick("region", "")]
    at = offered.index(("Far top", 0))
    assert offered[at : at + 4] == [("Far top", 0), ("Aisle", 1), ("Shelf", 2), ("Basket", 1)]
    assert [(c.title, c.depth) for c in store.pick("region", "shelf")] == [("Shelf", 0)]
