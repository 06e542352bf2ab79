"""What the kinds of the gallery ask in the same way, and how answers become YAML."""

from __future__ import annotations

from flask_babel import gettext as _

from trellis.model.reports.report import Report
from trellis.web.dashboards.gallery.controls import Control, Desk, Options, grouped, totals
from trellis.web.dashboards.gallery.registry import Data
from trellis.web.dashboards.periods import offered as periods
from trellis.web.i18n import say
from trellis.web.reports.building.parts import number_in
from trellis.web.reports.words import Words


def report_control(desk: Desk) -> Control:
    """Which report."""
    pairs = [(group, (r.key, say(r.label))) for group, r in desk.reports]
    chosen = desk.report.key if desk.report is not None else ""
    return Control("report", _("Report"), value=chosen, groups=grouped(pairs), redraws=True)


def choice(desk: Desk, name: str, label: str, options: Options, usual: str = "", hint: str = "") -> Control:
    """A choice among options."""
    said = desk.said(name, usual)
    value = said if said in {key for key, _label in options} else usual
    return Control(name, label, value=value, groups=[("", options)], hint=hint)


def measure_control(desk: Desk, report: Report) -> list[Control]:
    """Which of its measures, where there are several."""
    known = {m.key: m for m in report.measures}
    options = [(key, say(known[key].label)) for key in totals(report)]
    return [choice(desk, "measure", _("What is counted"), options, options[0][0])] if len(options) > 1 else []


def period_control(desk: Desk, report: Report) -> list[Control]:
    """Which period, where records have a day."""
    if report.date is None or report.type == "trend":
        return []
    words = Words(desk.store.principal.reader)
    usual = _("as the dashboard says") if desk.dashboard.filters else _("All time")
    options = [("", str(usual)), *periods(words)]
    return [choice(desk, "period", _("Period"), options)]


def limit(desk: Desk, usual: str) -> Control:
    """How many."""
    return Control("limit", _("At most"), "number", desk.said("limit", usual))


def said_texts(desk: Desk, *names: str) -> Data:
    """The answers of some controls, without those that say nothing."""
    return {name: text for name in names if (text := desk.said(name))}


def counted(desk: Desk, *names: str) -> Data:
    """The numbers that some controls say."""
    return {name: number_in(text) for name in names if (text := desk.said(name))}


def back(data: Data, kind: str, first: str, *names: str) -> dict[str, list[str]]:
    """A widget's YAML as its form says it."""
    return {first: [str(data.get(kind, ""))], **{n: [str(data[n])] for n in names if data.get(n) is not None}}
