"""The widgets of the gallery that show reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from flask_babel import gettext as _

from trellis.model.reports.report import Report
from trellis.reports.registry import kind_of
from trellis.web.dashboards.gallery.controls import Control, Desk
from trellis.web.dashboards.gallery.parts import (
    back,
    choice,
    counted,
    limit,
    measure_control,
    period_control,
    report_control,
    said_texts,
)
from trellis.web.dashboards.gallery.registry import Data, Kind, Size, offered


class OfReport(Kind):
    """What all widgets of reports have."""

    kind: ClassVar[str]
    icon: ClassVar[str]
    sizes: ClassVar[tuple[Size, Size, Size]]
    texts: ClassVar[tuple[str, ...]] = ()
    counts: ClassVar[tuple[str, ...]] = ()

    def controls(self, desk: Desk) -> list[Control]:
        """The report, and what its kind asks more."""
        report = desk.report
        return [report_control(desk), *(self.more(desk, report) if report is not None else ())]

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """What the kind asks beside the report."""
        return ()

    def data(self, desk: Desk) -> Data:
        """The report, and what was chosen."""
        shown = {c.name for c in self.controls(desk)}
        texts = said_texts(desk, *(n for n in self.texts if n in shown))
        counts = counted(desk, *(n for n in self.counts if n in shown))
        return {self.kind: desk.report.key if desk.report is not None else "", **texts, **counts}

    def given(self, data: Data) -> dict[str, list[str]]:
        """What was chosen."""
        return back(data, self.kind, "report", *self.texts, *self.counts)

    def lacks(self, desk: Desk) -> dict[str, str]:
        """A report."""
        return {} if desk.report is not None else {"": str(_("There is no report that fits."))}


@offered("number")
class Number(OfReport):
    """A total."""

    kind, icon, sizes = "number", "number-123", ((3, 2), (4, 2), (6, 2))
    texts = ("measure", "period", "compare", "better")

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("Number"), _("A total with what it was before and how it has gone")

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """The measure, its period, what it is compared with."""
        found = [*measure_control(desk, report), *period_control(desk, report)]
        if report.date is not None and report.type != "trend":
            compares = [
                ("", _("without a comparison")),
                ("previous_period", _("with the period before")),
                ("previous_year", _("with the year before")),
            ]
            hint = _("Shown while a period is chosen.")
            found.append(choice(desk, "compare", _("Comparison"), compares, "previous_period", hint))
        if report.date is not None or report.type == "trend":
            found.append(choice(desk, "better", _("Better is"), [("", _("more")), ("less", _("less"))]))
        return found


@offered("chart")
class Chart(OfReport):
    """A chart."""

    kind, icon, sizes = "chart", "chart-bar", ((4, 5), (6, 6), (12, 7))
    texts = ("type",)

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("Chart"), _("The chart of a report")

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """How it is drawn."""
        from trellis.web.pages.reports import chart_labels

        labels = chart_labels()
        kinds = [("", str(_("as the report"))), *((key, labels[key]) for key in kind_of(report.type).charts)]
        return [choice(desk, "type", _("Drawn as"), kinds)]


@offered("table")
class Table(OfReport):
    """A table."""

    kind, icon, sizes = "table", "table", ((4, 5), (6, 6), (12, 7))
    counts = ("limit",)

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("Table"), _("The lines of a report")

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """How many lines."""
        return [limit(desk, "20")]


@offered("funnel")
class Funnel(OfReport):
    """A funnel."""

    kind, icon, sizes = "funnel", "filter", ((4, 5), (6, 6), (12, 6))

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("Funnel"), _("The stages of a pipeline as bars")


@offered("gauge")
class Gauge(OfReport):
    """A part of a target."""

    kind, icon, sizes = "gauge", "gauge", ((3, 4), (4, 5), (6, 6))
    texts = ("measure", "period")
    counts = ("target",)

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("Gauge"), _("How much of a target is reached")

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """The measure, and the target where the report has none."""
        found = [*measure_control(desk, report), *period_control(desk, report)]
        if report.type != "target":
            hint = _("How much is wanted.")
            found.append(Control("target", _("Target"), "number", desk.said("target", "100"), hint=str(hint)))
        return found


@offered("leaders")
class Leaders(OfReport):
    """A ranking."""

    kind, icon, sizes = "leaders", "trophy", ((4, 6), (6, 6), (12, 6))
    texts = ("measure", "better")
    counts = ("limit",)

    def words(self) -> tuple[str, str]:
        """What it is called, and what it is for."""
        return _("Ranking"), _("Who or what is first, with bars")

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """What ranks, and how many."""
        better = choice(desk, "better", _("Better is"), [("", _("more")), ("less", _("less"))])
        return [*measure_control(desk, report), better, limit(desk, "10")]
