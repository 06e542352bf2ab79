"""A whole tenant out and in again: every entity of a template with its demo data."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

from trellis.config.layer import layer_from_files, read_layer
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.records.transfer import export_csv, import_table, load_data, read_table
from trellis.storage.tenant import Tenant

ROOT = Path(__file__).parents[3]
SERVICES = ROOT / "templates" / "services"


def test_every_export_is_taken_back_and_changes_nothing(make_tenant: Callable[..., Tenant]) -> None:
    own = layer_from_files("s", {"tenant.yaml": "tenant: s\nlabel: S\ncurrency: CNY\nlanguage: zh-Hans\n"}, "tenants/s")
    tenant = make_tenant(layers=[read_layer(ROOT, "core"), read_layer(SERVICES, "services"), own])
    store = Store(tenant, Principal.system(Reader(language="zh-Hans", currency="CNY", region="CN")))
    for which in ("seed", "demo"):
        assert load_data(store, [ROOT, SERVICES], which).failures == []  # type: ignore[arg-type]
    assert load_data(store, [ROOT, SERVICES], "seed").created == {}
    total = 0
    for entity in tenant.model.entities:
        out = io.StringIO()
        rows = export_csv(store, entity, out, labels=True)
        if rows:
            summary = import_table(store, entity, read_table(out.getvalue().encode("gb18030")))
            assert (entity, summary.counts, summary.failures) == (entity, {"skipped": rows}, [])
            total += rows
    assert total >= 800
