"""One look at one widget: who looks, what is chosen, and what the drawers of all kinds need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from trellis.model.dashboards.dashboard import Dashboard, Widget
from trellis.model.reports.report import Order
from trellis.records.refusal import Missing
from trellis.reports.asking import Wishes
from trellis.reports.dashboards.chosen import Choice, Narrowed
from trellis.reports.dashboards.figures import Figures
from trellis.reports.dashboards.seen import is_on
from trellis.reports.run import report_of, run
from trellis.web.reports.links import Drill, report_address
from trellis.web.reports.read import tell_of_records
from trellis.web.reports.words import Words

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.reports.report import Report
    from trellis.records.store import Store
    from trellis.reports.result import Answer

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Looking:
    """A widget in front of one reader."""

    store: Store
    dashboard: Dashboard
    widget: Widget
    choice: Choice

    @cached_property
    def words(self) -> Words:
        """Writes values for the reader."""
        return Words(self.store.principal.reader)

    @cached_property
    def figures(self) -> Figures:
        """Computes single numbers."""
        return Figures(self.store, self.dashboard, self.choice)

    @cached_property
    def narrowed(self) -> Narrowed:
        """What the widget asks."""
        return self.figures.narrowed(self.widget)

    @cached_property
    def report(self) -> Report:
        """The widget's report. Raises Missing, Forbidden where it is not for this person."""
        return report_of(self.store, self.widget.report or "")

    @cached_property
    def entity(self) -> Entity:
        """The widget's entity. Raises Missing where it is not for this person."""
        key = self.widget.entity or ""
        if not self.store.may("read", key) or not is_on(self.store, key):
            raise Missing(f"entity {key}")
        return self.store.tenant.model.entities[key]

    def answer(self, chart: str | None = None, columns: tuple[str, ...] = ()) -> Answer:
        """The whole report, for what is chosen. Raises Refused."""
        wishes = Wishes(self.order, columns, chart, self.narrowed.filters)
        found = run(self.store, self.report, self.narrowed.given, wishes)
        tell_of_records(found, "list")
        return found

    @cached_property
    def order(self) -> tuple[Order, ...]:
        """The order of a report's lines, where the widget has one of its own."""
        return tuple(Order(key.removeprefix("-"), key.startswith("-")) for key in self.widget.sort)

    @cached_property
    def address(self) -> str:
        """The report as the widget shows it: with the same filters, order, columns and chart."""
        widget, more = self.widget, []
        if widget.sort:
            more.append(("sort", ",".join(widget.sort)))
        if widget.kind == "table" and widget.columns:
            more.append(("cols", ",".join(widget.columns)))
        if widget.chart:
            more.append(("chart", widget.chart))
        return report_address(self.report.key, [*self.narrowed.parts, *more])

    def drill(self, answer: Answer) -> Drill:
        """The way from the report's numbers to their records."""
        return Drill(answer, self.address)


Drawer = Callable[[Looking], Values]
DRAWERS: dict[str, Drawer] = {}
MODULES = ("numbers", "reports", "records", "others")


def drawer(kind: str) -> Callable[[Drawer], Drawer]:
    """Declare what a template of a kind is filled with: dashboards/<kind>.html."""

    def register(made: Drawer) -> Drawer:
        DRAWERS[kind] = made
        return made

    return register


def drawn(looking: Looking) -> Values:
    """What the template of the widget's kind is filled with. Raises Refused, Missing, Forbidden."""
    for module in MODULES:
        import_module(f"trellis.web.dashboards.{module}")
    return DRAWERS[looking.widget.kind](looking)
