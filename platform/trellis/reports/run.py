"""Running a report: for a page, a widget, an export, the API, a scheduled mail."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.model.reports.report import Report
from trellis.records.refusal import Forbidden, Missing
from trellis.records.store import Store
from trellis.reports import counted, remembering  # noqa: F401 - numbers as filters; slow reports have tables watched
from trellis.reports.asking import Wishes, ask, require_order
from trellis.reports.own.compiled import own_report
from trellis.reports.own.rows import PREFIX
from trellis.reports.registry import kind_of
from trellis.reports.result import Answer
from trellis.reports.seen import RIGHT, may_run


def report_of(store: Store, key: str, place: str | None = None) -> Report:
    """A report that this person may run. Raises Missing, or Forbidden without the right to reports."""
    if not store.session.permit.allows(RIGHT):
        raise Forbidden("report", RIGHT)
    report = store.tenant.model.reports.get(key)
    if report is None and key.startswith(PREFIX):
        report = own_report(store, key, place)
    if report is None or not may_run(store, report, place):
        raise Missing(f"report {key}")
    return report


def run(store: Store, report: Report, given: Mapping[str, str], wishes: Wishes | None = None) -> Answer:
    """The answer for the params of an address. Raises Refused."""
    asking = ask(store, report, given, wishes)
    require_order(report, asking.wishes.sort)
    return kind_of(report.type).answer(asking)
