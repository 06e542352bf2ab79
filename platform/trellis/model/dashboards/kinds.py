"""The kinds of widgets: one class each, with what may be written and what it must mean. What draws it has its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from trellis.config.naming import NAMES, widget_names
from trellis.model.kinds.parts import FORMULA, INTEGER, NAME, NAME_OR_NAMES, TEXT, VALUE, Schema, mapping, one_of

if TYPE_CHECKING:
    from trellis.model.compile.dashboards.draft import WidgetDraft


class WidgetKind(Protocol):
    """A kind of widget: `value` is what stands under its own word, `options` what may stand beside it."""

    doc: ClassVar[str]
    value: ClassVar[Schema]
    options: ClassVar[Mapping[str, Schema]]
    size: ClassVar[tuple[int, int]]

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """What the Model keeps of it."""


KINDS: dict[str, WidgetKind] = {}
REPORT: Schema = {**NAME, NAMES: "report"}
ENTITY: Schema = {**NAME, NAMES: "entity"}
COMPARE = one_of("previous_period", "previous_year")
OF_REPORT: Mapping[str, Schema] = {"filter": FORMULA, "filters": NAME_OR_NAMES, "params": mapping(VALUE, None)}
WITH_TOTAL = ("summary", "pivot", "ageing", "target", "trend", "forecast")
GROUPED = ("summary", "target", "trend")
WITHOUT_CHART = ("table", "list", "rfm")
LARGEST = 50


def widget_kind(name: str) -> Any:
    """Declare a kind of widget."""

    def register(cls: type[Any]) -> type[Any]:
        KINDS[name] = cls()
        if named := cls.value.get(NAMES):
            widget_names(name, named)
        return cls

    return register


@widget_kind("number")
class Number:
    """A number, with what it was before and how it has gone."""

    doc = "a report whose total is shown"
    value = REPORT
    options: ClassVar[Mapping[str, Schema]] = {
        **OF_REPORT,
        "measure": NAME,
        "also": NAME,
        "period": NAME,
        "compare": COMPARE,
        "better": one_of("more", "less"),
        "spark": one_of("none", "day", "week", "month", "quarter"),
    }
    size = (3, 2)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The report, its measure, what it is compared with."""
        found = draft.of_report("number", WITH_TOTAL)
        report = draft.report
        if report is not None and (draft.word("compare") or draft.word("spark") not in ("", "none")):
            draft.need_date(report)
        return {
            **found,
            "measure": draft.measure("measure"),
            "also": draft.measure("also"),
            "period": draft.period(),
            "compare": draft.word("compare") or None,
            "spark": draft.word("spark") or None,
            "is_less_better": draft.word("better") == "less",
        }


@widget_kind("chart")
class Chart:
    """A report as a chart."""

    doc = "a report whose chart is shown"
    value = REPORT
    options: ClassVar[Mapping[str, Schema]] = {
        **OF_REPORT,
        "type": one_of(
            "bar", "line", "area", "pie", "donut", "funnel", "scatter", "heatmap", "gauge", "treemap", "sankey", "map"
        ),
        "sort": NAME_OR_NAMES,
    }
    size = (6, 6)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The report, and how it is drawn when not as it says itself."""
        found = draft.of_report("chart", without=WITHOUT_CHART)
        return {**found, "chart": draft.word("type") or None, "sort": draft.report_order()}


@widget_kind("table")
class Table:
    """A report as a table."""

    doc = "a report whose table is shown"
    value = REPORT
    options: ClassVar[Mapping[str, Schema]] = {
        **OF_REPORT,
        "columns": {"type": "array", "items": NAME},
        "sort": NAME_OR_NAMES,
        "limit": {"type": "integer", "minimum": 1, "maximum": LARGEST},
    }
    size = (6, 6)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The report, some of its columns, their order, how many lines."""
        return {
            **draft.of_report("table"),
            "columns": draft.report_columns(),
            "sort": draft.report_order(),
            "limit": draft.number("limit"),
        }


@widget_kind("funnel")
class Funnel:
    """A pipeline as steps, each with the part that came this far."""

    doc = "a report of the type funnel"
    value = REPORT
    options: ClassVar[Mapping[str, Schema]] = OF_REPORT
    size = (5, 6)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The report."""
        return draft.of_report("funnel", ("funnel",))


@widget_kind("gauge")
class Gauge:
    """How much of a target is reached."""

    doc = "a report of the type target, or another one with `target:`"
    value = REPORT
    options: ClassVar[Mapping[str, Schema]] = {**OF_REPORT, "measure": NAME, "target": FORMULA, "period": NAME}
    size = (3, 4)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The report, its measure and the target."""
        found = draft.of_report("gauge", WITH_TOTAL)
        if draft.report is not None and draft.report.type != "target" and draft.item.get("target") is None:
            draft.problem("E204", "'target' is missing: how much is wanted", draft.item, at_key=True)
        target = draft.constant("target", "number", "money")
        return {**found, "measure": draft.measure("measure"), "target": target, "period": draft.period()}


@widget_kind("leaders")
class Leaders:
    """Who is first: the groups of a report as a ranking with bars."""

    doc = "a report with groups, as a ranking"
    value = REPORT
    options: ClassVar[Mapping[str, Schema]] = {
        **OF_REPORT,
        "measure": NAME,
        "limit": {"type": "integer", "minimum": 1, "maximum": LARGEST},
        "better": one_of("more", "less"),
    }
    size = (4, 6)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The report, the measure that ranks, how many."""
        return {
            **draft.of_report("leaders", GROUPED),
            "measure": draft.measure("measure"),
            "limit": draft.number("limit"),
            "is_less_better": draft.word("better") == "less",
        }


@widget_kind("list")
class List:
    """Records of a view."""

    doc = "an entity and one of its views: deal.open"
    value = ENTITY
    options: ClassVar[Mapping[str, Schema]] = {
        "filter": FORMULA,
        "filters": NAME_OR_NAMES,
        "columns": {"type": "array", "items": NAME},
        "sort": NAME_OR_NAMES,
        "limit": {"type": "integer", "minimum": 1, "maximum": LARGEST},
    }
    size = (6, 6)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The entity, the view, further columns and conditions."""
        found = draft.of_view("list")
        return {
            **found,
            "columns": draft.paths("columns"),
            "sort": draft.paths("sort"),
            "limit": draft.number("limit"),
        }


@widget_kind("calendar")
class Calendar:
    """The next days of a view with dates."""

    doc = "an entity and one of its calendars: event.plan"
    value = ENTITY
    options: ClassVar[Mapping[str, Schema]] = {
        "filter": FORMULA,
        "filters": NAME_OR_NAMES,
        "days": {"type": "integer", "minimum": 1, "maximum": 90},
    }
    size = (4, 6)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The entity, the view, how many days ahead."""
        return {**draft.of_view("calendar", "calendar"), "limit": draft.number("days")}


@widget_kind("feed")
class Feed:
    """What is new among the records of some entities."""

    doc = "entities whose newest records are told"
    value: ClassVar[Schema] = {**NAME_OR_NAMES, NAMES: "entity"}
    options: ClassVar[Mapping[str, Schema]] = {"limit": {"type": "integer", "minimum": 1, "maximum": LARGEST}}
    size = (4, 6)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The entities."""
        return {"entities": draft.entities("feed"), "limit": draft.number("limit")}


@widget_kind("work")
class Work:
    """What waits for the reader."""

    doc = "today: what is due; coming: the next two weeks; recent: what was looked at last"
    value = one_of("today", "coming", "recent")
    options: ClassVar[Mapping[str, Schema]] = {}
    size = (4, 6)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """Which."""
        return {"about": draft.word("work")}


@widget_kind("text")
class Note:
    """A text for everybody who looks."""

    doc = "a text in Markdown"
    value = TEXT
    options: ClassVar[Mapping[str, Schema]] = {}
    size = (4, 3)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The text in every language."""
        return {"text": draft.text("text")}


@widget_kind("page")
class Page:
    """A page of another site, in a frame of its own."""

    doc = "the address of a page that may be shown in a frame: https://…"
    value = NAME
    options: ClassVar[Mapping[str, Schema]] = {}
    size = (6, 6)

    def compile(self, draft: WidgetDraft) -> dict[str, Any]:
        """The address."""
        return {"url": draft.address("page")}


COMMON: Mapping[str, Schema] = {
    "label": TEXT,
    "note": TEXT,
    "at": {"type": "array", "items": INTEGER, "minItems": 4, "maxItems": 4},
    "roles": NAME_OR_NAMES,
    "icon": NAME,
    "color": NAME,
}
"""What every widget may say."""

__all__ = ["COMMON", "KINDS", "WidgetKind"]
