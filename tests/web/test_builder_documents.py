"""Every report that is shipped, opened in the builder and written again, asks the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel

from trellis.config.workspace import Workspace
from trellis.model.compile import compile_layers
from trellis.model.model import Model
from trellis.model.reports.report import Report
from trellis.reports.seen import formulas_of
from trellis.web.reports.building import document as building
from trellis.web.reports.building.parts import number_in

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def model() -> Model:
    compiled = compile_layers(Workspace(ROOT).layers_for_tenant("northstar-retail"))
    assert compiled.model is not None
    return compiled.model


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A page without filters of its own: what the document says stands in the field of formulas."""
    monkeypatch.setattr(building, "_filter", lambda draft: draft.where)
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


def asked(report: Report) -> dict[str, Any]:
    """What a report asks, without places."""
    return {
        "type": report.type,
        "formulas": [(entity, formula.source.strip()) for entity, formula in formulas_of(report)],
        "keys": [k.key for k in (*report.groups, *report.across)],
        "measures": [(m.key, m.over, m.condition) for m in report.measures],
        "date": report.date.source.strip() if report.date is not None else None,
        "sort": report.sort,
        "limit": report.limit,
        "params": list(report.params),
        "chart": report.chart.type if report.chart is not None else None,
        "compare": report.compare,
        "mode": getattr(report.spec, "mode", None),
        "periods": getattr(report.spec, "periods", None),
        "roll_up": getattr(report.spec, "roll_up", None),
        "scale": getattr(report.spec, "scale", None),
    }


@pytest.mark.usefixtures("page")
def test_a_document_that_is_opened_and_written_again_asks_the_same(model: Model) -> None:
    bench = model.bench
    assert bench is not None
    kinds = set()
    for key, report in model.reports.items():
        data = building.plain(bench.document(key) or {})
        if not building.can_build(data):
            continue
        kinds.add(report.type)
        made = building.document(building.draft_of(data, str(data.get("label", key))), {})
        built = bench.compile(made.yaml, key)
        assert built.report is not None, (key, [p.message for p in built.problems], made.yaml)
        assert asked(built.report) == asked(report), key
    assert kinds >= {"summary", "pivot", "trend", "table", "funnel", "forecast", "target", "ageing", "cohort", "rfm"}


@pytest.mark.parametrize(
    ("text", "read"),
    [("12", 12), ("-3", -3), ("2.5", 2.5), ("²", "²"), ("--5", "--5"), ("nan", "nan"), ("9" * 400, "9" * 400)],
)
def test_what_is_no_number_stays_what_was_typed(text, read):
    assert number_in(text) == read
