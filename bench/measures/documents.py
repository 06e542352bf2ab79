"""An order with fifty lines: saved through the door against the same inserts by hand, and its form."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from bench.registry import Result, measure
from bench.setting import PERSON
from bench.timing import OURS, THEIRS, compare, counted

if TYPE_CHECKING:
    from bench.setting import Bench

LINES = 50
CENT = Decimal("0.01")


@measure("document")
def document(bench: Bench) -> Iterator[Result]:
    """Fifty products from a price list with breaks."""
    account, price_list, products = _stock(bench)
    given = [{"product": product, "quantity": 1 + n % 12} for n, product in enumerate(products)]
    head = {"account": account, "owner": PERSON, "price_list": price_list, "order_date": date(2026, 5, 1)}

    def ours() -> Any:
        return bench.system_store().create("order", {**head, "lines": given})

    def theirs() -> None:
        _by_hand(bench, account, price_list, given)

    with counted(bench.database.engine) as seen:
        made = ours()
    timed = compare({OURS: ours, THEIRS: theirs}, bench.seconds)
    m = timed.medians
    note = "prices by break, totals, rules, permissions, history"
    yield Result(
        "save of an order with 50 lines", m[OURS], m[THEIRS], ratio=timed.ratio, statements=len(seen), note=note
    )
    place = f"/e/order/{made.id}/edit"

    def page() -> None:
        assert bench.client.get(place).status_code == 200

    with counted(bench.database.engine) as seen:
        page()
    timed = compare({OURS: page}, bench.seconds)
    yield Result("form page with 50 lines", timed.medians[OURS], statements=len(seen))


def _stock(bench: Bench) -> tuple[UUID, UUID, list[UUID]]:
    """An account, a price list and fifty products with two prices each."""
    store = bench.system_store()
    stem = uuid.uuid4().hex[:8]
    account = store.create("account", {"name": f"Bench {stem}"}).id
    products = [
        store.create("product", {"name": f"Product {n}", "code": f"{stem}-{n}", "price": 10 + n, "tax_rate": 19}).id
        for n in range(LINES)
    ]
    items = [
        {"product": product, "min_qty": quantity, "price": price}
        for n, product in enumerate(products)
        for quantity, price in ((1, 9 + n), (10, 8 + n))
    ]
    listed = store.create("price_list", {"name": stem, "code": stem, "currency": "EUR", "items": items})
    return account, listed.id, products


def _by_hand(bench: Bench, account: UUID, price_list: UUID, given: list[dict[str, Any]]) -> None:
    """What a careful programmer writes: prices in one query, the totals in Python, one insert for all lines."""
    tables = bench.tenant.tables.entity
    order, line, product, item = (tables[k] for k in ("order", "order_line", "product", "price_list_item"))
    history = bench.tenant.tables.platform.history
    now, id = datetime.now(UTC), uuid7()
    with bench.tenant.begin() as connection:
        wanted = [row["product"] for row in given]
        found = connection.execute(
            sa.select(product.c.id, product.c.price, product.c.tax_rate, product.c.description).where(
                product.c.id.in_(wanted)
            )
        )
        known = {row.id: row for row in found}
        prices: dict[UUID, list[tuple[Decimal, Decimal]]] = {}
        rows = connection.execute(
            sa.select(item.c.product, item.c.min_qty, item.c.price)
            .where(item.c.price_list == price_list, item.c.product.in_(wanted), item.c.deleted_at.is_(None))
            .order_by(item.c.min_qty)
        )
        for row in rows:
            prices.setdefault(row.product, []).append((row.min_qty, row.price))
        lines = []
        subtotal = tax = Decimal(0)
        for position, one in enumerate(given):
            quantity = Decimal(one["quantity"])
            fitting = [price for least, price in prices.get(one["product"], []) if least <= quantity]
            price = fitting[-1] if fitting else known[one["product"]].price
            amount = (quantity * price).quantize(CENT)
            subtotal += amount
            tax += (amount * known[one["product"]].tax_rate / 100).quantize(CENT)
            lines.append(
                {
                    "id": uuid7(),
                    "order": id,
                    "position": position,
                    "product": one["product"],
                    "quantity": quantity,
                    "price": price,
                    "price_currency": "EUR",
                    "price_base": price,
                    "discount": 0,
                    "tax_rate": known[one["product"]].tax_rate,
                    "created_at": now,
                    "updated_at": now,
                }
            )
        money = {"subtotal": subtotal, "tax": tax}
        parts = {f"{k}{s}": v for k, amount in money.items() for s, v in (("", amount), ("_base", amount))}
        head = {
            "id": id,
            "number": f"H-{id}",
            "account": account,
            "order_date": date(2026, 5, 1),
            "currency": "EUR",
            "price_list": price_list,
            "status": "draft",
            "status_type": "open",
            "status_since": now,
            "subtotal_currency": "EUR",
            "tax_currency": "EUR",
            "created_at": now,
            "updated_at": now,
            **parts,
        }
        connection.execute(sa.insert(order).values(head))
        connection.execute(sa.insert(line), lines)
        told = [
            [f"lines.{row['id']}.{k}", None, str(row[k])] for row in lines for k in ("product", "quantity", "price")
        ]
        entry = {"at": now, "entity": "order", "record": id, "kind": "create", "means": "page", "changes": told}
        connection.execute(sa.insert(history).values(entry))
