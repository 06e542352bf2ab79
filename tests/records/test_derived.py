"""Whatever is done to parents and their children, roll-ups are what a fresh computation gives."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.records.deriving.rollups import recompute
from trellis.records.principal import Principal
from trellis.records.refusal import Missing, Refused
from trellis.records.store import Store

YAML = """
entity: group
title: name
fields:
  name: {type: text}
  total: {type: money, rollup: sum(orders.total)}
  biggest: {type: money, rollup: 'max(orders.total, kind == "big")'}
  orders_n: {type: integer, rollup: count(orders)}
  lines_n: {type: integer, rollup: sum(orders.lines_n)}
---
entity: order
title: name
fields:
  name: {type: text}
  group: {type: link, to: group, inverse: orders, on_delete: clear}
  kind: {type: choice, choices: [small, big]}
  discount: {type: percent}
  net: {type: money, rollup: sum(lines.total)}
  total: {type: money, formula: 'net * (1 - coalesce(discount, 0) / 100)'}
  lines_n: {type: integer, rollup: count(lines)}
  any_free: {type: boolean, rollup: 'any(lines, price == 0)'}
  last_name: {type: text, rollup: last(lines.name)}
  tag_sum: {type: integer, rollup: sum(tags.weight)}
  tags: {type: links, to: tag, inverse: orders}
---
entity: line
part_of: order
title: name
fields:
  name: {type: text}
  quantity: {type: integer}
  price: {type: money}
  total: {type: money, formula: quantity * price}
---
entity: tag
title: name
fields:
  name: {type: text}
  weight: {type: integer}
  uses: {type: integer, rollup: count(orders)}
"""

ROLLUPS = {
    "group": ("total", "biggest", "orders_n", "lines_n"),
    "order": ("net", "lines_n", "any_free", "last_name", "tag_sum"),
    "tag": ("uses",),
}
small = st.integers(0, 3)
lines = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abc"), "quantity": st.none() | small, "price": st.none() | small}),
    max_size=3,
)
values = st.fixed_dictionaries(
    {},
    optional={
        "group": st.none() | small,
        "kind": st.sampled_from([None, "small", "big"]),
        "discount": st.sampled_from([None, 0, 50]),
        "lines": lines,
        "tags": st.sets(st.integers(0, 1)),
    },
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), values),
        st.tuples(st.just("update"), small, values),
        st.tuples(st.just("delete"), small),
        st.tuples(st.just("restore"), small),
        st.tuples(st.just("group"), st.sampled_from(["delete", "restore"]), small),
        st.tuples(st.just("tag"), st.integers(0, 1), small),
        st.tuples(st.just("line"), small, small, st.none() | small),
    ),
    max_size=8,
)


class Undo(Exception):
    """Takes back what an example has done."""


@pytest.fixture(scope="module")
def shop(catalogue):
    yield catalogue.create("records-derived", layers_of(YAML, "records-derived"), "test")
    catalogue.drop("records-derived")


class World:
    """Two groups, two tags, and the orders that an example makes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.groups = [store.create("group", {"name": str(n)}).id for n in range(2)]
        self.tags = [store.create("tag", {"name": str(n), "weight": n + 1}).id for n in range(2)]
        self.orders: list[Any] = []

    def raw(self, given: dict[str, Any]) -> dict[str, Any]:
        found = dict(given)
        if given.get("group") is not None:
            found["group"] = self.groups[given["group"] % 2]
        if "tags" in given:
            found["tags"] = [self.tags[n] for n in sorted(given["tags"])]
        return found

    def create(self, given: dict[str, Any]) -> None:
        self.orders.append(self.store.create("order", self.raw({"name": "o", **given})).id)

    def update(self, index: int, given: dict[str, Any]) -> None:
        if self.orders:
            self.store.update("order", self.orders[index % len(self.orders)], self.raw(given))

    def delete(self, index: int) -> None:
        if self.orders:
            self.store.delete("order", self.orders[index % len(self.orders)])

    def restore(self, index: int) -> None:
        if self.orders:
            self.store.restore("order", self.orders[index % len(self.orders)])

    def group(self, what: str, index: int) -> None:
        getattr(self.store, what)("group", self.groups[index % 2])

    def tag(self, index: int, weight: int) -> None:
        self.store.update("tag", self.tags[index], {"weight": weight})

    def line(self, order: int, index: int, price: int | None) -> None:
        """Change a line by itself, as a cell of a list does."""
        found = self.store.list("line", columns=["name"], limit=20).rows
        if found:
            self.store.update("line", found[(order + index) % len(found)].id, {"price": price})


def stored(store: Store) -> dict[tuple[str, Any], list[Any]]:
    found = {}
    for entity, names in ROLLUPS.items():
        for deleted in (False, True):
            for row in store.list(entity, columns=names, limit=100, deleted=deleted).rows:
                found[entity, row.id] = [row[n] for n in names]
    return found


def by_hand(store: Store) -> dict[Any, Decimal]:
    """Orders' net sums, added up here."""
    sums: dict[Any, Decimal] = {}
    for row in store.list("line", columns=["order", "quantity", "price"], limit=200).rows:
        price, quantity = row["price"], row["quantity"]
        worth = price.amount * quantity if price is not None and quantity is not None else Decimal(0)
        sums[row["order"].id] = sums.get(row["order"].id, Decimal(0)) + worth
    return sums


@given(steps)
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_roll_ups_stay_what_a_fresh_computation_gives(shop, done):
    store = Store(shop, Principal.system(Reader()))
    with contextlib.suppress(Undo), store.transaction():
        live(store, done)
        raise Undo


def live(store: Store, done: list[Any]) -> None:
    """Do the steps and compare."""
    world = World(store)
    for what, *arguments in done:
        call: Callable[..., None] = getattr(world, what)
        with contextlib.suppress(Refused, Missing):
            call(*arguments)
    kept = stored(store)
    sums = by_hand(store)
    for row in store.list("order", columns=["net"], limit=100).rows:
        assert row["net"].amount == sums.get(row.id, Decimal(0))
    every = {(e, n): {id for (entity, id) in kept if entity == e} for e, names in ROLLUPS.items() for n in names}
    recompute(store.session, every)
    assert stored(store) == kept, done
