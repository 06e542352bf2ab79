"""Every report that is shipped, on every demo tenant: its numbers are those that plain Python finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.reports.recompute import differences

from trellis.config.workspace import Workspace
from trellis.packaging.provision import provision_demo, system_store
from trellis.records.graph import StoreGraph
from trellis.reports.asking import Wishes
from trellis.reports.dashboards.chosen import read_choice
from trellis.reports.dashboards.figures import Figures
from trellis.reports.run import run
from trellis.storage.secrets import use_installation_key

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

ROOT = Path(__file__).parent.parent.parent
DEMOS = ("northstar-retail", "halden-manufacturing", "yunqi-services")


@pytest.fixture(scope="module", params=DEMOS)
def demo(
    request: pytest.FixtureRequest, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tenant]:
    """A demo tenant with its data."""
    use_installation_key(tmp_path_factory.mktemp("key"))
    assert provision_demo(catalogue, Workspace(ROOT), request.param) == []
    try:
        yield catalogue.get(request.param)
    finally:
        catalogue.drop(request.param)


def test_numbers_are_those_of_the_records(demo: Tenant) -> None:
    store = system_store(demo)
    found: list[str] = []
    empty: list[str] = []
    with store.transaction():
        graph = StoreGraph(store.session)
        for report in demo.model.reports.values():
            answer = run(store, report, {})
            if answer.is_empty and report.params:
                answer = run(store, report, dict.fromkeys(report.params, ""))
            if answer.is_empty:
                empty.append(report.key)
            found += differences(store, graph, answer)
    assert found == []
    assert len(empty) * 5 <= len(demo.model.reports), empty  # a shop has no quotes, a consultancy no machines


def test_the_numbers_of_dashboards_are_those_of_their_reports(demo: Tenant) -> None:
    store = system_store(demo)
    wrong: list[str] = []
    empty: list[str] = []
    shown = 0
    with store.transaction():
        for dashboard in demo.model.dashboards.values():
            figures = Figures(store, dashboard, read_choice(dashboard, {}, store.principal.reader))
            for widget in dashboard.widgets.values():
                report = demo.model.reports.get(widget.report or "")
                if report is None:
                    continue
                narrowed, name = figures.narrowed(widget), f"{dashboard.key}.{widget.key}"
                answer = run(store, report, narrowed.given, Wishes(filters=narrowed.filters))
                shown += 1
                empty += [name] if answer.is_empty else []
                if widget.kind == "number" and report.type != "trend" and answer.total is not None:
                    found = figures.figure(widget, report)
                    keys = [h.key for h in answer.headings]
                    last = len(keys) - 1 - keys[::-1].index(found.heading.key)  # of a pivot: the total of its columns
                    wrong += [name] if answer.total.values[last] != found.value else []
    assert wrong == []
    assert len(empty) * 3 <= shown, empty
