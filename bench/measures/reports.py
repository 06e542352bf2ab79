"""A report over many records, grouped two ways, against the SQL that somebody would write by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bench.registry import Result, measure
from bench.timing import OURS, THEIRS, compare, counted
from trellis.config.layer import Layer, layer_from_files
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.reading import remembered
from trellis.records.store import Store
from trellis.reports.result import Answer
from trellis.reports.run import run
from trellis.storage.catalogue import NoSuchTenant
from trellis.storage.names import sql_name
from trellis.storage.watching import watch

if TYPE_CHECKING:
    from bench.setting import Bench
    from trellis.storage.tenant import Tenant

SLUG = "bench-reports"
GOAL = 1.5
MOMENT = datetime(2026, 6, 1, tzinfo=UTC)
YAML = """
entity: sale
fields:
  name: {type: text, required: true}
  stage: {type: choice, choices: [new, offer, talks, won, lost]}
  amount: {type: money}
  probability: {type: percent}
  close_date: {type: date}
  owner: {type: user, role: owner}
  weighted: {type: money, formula: amount * probability / 100}
---
report: two-ways
entity: sale
group: {stage: stage, month: month(close_date)}
measures: {sales: count(), amount: sum(amount), biggest: max(amount)}
---
report: mine
entity: sale
filter: close_date >= date(2025, 7, 1) and stage != "lost"
group: {stage: stage, month: month(close_date)}
measures: {sales: count(), amount: sum(amount), weighted: sum(weighted)}
---
report: across
entity: sale
type: pivot
rows: {stage: stage}
columns: {quarter: quarter(close_date)}
measures: {sales: count(), amount: sum(amount)}
---
role: rep
grants: {sale: {read: own}}
allow: [reports]
"""
FILL = """
INSERT INTO sale (id, name, stage, amount, amount_currency, amount_base, probability, close_date, owner,
                  created_at, updated_at, version)
SELECT gen_random_uuid(), 'Sale ' || n, (ARRAY['new','offer','talks','won','lost'])[1 + n % 5],
       n % 9000, 'EUR', n % 9000,
       (n * 7) % 100, date '2025-01-01' + n % 700,
       ('01900000-0000-7000-9000-' || lpad((n % 4)::text, 12, '0'))::uuid, now(), now(), 1
FROM generate_series(1, {rows}) AS n
"""
TWO_WAYS = """
SELECT stage, date_trunc('month', close_date)::date AS month, count(*), sum(amount_base), max(amount_base)
FROM sale WHERE deleted_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2
"""
MINE = """
SELECT stage, date_trunc('month', close_date)::date AS month, count(*), sum(amount_base),
       sum(round(amount_base * probability / 100, 2))
FROM sale WHERE deleted_at IS NULL AND owner = '01900000-0000-7000-9000-000000000001'
  AND close_date >= date '2025-07-01' AND stage IS DISTINCT FROM 'lost' AND stage IS NOT NULL
GROUP BY 1, 2 ORDER BY 1, 2
"""
ACROSS = """
SELECT stage, date_trunc('quarter', close_date)::date AS quarter, count(*), sum(amount_base)
FROM sale WHERE deleted_at IS NULL
GROUP BY GROUPING SETS ((stage, date_trunc('quarter', close_date)::date), (stage),
                        (date_trunc('quarter', close_date)::date), ())
ORDER BY 1, 2
"""


@measure("reports")
def reports(bench: Bench) -> Iterator[Result]:
    """Everything, with subtotals that the hand-written query does without; and one's own, with a filter."""
    tenant = _tenant(bench)
    cases = (
        ("report, two ways", "two-ways", TWO_WAYS, _system(tenant)),
        ("report, one's own", "mine", MINE, _rep(tenant)),
    )
    for name, key, sql, store in cases:
        report = tenant.model.reports[key]
        connection = bench.database.connect_driver()
        connection.execute(f"SET search_path TO {sql_name(tenant.schema)}, pg_catalog")
        hand = connection.execute(sql).fetchall()
        answer = run(store, report, {})
        works = {
            OURS: lambda store=store, report=report: run(store, report, {}),
            THEIRS: lambda connection=connection, sql=sql: connection.execute(sql).fetchall(),
        }
        with counted(bench.database.engine) as seen:
            run(store, report, {})
        timed = compare(works, bench.seconds, least=5)
        yield Result(
            f"{name}, {bench.rows:,} records",
            timed.medians[OURS],
            timed.medians[THEIRS],
            ratio=timed.ratio,
            statements=len(seen),
            goal=GOAL,
            note="" if _told(answer) == [tuple(row[:4]) for row in hand] else "OTHER NUMBERS THAN THE BASELINE",
        )
        connection.close()
    yield _pivot(bench, tenant)
    yield _again(bench, tenant)


def _pivot(bench: Bench, tenant: Tenant) -> Result:
    """Stages down, quarters across, with every total; by hand too."""
    store, report = _system(tenant), tenant.model.reports["across"]
    connection = bench.database.connect_driver()
    connection.execute(f"SET search_path TO {sql_name(tenant.schema)}, pg_catalog")
    works = {OURS: lambda: run(store, report, {}), THEIRS: lambda: connection.execute(ACROSS).fetchall()}
    timed = compare(works, bench.seconds, least=5)
    whole = next(n for stage, quarter, n, _amount in works[THEIRS]() if stage is None and quarter is None)
    total = run(store, report, {}).total
    connection.close()
    return Result(
        f"pivot with its totals, {bench.rows:,} records",
        timed.medians[OURS],
        timed.medians[THEIRS],
        ratio=timed.ratio,
        goal=GOAL,
        note="" if total is not None and total.values[-2] == whole else "OTHER NUMBERS THAN THE BASELINE",
    )


def _again(bench: Bench, tenant: Tenant) -> Result:
    """The same report once more while nothing has changed; and what noting the changes costs who writes."""
    report = tenant.model.reports["two-ways"]
    before, remembered.SLOW = remembered.SLOW, 0.0
    try:
        watch(tenant, ["sale"])
        for _ in range(3):
            run(_fixed(tenant), report, {})
        store = _fixed(tenant)
        timed = compare({OURS: lambda: run(store, report, {})}, bench.seconds, least=5)
    finally:
        remembered.SLOW = before
        remembered.forget_all()
    return Result(f"the same again, remembered, {bench.rows:,} records", timed.medians[OURS])


def _fixed(tenant: Tenant) -> Store:
    return Store(tenant, Principal.system(Reader(currency="EUR", now=MOMENT)))


def _told(answer: Answer) -> list[tuple[Any, ...]]:
    found = [(v[0], v[1], v[2], v[3].amount) for v in (x.values for x in answer.lines if x.kind == "line")]
    return sorted(found, key=lambda row: (row[0], row[1]))


def _system(tenant: Tenant) -> Store:
    return Store(tenant, Principal.system(Reader(currency="EUR")))


def _rep(tenant: Tenant) -> Store:
    from bench.setting import PERSON
    from trellis.formula.types import Ref

    reader = Reader(me=Ref("user", PERSON), currency="EUR", roles=frozenset({"rep"}))
    return Store(tenant, Principal(id=PERSON, name="Rep", roles=frozenset({"rep"}), reader=reader))


def _tenant(bench: Bench) -> Tenant:
    """The tenant with its sales, of an earlier run when it has as many."""
    why = f"{bench.rows} sales"
    try:
        bench.catalogue.entry(SLUG)
        if bench.catalogue.revisions(SLUG)[-1].why == why:
            return bench.catalogue.get(SLUG)
        bench.catalogue.drop(SLUG)
    except NoSuchTenant:
        pass
    own = {"tenant.yaml": f"tenant: {SLUG}\nlabel: Bench\ncurrency: EUR\n", "schemas/sale.yaml": YAML}
    layers: list[Layer] = [layer_from_files(SLUG, own, SLUG)]
    tenant = bench.catalogue.create(SLUG, layers, "bench", why=why)
    store = _system(tenant)
    for n in range(4):
        id = UUID(f"01900000-0000-7000-9000-{n:012}")
        store.create("user", {"name": f"Rep {n}", "email": f"rep{n}@example.com"}, id=id)
    with bench.database.connect_driver() as connection:  # a tenant's own transactions have a time limit
        connection.autocommit = True
        connection.execute(f"SET search_path TO {sql_name(tenant.schema)}, pg_catalog")
        connection.execute("SET statement_timeout = 0")
        connection.execute(FILL.replace("{rows}", str(bench.rows)))
        connection.execute("VACUUM ANALYZE sale")
    return tenant
