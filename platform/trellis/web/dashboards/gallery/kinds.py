"""The widgets of the gallery: what each asks, and the YAML that the answers are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Protocol

from flask_babel import gettext as _

from trellis.model.reports.report import Report
from trellis.reports.registry import kind_of
from trellis.web.context import may
from trellis.web.dashboards.gallery.controls import Control, Desk, Options, grouped, totals
from trellis.web.dashboards.periods import offered as periods
from trellis.web.i18n import say
from trellis.web.reports.building.parts import number_in
from trellis.web.reports.words import Words

Data = dict[str, Any]
Size = tuple[int, int]


class Offered(Protocol):
    """A kind of widget in the gallery. `sizes`: small, medium, large."""

    icon: ClassVar[str]
    sizes: ClassVar[tuple[Size, Size, Size]]

    def controls(self, desk: Desk) -> list[Control]:
        """What is asked."""

    def data(self, desk: Desk) -> Data:
        """What the answers are in YAML."""

    def given(self, data: Data) -> dict[str, list[str]]:
        """What a widget's YAML stands for in the form."""


OFFERED: dict[str, Offered] = {}


def offered(name: str) -> Callable[[type[Offered]], type[Offered]]:
    """Declare what the gallery asks for a kind of widget."""

    def register(cls: type[Offered]) -> type[Offered]:
        OFFERED[name] = cls()
        return cls

    return register


def offered_kinds() -> list[str]:
    """The kinds that this person may put on a dashboard: a page of another site only administrators."""
    return [kind for kind in known_kinds() if kind != "page" or may("admin")]


def known_kinds() -> list[str]:
    """Every kind that the gallery knows."""
    import_module("trellis.web.dashboards.gallery.records")
    return list(OFFERED)


def kind_words() -> dict[str, tuple[str, str]]:
    """What the kinds are called, and what they are for."""
    return {
        "number": (_("Number"), _("A total with what it was before and how it has gone")),
        "chart": (_("Chart"), _("The chart of a report")),
        "table": (_("Table"), _("The lines of a report")),
        "funnel": (_("Funnel"), _("The stages of a pipeline as bars")),
        "gauge": (_("Gauge"), _("How much of a target is reached")),
        "leaders": (_("Ranking"), _("Who or what is first, with bars")),
        "list": (_("List"), _("Records of a view")),
        "calendar": (_("Calendar"), _("What falls on the next days")),
        "feed": (_("News"), _("The newest records")),
        "work": (_("My work"), _("What waits for whoever looks")),
        "text": (_("Text"), _("A note for everybody who looks")),
        "page": (_("Page"), _("A page of another site")),
    }


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────


def _report_control(desk: Desk) -> Control:
    pairs = [(group, (r.key, say(r.label))) for group, r in desk.reports]
    chosen = desk.report.key if desk.report is not None else ""
    return Control("report", _("Report"), value=chosen, groups=grouped(pairs), redraws=True)


def choice(desk: Desk, name: str, label: str, options: Options, usual: str = "", hint: str = "") -> Control:
    """A choice among options."""
    said = desk.said(name, usual)
    value = said if said in {key for key, _label in options} else usual
    return Control(name, label, value=value, groups=[("", options)], hint=hint)


def _measure(desk: Desk, report: Report) -> list[Control]:
    known = {m.key: m for m in report.measures}
    options = [(key, say(known[key].label)) for key in totals(report)]
    return [choice(desk, "measure", _("What is counted"), options, options[0][0])] if len(options) > 1 else []


def _period(desk: Desk, report: Report) -> list[Control]:
    if report.date is None or report.type == "trend":
        return []
    words = Words(desk.store.principal.reader)
    usual = _("as the dashboard says") if desk.dashboard.filters else _("All time")
    options = [("", str(usual)), *periods(words)]
    return [choice(desk, "period", _("Period"), options)]


def limit(desk: Desk, usual: str) -> Control:
    """How many."""
    return Control("limit", _("At most"), "number", desk.said("limit", usual))


def _said(desk: Desk, *names: str) -> Data:
    """The answers of some controls, without those that say nothing."""
    return {name: text for name in names if (text := desk.said(name))}


def counted(desk: Desk, *names: str) -> Data:
    """The numbers that some controls say."""
    return {name: number_in(text) for name in names if (text := desk.said(name))}


def back(data: Data, kind: str, first: str, *names: str) -> dict[str, list[str]]:
    """A widget\'s YAML as its form says it."""
    return {first: [str(data.get(kind, ""))], **{n: [str(data[n])] for n in names if data.get(n) is not None}}


# ── reports ──────────────────────────────────────────────────────────────────────────────────────────────────


class OfReport:
    """What all widgets of reports have."""

    kind: ClassVar[str]
    icon: ClassVar[str]
    sizes: ClassVar[tuple[Size, Size, Size]]
    texts: ClassVar[tuple[str, ...]] = ()
    counts: ClassVar[tuple[str, ...]] = ()

    def controls(self, desk: Desk) -> list[Control]:
        """The report, and what its kind asks more."""
        report = desk.report
        return [_report_control(desk), *(self.more(desk, report) if report is not None else ())]

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """What the kind asks beside the report."""
        return ()

    def data(self, desk: Desk) -> Data:
        """The report, and what was chosen."""
        shown = {c.name for c in self.controls(desk)}
        texts = _said(desk, *(n for n in self.texts if n in shown))
        counts = counted(desk, *(n for n in self.counts if n in shown))
        return {self.kind: desk.report.key if desk.report is not None else "", **texts, **counts}

    def given(self, data: Data) -> dict[str, list[str]]:
        """What was chosen."""
        return back(data, self.kind, "report", *self.texts, *self.counts)


@offered("number")
class Number(OfReport):
    """A total."""

    kind, icon, sizes = "number", "number-123", ((3, 2), (4, 2), (6, 2))
    texts = ("measure", "period", "compare", "better")

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """The measure, its period, what it is compared with."""
        found = [*_measure(desk, report), *_period(desk, report)]
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

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """How many lines."""
        return [limit(desk, "20")]


@offered("funnel")
class Funnel(OfReport):
    """A funnel."""

    kind, icon, sizes = "funnel", "filter", ((4, 5), (6, 6), (12, 6))


@offered("gauge")
class Gauge(OfReport):
    """A part of a target."""

    kind, icon, sizes = "gauge", "gauge", ((3, 4), (4, 5), (6, 6))
    texts = ("measure", "period")
    counts = ("target",)

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """The measure, and the target where the report has none."""
        found = [*_measure(desk, report), *_period(desk, report)]
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

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """What ranks, and how many."""
        better = choice(desk, "better", _("Better is"), [("", _("more")), ("less", _("less"))])
        return [*_measure(desk, report), better, limit(desk, "10")]


@dataclass(frozen=True)
class Sized:
    """A size that is offered."""

    key: str
    label: str
    width: int
    height: int


def sizes_of(kind: str) -> list[Sized]:
    """Small, medium, large."""
    labels = {"s": _("Small"), "m": _("Medium"), "l": _("Large")}
    return [
        Sized(key, str(labels[key]), width, height)
        for key, (width, height) in zip(labels, OFFERED[kind].sizes, strict=True)
    ]
