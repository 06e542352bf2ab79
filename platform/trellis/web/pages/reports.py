"""Reports: the list of those that one may see, and each with its params, chart, table and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Response, abort, request
from flask_appbuilder import expose
from flask_babel import gettext
from flask_babel import gettext as _

from trellis.automation.mail.account import is_set_up
from trellis.model.reports.report import Report
from trellis.model.text import Text
from trellis.records import auditing
from trellis.records.reading.patient import TIMEOUT
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.reports.asking import Wishes
from trellis.reports.background.runs import runs_of
from trellis.reports.own.compiled import compiled
from trellis.reports.own.rows import id_of, saved_by
from trellis.reports.params import read_params
from trellis.reports.places import EXPORT, MOST
from trellis.reports.result import Answer
from trellis.reports.run import report_of, run
from trellis.reports.schedule.keeping import may_look_back
from trellis.reports.schedule.subscriptions import subscription_of
from trellis.reports.seen import is_seen, reports_of
from trellis.reports.unions import keeps_back, open_branches
from trellis.web.attached import named
from trellis.web.context import current_store
from trellis.web.dashboards.own import can_make
from trellis.web.faults import fault_text, refusal_text
from trellis.web.guard import needs
from trellis.web.i18n import say
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.reports.asked import NO_CHART, Asked, read_asked
from trellis.web.reports.back import NOT, looked_back
from trellis.web.reports.building.draft import KINDS
from trellis.web.reports.charts import chart_data
from trellis.web.reports.export import csv_of, file_name, xlsx_of
from trellis.web.reports.form import controls
from trellis.web.reports.links import Drill, report_address
from trellis.web.reports.narrowed import narrowed_words
from trellis.web.reports.ran import door_of, run_asked
from trellis.web.reports.read import tell_of_records
from trellis.web.reports.shelf import kept_reports
from trellis.web.reports.table import openings, table_of
from trellis.web.reports.variants import open_report, shareable_roles, variant_address
from trellis.web.reports.words import Words

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHART_ICONS = {
    "bar": "chart-bar",
    "line": "chart-line",
    "area": "chart-area-line",
    "pie": "chart-pie",
    "donut": "chart-donut",
    "funnel": "chart-funnel",
    "scatter": "chart-dots",
    "heatmap": "grid-dots",
    "gauge": "gauge",
    "treemap": "chart-treemap",
    "sankey": "chart-sankey",
    "map": "world",
}


@dataclass(frozen=True)
class Shelf:
    """Reports of one module."""

    label: Text | str
    reports: tuple[Report, ...]


class ReportsView(Page):
    """`/reports/` and `/reports/<key>`."""

    @expose("/reports/")  # type: ignore[untyped-decorator]
    @needs("reports")
    def index(self) -> Response:
        """The reports that this person may see, by module."""
        store, q = current_store(), request.args.get("q", "").strip()
        found, kept = [r for r in reports_of(store) if _fits(r, q)], kept_reports(store, q)
        count = len(found) + len(kept)
        waiting = sum(run.is_open or run.state == "done" for run in runs_of(store)) if not q else 0
        return self.draw("reports.html", waiting=waiting, shelves=_shelves(store, found), kept=kept, q=q, count=count)

    @expose("/reports/<key>")  # type: ignore[untyped-decorator]
    @needs("reports")
    def report(self, key: str) -> Response:
        """A report with its params, chart and table; what cannot be computed is said, and nothing typed is lost."""
        store = current_store()
        if (saved := saved_by(store, id_of(key))) is not None and saved.is_mine and not compiled(store, saved).report:
            return Response(
                status=303, headers={"Location": report_address(key, (), "/edit")}
            )  # what no longer fits is said at its controls
        report = report_of(store, key)
        asked, variants = open_report(store, report)
        reader, ran = store.principal.reader, run_asked(store, asked)
        words, answer, errors, codes = Words(reader), None, [], set()
        door = store
        try:
            door = door_of(store, ran)
            answer = run(door, report, asked.given, asked.wishes)
        except Refused as refused:
            errors = [fault_text(f) for f in refused.faults if f.field not in report.params]
            codes = {f.code for f in refused.faults}
        chosen = read_params(report, asked.given, door.principal.reader)
        back = NOT
        if answer is not None and ran is None and may_look_back(store, report):
            answer, back = looked_back(store, answer, words, request.args.get("stood", ""))
        places: dict[str, Any] = {
            **back,
            "report": report,
            "asked": asked,
            "controls": controls(store, report, chosen),
            "errors": errors,
            "ran": ran,
            "now_address": report_address(report.key, asked.parts(ran=None)),
            "can_wait": bool(codes & {TIMEOUT, "outgrown", "unready"}),
            "is_wrong": bool(chosen.faults),
            "answer": answer,
            "table": None,
            "chart": None,
            "choosable": _choosable(store, report),
            "narrowed": narrowed_words(store, report, asked.filters),
            "widened": report_address(report.key, asked.parts(filter=None)),
            "variants": variants,
            "variant_address": variant_address,
            "state": urlencode(asked.parts()),
            "can_pin": can_make(store),
            "can_share": not store.session.permit.is_portal,
            "roles_known": shareable_roles(store),
            "own": saved_by(store, id_of(key)),
            "subscription": subscription_of(store, report.key),
            "can_mail": is_set_up(store.tenant),
            "can_copy": report.type in KINDS and not report.union and is_seen(store, report),
        }
        if answer is not None:
            tell_of_records(answer, "list")
            places |= _shown(answer, asked, words)
        return self.draw("report.html", status=200 if answer is not None else 422, **places, **_tools(report, asked))

    @expose("/reports/<key>.csv")  # type: ignore[untyped-decorator]
    @needs("reports")
    def csv(self, key: str) -> Response:
        """The table as CSV."""
        answer, words = _answer(key)
        _tell_of_export(answer)
        response = Response(csv_of(answer, words), mimetype="text/csv")
        return named(response, file_name(answer, words, "csv"))

    @expose("/reports/<key>.xlsx")  # type: ignore[untyped-decorator]
    @needs("reports")
    def xlsx(self, key: str) -> Response:
        """The table as a workbook, with true numbers and dates."""
        answer, words = _answer(key)
        _tell_of_export(answer)
        response = Response(xlsx_of(answer, words), mimetype=XLSX)
        return named(response, file_name(answer, words, "xlsx"))


def _tell_of_export(answer: Answer) -> None:
    """To the audit log; and to the log of who reads personal data, where the rows are records."""
    store, report = current_store(), answer.report
    details = {"report": report.key, "count": len(answer.lines), "columns": [h.key for h in answer.headings]}
    with store.transaction():
        for entity in [b.entity for b in open_branches(store, report)] or [report.entity]:
            auditing.note(store.session, "data.exported", entity=entity, details=details)
    tell_of_records(answer, "export")


def _answer(key: str) -> tuple[Answer, Words]:
    """The whole answer, for a file."""
    store = current_store()
    report = report_of(store, key, EXPORT)
    asked = read_asked(report)
    wishes = Wishes(asked.sort, asked.columns, None, asked.filters, MOST[EXPORT], EXPORT)
    try:
        door = door_of(store, run_asked(store, asked))
        return run(door, report, asked.given, wishes), Words(store.principal.reader)
    except Refused as refused:
        abort(422, refusal_text(refused))


MOST_SHOWN = 2000  # lines on a page
FIXED = ("rfm", "cohort", "funnel", "forecast", "accuracy", "target")


def _choosable(store: Store, report: Report) -> list[tuple[str, Text]]:
    """The columns that one may leave out: measures, or what a table shows; not where a kind needs all of them."""
    if report.type in FIXED:
        return []
    pairs = [(m.key, m.label, m.formula) for m in report.measures] or [
        (c.key, c.label, c.formula) for c in report.columns
    ]
    return [(key, label) for key, label, f in pairs if not keeps_back(store, report, f)]


def _shown(answer: Answer, asked: Asked, words: Words) -> dict[str, Any]:
    """The table and the chart."""
    drill = Drill(answer, report_address(answer.report.key, asked.parts()))
    key = answer.report.key
    table = table_of(
        answer,
        words,
        drill,
        asked.sort,
        lambda column: report_address(key, asked.sorted_by(column)),
        entity_address,
    )
    chart = chart_data(answer, words, drill) if asked.chart != NO_CHART else None
    notes = [gettext(text, **params) for text, params in answer.notes]
    notes += openings(answer, words, drill)
    if len(table.rows) > MOST_SHOWN:
        notes.append(_("The first %(count)s lines; a file has all of them.", count=MOST_SHOWN))
        table = replace(table, rows=table.rows[:MOST_SHOWN])
    return {"table": table, "chart": chart, "notes": notes, "summary": _summary(answer, words)}


def _summary(answer: Answer, words: Words) -> str:
    """The chart in a sentence, for those who do not see it."""
    drawing = answer.drawing
    if drawing is None:
        return ""
    measure = words.text(drawing.measure.label) if drawing.measure else ""
    return str(
        _(
            "Chart of %(measure)s with %(count)s values; the table below says the same.",
            measure=measure,
            count=len(drawing.categories),
        )
    )


def _tools(report: Report, asked: Asked) -> dict[str, Any]:
    """Addresses of the page's tools."""
    from trellis.reports.registry import kind_of

    charts = [
        (name, CHART_ICONS.get(name, "chart-bar"), report_address(report.key, asked.parts(chart=name)))
        for name in kind_of(report.type).charts
    ]
    return {
        "charts": charts,
        "no_chart": report_address(report.key, asked.parts(chart=NO_CHART)),
        "csv": report_address(report.key, asked.parts(chart=None), ".csv"),
        "xlsx": report_address(report.key, asked.parts(chart=None), ".xlsx"),
        "plain": report_address(report.key),
        "chart_labels": chart_labels(),
    }


def chart_labels() -> dict[str, str]:
    """What the kinds of charts are called."""
    return {
        "bar": _("Bars"),
        "line": _("Line"),
        "area": _("Area"),
        "pie": _("Pie"),
        "donut": _("Donut"),
        "funnel": _("Funnel"),
        "scatter": _("Points"),
        "heatmap": _("Heat map"),
        "gauge": _("Gauge"),
        "treemap": _("Tree map"),
        "sankey": _("Flows"),
        "map": _("World map"),
    }


def _fits(report: Report, q: str) -> bool:
    words = f"{say(report.label)} {say(report.description)} {report.label.source}".casefold()
    return all(part in words for part in q.casefold().split())


def _shelves(store: Store, reports: Sequence[Report]) -> list[Shelf]:
    modules = store.tenant.model.modules
    by_module: dict[str, list[Report]] = {key: [] for key in modules}
    for report in reports:
        by_module.setdefault(report.module or "", []).append(report)
    return [
        Shelf(modules[key].label if key in modules else _("Other"), tuple(found))
        for key, found in by_module.items()
        if found
    ]
