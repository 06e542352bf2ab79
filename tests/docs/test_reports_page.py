"""Every report of the cookbook runs, and its numbers are those that plain Python finds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.docs.test_yaml_blocks import layers_of
from tests.reports.recompute import differences

from trellis.config.layer import layer_from_files
from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.records.graph import StoreGraph
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.reports.run import run
from trellis.storage.tenant import Tenant

NOW = datetime(2026, 6, 17, 9, tzinfo=UTC)


def fill(store: Store) -> None:
    """Something of everything that the page asks about."""
    region = store.create("region", {"name": "North", "code": "N"}).id
    user = store.create("user", {"name": "Ann", "email": "ann@example.com"}).id
    top = store.create("product_category", {"name": "Tools", "code": "T"}).id
    below = store.create("product_category", {"name": "Saws", "code": "S", "parent": top}).id
    saw = store.create("product", {"name": "Saw", "code": "SAW", "category": below, "price": eur(12)}).id
    for n in range(8):
        day = date(2026, 1, 10) + timedelta(days=20 * n)
        account = store.create("account", {"name": f"Account {n}", "industry": "food", "region": region}).id
        deal = store.create(
            "deal",
            {"name": f"Deal {n}", "account": account, "owner": user, "amount": eur(900 * n), "close_date": day},
        ).id
        if n % 2:
            store.update("deal", deal, {"stage": "proposal"})
            store.update("deal", deal, {"stage": "won"})
            store.create("doc_goal", {"owner": user, "month": day.replace(day=1), "value": eur(500)})
            store.create("sales_target", {"owner": user, "month": day, "amount": eur(400)})
            store.create("forecast_adjustment", {"person": user, "month": day, "amount": eur(-50), "reason": "Slips"})
        lines = [{"product": saw, "quantity": n + 1, "price": eur(10)}]
        store.create("order", {"account": account, "order_date": day, "currency": "EUR", "lines": lines})
        contract = store.create("contract", {"name": f"C{n}", "account": account, "amount": eur(100)}).id
        store.create("payment_plan", {"contract": contract, "period": 1, "amount": eur(100), "due_date": day})
        store.create("payment", {"account": account, "amount": eur(40), "paid_on": day})
        store.create("lead", {"name": {"last": f"Lead {n}"}, "company": f"Firm {n}"})


def eur(amount: int) -> Money:
    return Money(Decimal(amount), "EUR")


def test_every_report_of_the_page_runs_and_is_true(make_tenant: Callable[..., Tenant]) -> None:
    own = layer_from_files("docs", {"tenant.yaml": "tenant: docs\nlabel: Docs\n"}, "tenants/docs")
    tenant = make_tenant(layers=[*layers_of("report-cookbook.md"), own])
    store = Store(tenant, Principal.system(Reader(now=NOW, currency="EUR")))
    fill(store)
    reports = [r for r in tenant.model.reports.values() if r.key.startswith("doc-")]
    assert len(reports) >= 30
    found = []
    with store.transaction():
        graph = StoreGraph(store.session)
        for report in reports:
            answer = run(store, report, {})
            assert not answer.is_empty, report.key
            found += differences(store, graph, answer) if report.key != "doc-tree" else []
    assert found == []
