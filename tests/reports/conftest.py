"""One small CRM for every test of reports that only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import layers_of
from tests.reports.crm import CRM, World, fill

from trellis.model.reports.report import Report
from trellis.reports.asking import Wishes
from trellis.reports.result import Answer
from trellis.reports.run import run

if TYPE_CHECKING:
    from trellis.records.store import Store
    from trellis.storage.catalogue import Catalogue

Ask = Callable[..., Answer]


@pytest.fixture(scope="session")
def world(catalogue: Catalogue) -> Iterator[World]:
    """The CRM with its records; tests of this folder change nothing in it."""
    tenant = catalogue.create("reports-world", layers_of(CRM, "reports-world"), "test")
    try:
        yield fill(tenant)
    finally:
        catalogue.drop("reports-world")


@pytest.fixture
def report() -> Callable[[str], Report]:
    """A report of YAML over the small CRM."""

    def compiled(text: str) -> Report:
        from trellis.model.compile.compiled import compile_layers

        found = compile_layers(layers_of(f"{CRM}\n---\nreport: asked\n{text}", "reports-asked"))
        assert found.model is not None, [p.message for p in found.problems]
        return found.model.reports["asked"]

    return compiled


@pytest.fixture
def ask(world: World, report: Callable[[str], Report]) -> Ask:
    """The answer of a report, for one who may see everything unless a store is given."""

    def answer(text: str, store: Store | None = None, wishes: Wishes | None = None, **given: Any) -> Answer:
        return run(store or world.boss(), report(text), given, wishes)

    return answer
