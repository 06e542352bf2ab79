"""Every report that is shipped, on every demo tenant: its numbers are those that plain Python finds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.reports.following import astray
from tests.reports.recompute import differences

from trellis.config.workspace import Workspace
from trellis.formula.formula import compile_formula
from trellis.formula.rows import RowsScope
from trellis.identity.person import Person, principal_for, read_person_by_id
from trellis.packaging.provision import provision_demo, system_store
from trellis.records.graph import StoreGraph
from trellis.records.store import Store
from trellis.reports.asking import Wishes, ask
from trellis.reports.conditions import ParamScope
from trellis.reports.dashboards.chosen import read_choice
from trellis.reports.dashboards.figures import Figures
from trellis.reports.registry import kind_of
from trellis.reports.result import Heading, Line
from trellis.reports.run import run
from trellis.reports.seen import may_run
from trellis.reports.unions import filters_of
from trellis.storage.secrets import use_installation_key

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

ROOT = Path(__file__).parent.parent.parent
ONE_IN = 40  # numbers of which the records are listed
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
    turn = 0

    def take(heading: Heading, line: Line) -> bool:
        """One number in `ONE_IN`, another one in each column and line."""
        nonlocal turn
        turn += 1
        return turn % ONE_IN == 0

    with store.transaction():
        graph = StoreGraph(store.session)
        for report in demo.model.reports.values():
            answer = run(store, report, {})
            if answer.is_empty and report.params:
                answer = run(store, report, dict.fromkeys(report.params, ""))
            if answer.is_empty:
                empty.append(report.key)
            found += differences(store, graph, answer)
            found += astray(store, answer, take)
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


def test_each_role_gets_the_numbers_of_the_records_that_it_may_read(demo: Tenant) -> None:
    """Every role with every report that the role may run, one in four of the answers computed and counted again."""
    wrong: list[str] = []
    counted = 0
    with demo.begin() as connection:
        users = demo.tables.entity["user"]
        rows = connection.execute(sa.select(users.c.id, users.c.roles).where(users.c.active)).all()
        people = {role: person_of(connection, demo, row.id) for row in rows for role in row.roles or ()}
    for turn, (role, person) in enumerate(sorted(people.items())):
        store = Store(demo, principal_for(demo, replace(person, roles=(role,))))
        definition = demo.model.roles[role]
        for place, report in enumerate(demo.model.reports.values()):
            entities = [b.entity for b in report.union] or [report.entity]
            reads = any(store.may("read", e) for e in entities) and (not report.roles or role in report.roles)
            if not may_run(store, report):
                continue
            if "reports" not in definition.allow or not reads:
                wrong.append(f"{role} may run {report.key}")
            if (turn + place) % 4 or report.type not in ("summary", "pivot"):
                continue
            asking = ask(store, report, {})
            answer = kind_of(report.type).answer(asking)
            if not answer.can_drill:
                continue
            scope = RowsScope(ParamScope.of(store, report))
            (whole,) = store.gather(asking.question(keys=(), measures=(compile_formula("count()", scope),)))
            if report.union:
                parts = filters_of(store, answer, ())
                listed = sum(store.count(entity, where=[text] if text else []).n for entity, text in parts.items())
            else:
                listed = store.count(report.entity, where=[answer.conditions] if answer.conditions else []).n
            counted += 1
            if whole.values[0] != listed:
                wrong.append(f"{role}: {report.key} counts {whole.values[0]}, the list {listed}")
    assert wrong == []
    assert counted > 20


def person_of(connection: sa.Connection, tenant: Tenant, id: UUID) -> Person:
    found = read_person_by_id(connection, tenant, id)
    assert found is not None
    return found
