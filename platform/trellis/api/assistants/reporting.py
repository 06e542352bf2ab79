"""Tools for reports: which there are, and the answer of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from trellis.api.assistants.tools import Result, tool
from trellis.api.assistants.words import ToolError
from trellis.api.resources.reports import answer_of, asked_by, summaries, told
from trellis.config.problem import did_you_mean
from trellis.records.refusal import Missing
from trellis.records.store import Store
from trellis.reports.places import API
from trellis.reports.run import report_of
from trellis.reports.seen import RIGHT
from trellis.web.reports.read import tell_of_records

MOST = 200  # rows of an answer


def _may_report(store: Store) -> bool:
    return store.session.permit.allows(RIGHT)


@tool(
    "list_reports",
    "List the reports",
    "The reports that you may run, with their params. Use one rather than adding up records yourself.",
    {},
    is_open=_may_report,
)
def list_reports(store: Store, _arguments: Mapping[str, Any]) -> Result:
    """Every report of this caller."""
    return {"reports": summaries(store)}


@tool(
    "run_report",
    "Run a report",
    "A report's answer: columns and rows, with the total. A row that stands for records has a `filter` for "
    "list_records, which gives the records behind the number.",
    {
        "report": {"type": "string", "description": "The report's key; list_reports tells them."},
        "params": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Values of the report's params as text: dates like 2026-03-02.",
        },
        "variant": {"type": "string", "description": "The id of a variant that list_reports tells: its settings."},
    },
    required=("report",),
    is_open=_may_report,
)
def run_report(store: Store, arguments: Mapping[str, Any]) -> Result:
    """The answer of a report."""
    key, given = arguments["report"], arguments.get("params", {})
    try:
        report = report_of(store, key, API)
    except Missing as missing:
        known = [r["key"] for r in summaries(store)]
        raise ToolError(f"There is no report “{key}” ({did_you_mean(key, known)}).") from missing
    if unknown := [name for name in given if name not in report.params]:
        hint = did_you_mean(unknown[0], report.params) if report.params else "it has none"
        raise ToolError(f"“{unknown[0]}” is no param of this report ({hint}).")
    args = MultiDict({**given, **({"variant": arguments["variant"]} if "variant" in arguments else {})})
    answer = answer_of(store, asked_by(store, report, args), MOST)
    tell_of_records(answer, "assistant")
    return told(answer)
