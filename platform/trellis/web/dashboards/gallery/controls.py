"""What the gallery asks: controls as data, and what one person can choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from flask_babel import gettext as _

from trellis.model.dashboards.dashboard import Dashboard
from trellis.model.dashboards.kinds import GROUPED, KINDS, WITH_TOTAL, WITHOUT_CHART
from trellis.model.entity import Entity
from trellis.model.reports.report import Report
from trellis.records.store import Store
from trellis.reports.own.compiled import own_reports
from trellis.reports.registry import kind_of
from trellis.reports.seen import reports_of
from trellis.web.i18n import say

Options = Sequence[tuple[str, str]]
Kind = Literal["select", "number", "text", "area", "checks", "check"]
LONGEST = 4000
BEGUN = ("deal", "purchase", "project")  # what is shown before anybody has chosen


@dataclass(frozen=True)
class Control:
    """One control of the form. `redraws`: what is offered below hangs on it."""

    name: str
    label: str
    kind: Kind = "select"
    value: str = ""
    values: tuple[str, ...] = ()  # of checks
    groups: Sequence[tuple[str, Options]] = ()
    hint: str = ""
    placeholder: str = ""
    redraws: bool = False


@dataclass(frozen=True)
class Desk:
    """One look at the gallery: who looks, at which dashboard, what stands in the form."""

    store: Store
    dashboard: Dashboard
    kind: str
    given: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def said(self, name: str, usual: str = "") -> str:
        """What a control says; `usual` where nobody has touched it."""
        found = self.given.get(name)
        return usual if not found else found[0].strip()[:LONGEST]

    @cached_property
    def reports(self) -> list[tuple[str, Report]]:
        """The reports that fit the kind, each with what its group is called: one's own first."""
        model = self.store.tenant.model
        found = [(_("My own") if saved.is_mine else _("Shared with me"), r) for saved, r in own_reports(self.store)]
        for report in reports_of(self.store):
            module = model.modules.get(report.module or "")
            found.append((say(module.label) if module is not None else _("Other"), report))
        return [(str(group), r) for group, r in found if fits(self.kind, r)]

    @cached_property
    def report(self) -> Report | None:
        """The report that is chosen, else the first."""
        known = {report.key: report for _group, report in self.reports}
        begun = next((r for r in known.values() if r.is_own or r.entity in BEGUN), None)
        return known.get(self.said("report")) or begun or next(iter(known.values()), None)

    @cached_property
    def entities(self) -> list[Entity]:
        """The entities whose records this person may read, by name."""
        model, modules = self.store.tenant.model, self.store.tenant.profile.modules
        found = [
            e
            for e in model.entities.values()
            if self.store.may("read", e.key) and (modules is None or e.module is None or e.module in modules)
        ]
        return sorted(found, key=lambda e: say(e.plural).casefold())


def fits(kind: str, report: Report) -> bool:
    """Whether a kind of widget shows such a report."""
    match kind:
        case "number" | "gauge":
            return report.type in WITH_TOTAL and bool(totals(report))
        case "leaders":
            return report.type in GROUPED and bool(report.groups)
        case "funnel":
            return report.type == "funnel"
        case "chart":
            return report.type not in WITHOUT_CHART and bool(kind_of(report.type).charts)
    return kind == "table"


def totals(report: Report) -> list[str]:
    """The measures of a report that have a total."""
    return [m.key for m in report.measures if m.over is None]


def kinds_for(report: Report) -> list[str]:
    """The kinds of widgets that a report can be pinned as; the most telling first."""
    order = ("funnel", "chart", "table", "number", "leaders", "gauge")
    return [k for k in order if k in KINDS and fits(k, report) and (k != "gauge" or report.type == "target")]


def grouped(pairs: Sequence[tuple[str, tuple[str, str]]]) -> list[tuple[str, Options]]:
    """Options under the headings that stand before them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for group, option in pairs:
        found.setdefault(group, []).append(option)
    return list(found.items())
