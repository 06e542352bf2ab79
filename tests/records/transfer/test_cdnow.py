"""Real data: the CDNOW purchase log (Fader & Hardie), 2,357 customers and 6,919 purchases, into the retail template."""

from __future__ import annotations

import sysconfig
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from trellis.config.layer import layer_from_files, read_layer
from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.model.view import Sort
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.records.transfer import import_table, read_mapping, read_table
from trellis.storage.tenant import Tenant

ROOT = Path(__file__).parents[3]
LOG = Path(sysconfig.get_path("purelib")) / "lifetimes" / "datasets" / "CDNOW_sample.txt"

FILE = """
header: [master, customer, date, cds, amount]
delimiter: space
columns: {master: null, customer: null, date: null, cds: null, amount: null}
"""
MEMBERS = (
    FILE
    + """
set: {number: "M000{customer}", name: "Customer {customer}", joined_on: "{date}", join_channel: Website}
on_existing: skip
"""
)
PURCHASES = (
    FILE
    + """
set:
  number: "CD-{row}"
  member: "M000{customer}"
  at: "{date}"
  items: "{cds}"
  paid: "{amount} USD"
  channel: web
"""
)


def run(store: Store, entity: str, mapping: str) -> Counter[str]:
    given = read_mapping(mapping, f"{entity}.yaml")
    table = read_table(LOG.read_bytes(), delimiter=given.delimiter, header=given.header)
    summary = import_table(store, entity, table, given)
    assert summary.failures == []
    return summary.counts


def test_the_purchase_log_is_imported_whole_and_once(make_tenant: Callable[..., Tenant]) -> None:
    own = layer_from_files("cdnow", {"tenant.yaml": "tenant: cdnow\nlabel: CDNOW\ncurrency: USD\n"}, "tenants/cdnow")
    layers = [read_layer(ROOT, "core"), read_layer(ROOT / "templates" / "retail", "retail"), own]
    store = Store(make_tenant(layers=layers), Principal.system(Reader(currency="USD", region="US")))

    # What the file says, counted without Trellis.
    lines = [line.split() for line in LOG.read_text("ascii").splitlines()]
    assert len(lines) == 6919
    customers = {line[1] for line in lines}
    assert len(customers) == 2357
    amount, cds = sum(Decimal(line[4]) for line in lines), sum(int(line[3]) for line in lines)

    started = time.monotonic()
    assert run(store, "member", MEMBERS) == {"created": 2357, "skipped": 6919 - 2357}
    assert run(store, "purchase", PURCHASES) == {"created": 6919}
    took = time.monotonic() - started
    print(f"imported in {took:.1f} s")

    assert store.count("member").n == 2357
    assert store.count("purchase").n == 6919
    totals = store.totals("purchase", {"paid": "sum", "items": "sum"})
    assert totals == {"paid": Money(amount, "USD", amount), "items": cds}
    # The roll-ups of the members say the same, all together and one by one.
    totals = store.totals("member", {"spent": "sum", "orders": "sum", "items": "sum"})
    assert totals == {"spent": Money(amount, "USD", amount), "orders": 6919, "items": cds}
    [best] = store.list("member", columns=["number", "orders", "spent"], sort=[Sort("spent", True)], limit=1).rows
    of = Counter[str]()
    for line in lines:
        of[line[1]] += int(Decimal(line[4]) * 100)
    customer, cents = of.most_common(1)[0]
    assert best["number"] == f"M000{customer}"
    assert best["spent"].amount == Decimal(cents) / 100
    assert best["orders"] == sum(line[1] == customer for line in lines)

    # Again: nothing changes, not even a version.
    assert run(store, "member", MEMBERS) == {"skipped": 6919}
    assert run(store, "purchase", PURCHASES) == {"skipped": 6919}
    assert store.list("purchase", columns=["number"], where=["version > 1"]).rows == []
