"""Roll-ups of 100,000 parents computed anew, against one hand-written UPDATE over a GROUP BY on the same tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from bench.registry import Result, measure
from trellis.config.layer import layer_from_files
from trellis.formula.reader import Reader
from trellis.records.deriving.rollups import recompute
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.tenant import Tenant

if TYPE_CHECKING:
    from bench.setting import Bench

PARENTS = 100_000
CHILDREN = 3  # of each
ROUNDS = 3
SLUG = "bench-derived"
YAML = """
entity: shop
title: name
fields:
  name: {type: text}
  total: {type: money, rollup: sum(sales.amount)}
  paid: {type: money, rollup: 'sum(sales.amount, is_paid)'}
  visits: {type: integer, rollup: count(sales)}
  latest: {type: date, rollup: max(sales.day)}
---
entity: sale
title: day
fields:
  shop: {type: link, to: shop, inverse: sales}
  amount: {type: money}
  is_paid: {type: boolean}
  day: {type: date}
"""
FILL = f"""
INSERT INTO shop (id, name, version, created_at, updated_at)
SELECT md5('p' || n)::uuid, 'Shop ' || n, 1, now(), now() FROM generate_series(1, {PARENTS}) n;
INSERT INTO sale (id, shop, amount, amount_currency, amount_base, is_paid, day, version, created_at, updated_at)
SELECT md5('c' || n)::uuid, md5('p' || (1 + mod(n, {PARENTS})))::uuid, mod(n, 997), 'EUR', mod(n, 997), mod(n, 2) = 0,
       DATE '2026-01-01' + mod(n, 300), 1, now(), now() FROM generate_series(1, {PARENTS * CHILDREN}) n;
ANALYZE shop; ANALYZE sale
"""
BY_HAND = """
UPDATE shop SET total = new.total, total_base = new.total, total_currency = 'EUR',
    paid = new.paid, paid_base = new.paid, paid_currency = 'EUR', visits = new.visits, latest = new.latest
FROM (SELECT shop, sum(amount_base) AS total, coalesce(sum(amount_base) FILTER (WHERE is_paid), 0) AS paid,
             count(*) AS visits, max(day) AS latest
      FROM sale WHERE deleted_at IS NULL GROUP BY shop) new
WHERE shop.id = new.shop
  AND (shop.total, shop.paid, shop.visits, shop.latest)
      IS DISTINCT FROM (new.total, new.paid, new.visits, new.latest)
"""
ROLLUPS = ("total", "paid", "visits", "latest")


class Undo(Exception):
    """Takes back what a round has written."""


@measure("derived")
def derived(bench: Bench) -> Iterator[Result]:
    """All are wrong and written; all are right and only looked at."""
    files = {"tenant.yaml": f"tenant: {SLUG}\nlabel: Bench\n", "schemas/all.yaml": YAML}
    tenant = bench.catalogue.create(SLUG, [layer_from_files(SLUG, files, SLUG)], "bench")
    try:
        with bench.database.engine.begin() as connection:
            for statement in (f'SET LOCAL search_path = "{tenant.schema}"', *FILL.split(";")):
                connection.exec_driver_sql(statement)
        with tenant.begin() as connection:
            ids = set(connection.execute(sa.text("SELECT id FROM shop")).scalars())
        yield _compared(tenant, ids, wrong=True)
        yield _compared(tenant, ids, wrong=False)
    finally:
        bench.catalogue.drop(SLUG)


def _compared(tenant: Tenant, ids: set[UUID], *, wrong: bool) -> Result:
    pending = {("shop", name): ids for name in ROLLUPS}
    ours = _rounds(tenant, lambda store: recompute(store.session, pending, looking=not wrong), wrong=wrong)
    theirs = _rounds(tenant, lambda store: store.session.execute(sa.text(BY_HAND)), wrong=wrong)
    return Result(
        f"roll-ups of {PARENTS:,} parents, {'all written' if wrong else 'nothing to write'}",
        median(ours),
        median(theirs),
        ratio=median(a / b for a, b in zip(ours, theirs, strict=True)),
        goal=1.5 if wrong else None,
        note=f"{len(ROLLUPS)} roll-ups, {CHILDREN} children each",
    )


def _rounds(tenant: Tenant, work: Callable[[Store], object], *, wrong: bool) -> list[float]:
    """Milliseconds of some rounds, each taken back."""
    times = []
    for _ in range(ROUNDS):
        store = Store(tenant, Principal.system(Reader()))
        try:
            with store.transaction():
                work(store)  # as it should be, for both alike
                if wrong:
                    store.session.execute(sa.text("UPDATE shop SET total = -1, total_base = -1, visits = -1"))
                began = time.perf_counter()
                work(store)
                times.append((time.perf_counter() - began) * 1000)
                raise Undo
        except Undo:
            pass
        with tenant.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f'VACUUM "{tenant.schema}".shop')
    return times
