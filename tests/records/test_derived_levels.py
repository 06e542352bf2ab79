"""Random sequences of every kind of write leave two levels of roll-ups and all search words true, and money whole."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.conftest import layers_of

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.deriving import drift
from trellis.records.deriving.dependencies import SEARCH, targets
from trellis.records.principal import Principal
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store

YAML = """
entity: firm
title: name
fields:
  name: {type: text, search: true}
  total: {type: money, rollup: sum(branches.total)}
  biggest: {type: money, rollup: max(branches.bills.net)}
  newest: {rollup: last(branches.newest.number)}
  all_paid: {type: boolean, rollup: all(branches.bills.paid)}
---
entity: branch
title: "{name} of {firm}"
fields:
  name: {type: text}
  firm: {type: link, to: firm, inverse: branches, on_delete: clear}
  firm_total: {lookup: firm.total}
  total: {type: money, rollup: 'sum(bills.gross, kind != "draft")'}
  newest: {rollup: last(bills)}
  share: {type: percent, formula: 100 * total / firm.total}
  hints: {type: integer, rollup: sum(notes.weight)}
---
entity: bill
title: "{number} {branch}"
fields:
  number: {type: text, search: true}
  label: {type: text, formula: 'number & "/" & branch.firm.name', search: true}
  branch: {type: link, to: branch, inverse: bills, on_delete: clear, search: true}
  kind: {type: choice, choices: [draft, sent]}
  paid: {type: boolean}
  rebate: {type: percent}
  net: {type: money, rollup: sum(lines.worth)}
  gross: {type: money, formula: 'net * (100 - coalesce(rebate, 0)) / 100'}
  kinds: {type: integer, rollup: count_distinct(lines.product)}
  best: {type: text, rollup: first(lines.product.name)}
  own_kind: {type: integer, rollup: 'count(lines, product.kind == this.kind)'}
  buddies: {type: links, to: branch, inverse: guests, columns: {part: {type: choice, choices: [a, b]}}}
  guests_a: {type: integer, rollup: 'count(buddies, via.part == "a")'}
  from_far: {type: money, rollup: sum(buddies.total)}
---
entity: item
part_of: bill
title: product.name
fields:
  product: {type: link, to: product, inverse: sales, on_delete: clear}
  quantity: {type: decimal, scale: 3}
  worth: {type: money, formula: quantity * product.price}
---
entity: product
title: name
fields:
  name: {type: text}
  kind: {type: choice, choices: [draft, sent]}
  price: {type: money}
  sold: {type: decimal, rollup: sum(sales.quantity)}
  buyers: {type: integer, rollup: count_distinct(sales.bill.branch)}
---
entity: note
title: weight
fields:
  about: {type: any_link, to: [branch, firm], inverse: notes}
  weight: {type: integer}
"""
CURRENCIES = ("EUR", "JPY", "KWD")
RATES = {"JPY": Decimal("0.0061"), "KWD": Decimal("2.9")}
few = st.integers(0, 2)
quantity = st.none() | st.sampled_from([Decimal("0.333"), Decimal(1), Decimal("2.5")])
item = st.fixed_dictionaries({"product": st.none() | few, "quantity": quantity})
bill = st.fixed_dictionaries(
    {},
    optional={
        "branch": st.none() | few,
        "kind": st.sampled_from([None, "draft", "sent"]),
        "paid": st.booleans(),
        "rebate": st.sampled_from([None, Decimal(0), Decimal("33.3")]),
        "number": st.sampled_from(["A1", "B2"]),
        "lines": st.lists(item, max_size=3),
        "buddies": st.dictionaries(few, st.sampled_from([None, "a", "b"]), max_size=2),
    },
)
price = st.none() | st.tuples(
    st.sampled_from([Decimal("0.05"), Decimal("19.99"), Decimal(7)]), st.sampled_from(CURRENCIES)
)
line = {"product": st.none() | few, "quantity": quantity, "position": few}
step = st.one_of(
    st.tuples(st.just("create"), bill),
    st.tuples(st.just("create"), bill),
    st.tuples(st.just("load"), st.lists(bill, max_size=3)),
    st.tuples(st.just("update"), few, bill),
    st.tuples(st.just("bulk"), bill),
    st.tuples(st.just("remove"), st.sampled_from(["bill", "branch", "firm", "product", "item"]), few),
    st.tuples(st.just("restore"), few),
    st.tuples(st.just("restore"), few),
    st.tuples(st.just("purge"), few),
    st.tuples(st.just("move"), few, st.none() | few),
    st.tuples(st.just("price"), few, price),
    st.tuples(st.just("rename"), st.sampled_from(["firm", "branch", "product"]), few, st.sampled_from(["Xi", "Yo"])),
    st.tuples(st.just("change_item"), few, st.fixed_dictionaries({}, optional=line)),
    st.tuples(st.just("link"), st.booleans(), few, few, st.sampled_from([None, "a", "b"])),
    st.tuples(st.just("note"), st.sampled_from(["branch", "firm"]), few, st.integers(0, 5)),
    st.tuples(st.just("merge"), st.sampled_from(["firm", "branch", "bill", "product"]), few, few),
    st.tuples(st.just("unmerge")),
    st.tuples(st.just("undo")),
)


class Undo(Exception):
    """Takes back what an example has done."""


@pytest.fixture(scope="module")
def books(catalogue):
    yield catalogue.create("derived-levels", layers_of(YAML, "derived-levels"), "test")
    catalogue.drop("derived-levels")


class World:
    """A few firms, branches and products, and whatever an example makes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ids: dict[str, list[Any]] = defaultdict(list)
        self.gone: list[tuple[str, Any]] = []
        self.merged: list[tuple[str, Any]] = []
        for n in range(2):
            self.made("firm", {"name": f"F{n}"})
        for n in range(3):
            self.made("branch", {"name": f"B{n}", "firm": self.ids["firm"][n % 2]})
            money = {"amount": Decimal("1.99") * (n + 1), "currency": CURRENCIES[n]}
            self.made("product", {"name": f"P{n}", "kind": "sent", "price": money})
        for n in range(2):
            lines = [{"product": n + i, "quantity": Decimal("0.5")} for i in range(2)]
            self.create({"branch": n, "kind": "sent", "lines": lines, "buddies": {n + 1: "a"}})

    def made(self, entity: str, values: dict[str, Any]) -> None:
        self.ids[entity].append(self.store.create(entity, values).id)

    def one(self, entity: str, index: int) -> Any:
        known = self.ids[entity]
        if not known:
            raise Missing(entity)
        return known[index % len(known)]

    def raw(self, given: dict[str, Any]) -> dict[str, Any]:
        found = dict(given)
        for name in ("branch", "product"):
            if found.get(name) is not None:
                found[name] = self.one(name, found[name])
        if "lines" in found:
            found["lines"] = [self.raw(i) for i in found["lines"]]
        if "buddies" in found:
            found["buddies"] = [{"id": self.one("branch", n), "part": p} for n, p in found["buddies"].items()]
        return found

    def create(self, given: dict[str, Any]) -> None:
        self.made("bill", self.raw(given))
        self.ids["item"] = [row.id for row in self.store.list("item", columns=[], limit=50).rows]

    def load(self, many: list[dict[str, Any]]) -> None:
        outcomes = self.store.create_many("bill", [self.raw(given) for given in many])
        self.ids["bill"] += [o.id for o in outcomes if o.id is not None]

    def update(self, index: int, given: dict[str, Any]) -> None:
        self.store.update("bill", self.one("bill", index), self.raw(given))

    def bulk(self, given: dict[str, Any]) -> None:
        values = {k: v for k, v in self.raw(given).items() if k not in ("lines", "buddies")}
        self.store.update_where("bill", values)

    def remove(self, entity: str, index: int) -> None:
        id = self.one(entity, index)
        self.store.delete(entity, id)
        self.gone.append((entity, id))

    def restore(self, index: int) -> None:
        if self.gone:
            self.store.restore(*self.gone.pop(index % len(self.gone)))

    def purge(self, index: int) -> None:
        if self.gone:
            self.store.purge(*self.gone.pop(index % len(self.gone)))

    def move(self, index: int, firm: int | None) -> None:
        self.store.update(
            "branch", self.one("branch", index), {"firm": None if firm is None else self.one("firm", firm)}
        )

    def merge(self, entity: str, index: int, other: int) -> None:
        winner, loser = self.one(entity, index), self.one(entity, other)
        self.store.merge(entity, winner, [loser])
        self.merged.append((entity, winner))

    def unmerge(self) -> None:
        if self.merged:
            entity, winner = self.merged.pop()
            self.store.unmerge(self.store.merges(entity, winner)[0].id)

    def undo(self) -> None:
        """Take back the latest bulk change, or its undoing."""
        if batches := self.store.batches():
            self.store.undo(batches[0].id)

    def price(self, index: int, given: tuple[Decimal, str] | None) -> None:
        money = None if given is None else {"amount": given[0], "currency": given[1]}
        self.store.update("product", self.one("product", index), {"price": money})

    def rename(self, entity: str, index: int, name: str) -> None:
        self.store.update(entity, self.one(entity, index), {"name": name})

    def change_item(self, index: int, given: dict[str, Any]) -> None:
        """Change a line by itself, as a cell of a list does."""
        self.store.update("item", self.one("item", index), self.raw(given))

    def link(self, linked: bool, index: int, branch: int, part: str | None) -> None:
        bill, other = self.one("bill", index), self.one("branch", branch)
        if linked:
            self.store.link("bill", bill, "buddies", other, {"part": part})
        else:
            self.store.unlink("bill", bill, "buddies", other)

    def note(self, entity: str, index: int, weight: int) -> None:
        about = Ref(entity, self.one(entity, index))
        if self.ids["note"] and weight % 2:
            self.store.update("note", self.ids["note"][0], {"about": about, "weight": weight})
        else:
            self.made("note", {"about": about, "weight": weight})


@given(st.lists(step, min_size=3, max_size=9))
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_stored_values_are_what_a_fresh_computation_gives(books, done):
    live(books, done)


def live(books: Any, done: list[Any]) -> None:
    """Do the steps in a transaction that is taken back, and compare after each."""
    reader = replace(Reader(), rates=RATES)
    store = Store(books, Principal.system(reader))
    with contextlib.suppress(Undo), store.transaction():
        world = World(store)
        for index, (what, *arguments) in enumerate(done):
            with contextlib.suppress(Refused, Missing, Forbidden), store.session.connection.begin_nested():
                getattr(world, what)(*arguments)
            assert wrong(store) == {}, done[: index + 1]
        adds_up(store)
        raise Undo


def wrong(store: Store) -> dict[tuple[str, str], int]:
    """Stored values that differ from a fresh computation, in the bin too."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for entity in store.tenant.model.entities.values():
        names = targets(entity)
        table = store.session.table(entity.key)
        ids = list(store.session.execute(table.select().with_only_columns(table.c.id)).scalars())
        for target, _ in drift.differing(store.session, entity.key, names, ids):
            found[entity.key, "search" if target == SEARCH else target] += 1
    return dict(found)


def adds_up(store: Store) -> None:
    """Sums are those of the rounded parts, added up here: lines to bills, bills to branches, branches to firms."""
    base: dict[str, dict[Any, Decimal]] = {name: defaultdict(Decimal) for name in ("bill", "branch", "firm")}
    for row in store.list("item", columns=["bill", "worth"], limit=200).rows:
        worth = row["worth"]
        if worth is not None:
            assert worth.base == worth.base.quantize(Decimal("0.01"))
            base["bill"][row["bill"].id] += worth.base
    for row in store.list("bill", columns=["branch", "net", "gross", "kind"], limit=200).rows:
        assert row["net"].base == row["net"].amount == base["bill"][row.id]
        assert row["net"].currency == "EUR"
        if row["branch"] is not None and row["kind"] not in (None, "draft"):
            base["branch"][row["branch"].id] += row["gross"].base
    for row in store.list("branch", columns=["firm", "total", "firm_total"], limit=200).rows:
        assert row["total"].base == base["branch"][row.id]
        if row["firm"] is not None:
            base["firm"][row["firm"].id] += row["total"].base
    for row in store.list("firm", columns=["total"], limit=200).rows:
        assert row["total"].base == base["firm"][row.id]
