"""The widgets of the gallery: what each asks, and the YAML that the answers are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from flask_babel import gettext as _

from trellis.model.reports.report import Report
from trellis.reports.registry import kind_of
from trellis.web.context import may
from trellis.web.dashboards.gallery.controls import Control, Desk, Options, grouped, totals
from trellis.web.dashboards.periods import offered as periods
from trellis.web.i18n import say
from trellis.web.reports.words import Words

Data = dict[str, Any]
Size = tuple[int, int]
ENTITIES = 8  # of a feed


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
    return [kind for kind in OFFERED if kind != "page" or may("admin")]


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


def _choice(desk: Desk, name: str, label: str, options: Options, usual: str = "", hint: str = "") -> Control:
    said = desk.said(name, usual)
    value = said if said in {key for key, _label in options} else usual
    return Control(name, label, value=value, groups=[("", options)], hint=hint)


def _measure(desk: Desk, report: Report) -> list[Control]:
    known = {m.key: m for m in report.measures}
    options = [(key, say(known[key].label)) for key in totals(report)]
    return [_choice(desk, "measure", _("What is counted"), options, options[0][0])] if len(options) > 1 else []


def _period(desk: Desk, report: Report) -> list[Control]:
    if report.date is None or report.type == "trend":
        return []
    words = Words(desk.store.principal.reader)
    usual = _("as the dashboard says") if desk.dashboard.filters else _("All time")
    options = [("", str(usual)), *periods(words)]
    return [_choice(desk, "period", _("Period"), options)]


def _limit(desk: Desk, usual: str) -> Control:
    return Control("limit", _("At most"), "number", desk.said("limit", usual))


def _number(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdigit() else text


def _said(desk: Desk, *names: str) -> Data:
    """The answers of some controls, without those that say nothing."""
    return {name: text for name in names if (text := desk.said(name))}


def _counted(desk: Desk, *names: str) -> Data:
    return {name: _number(text) for name in names if (text := desk.said(name))}


def _back(data: Data, kind: str, first: str, *names: str) -> dict[str, list[str]]:
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
        counts = _counted(desk, *(n for n in self.counts if n in shown))
        return {self.kind: desk.report.key if desk.report is not None else "", **texts, **counts}

    def given(self, data: Data) -> dict[str, list[str]]:
        """What was chosen."""
        return _back(data, self.kind, "report", *self.texts, *self.counts)


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
            found.append(_choice(desk, "compare", _("Comparison"), compares, "previous_period", hint))
        if report.date is not None or report.type == "trend":
            found.append(_choice(desk, "better", _("Better is"), [("", _("more")), ("less", _("less"))]))
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
        return [_choice(desk, "type", _("Drawn as"), kinds)]


@offered("table")
class Table(OfReport):
    """A table."""

    kind, icon, sizes = "table", "table", ((4, 5), (6, 6), (12, 7))
    counts = ("limit",)

    def more(self, desk: Desk, report: Report) -> Sequence[Control]:
        """How many lines."""
        return [_limit(desk, "20")]


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
        better = _choice(desk, "better", _("Better is"), [("", _("more")), ("less", _("less"))])
        return [*_measure(desk, report), better, _limit(desk, "10")]


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────


@offered("list")
class List:
    """Records of a view."""

    icon: ClassVar[str] = "list"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((4, 5), (6, 6), (12, 6))

    def controls(self, desk: Desk) -> list[Control]:
        """The entity, its view, whose."""
        chosen = self._entity(desk)
        entities = [(e.key, say(e.plural)) for e in desk.entities]
        found = [Control("entity", _("Records of"), value=chosen, groups=[("", entities)], redraws=True)]
        entity = desk.store.tenant.model.entities.get(chosen)
        if entity is None:
            return found
        views = [(v.key, say(v.label)) for v in entity.views.values() if v.type == "list"]
        views = views if any(key == "all" for key, _label in views) else [*views, ("", str(_("All")))]
        found.append(_choice(desk, "view", _("View"), views, views[0][0]))
        if entity.owner_field:
            whose = [("", _("Everybody’s")), ("me", _("Only those of whoever looks"))]
            found.append(_choice(desk, "whose", _("Whose"), whose))
        elif desk.said("filter"):
            found.append(Control("filter", _("Condition"), "text", desk.said("filter")))
        return [*found, _limit(desk, "20")]

    def _entity(self, desk: Desk) -> str:
        known = [e.key for e in desk.entities]
        usual = next((k for k in ("deal", "lead", "account") if k in known), known[0] if known else "")
        return desk.said("entity") if desk.said("entity") in known else usual

    def data(self, desk: Desk) -> Data:
        """The view, and what narrows it."""
        entity = self._entity(desk)
        views = desk.store.tenant.model.entities[entity].views if entity else {}
        said = desk.said("view", next((v.key for v in views.values() if v.type == "list"), ""))
        view = said if said in views else ""
        found: Data = {"list": f"{entity}.{view}" if view else entity}
        owner = desk.store.tenant.model.entities[entity].owner_field if entity else None
        if desk.said("whose") == "me" and owner:
            found["filter"] = f"{owner} == me"
        elif desk.said("filter"):
            found["filter"] = desk.said("filter")
        return {**found, **_counted(desk, "limit")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """The entity, its view, whose."""
        entity, _dot, view = str(data.get("list", "")).partition(".")
        found = {"entity": [entity], "view": [view]}
        where = str(data.get("filter", ""))
        if where.endswith(" == me") and " " not in where.removesuffix(" == me"):
            found["whose"] = ["me"]
        elif where:
            found["filter"] = [where]
        return {**found, **({"limit": [str(data["limit"])]} if data.get("limit") else {})}


@offered("calendar")
class Calendar:
    """The next days."""

    icon: ClassVar[str] = "calendar"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((3, 5), (4, 6), (6, 8))

    def controls(self, desk: Desk) -> list[Control]:
        """Whose calendar, and how many days."""
        options = [
            (f"{e.key}.{v.key}", f"{say(e.plural)} · {say(v.label)}" if say(v.label) != say(e.plural) else say(v.label))
            for e in desk.entities
            for v in e.views.values()
            if v.type == "calendar" and v.start
        ]
        found = [_choice(desk, "calendar", _("Calendar"), options, options[0][0])] if options else []
        return [*found, Control("days", _("Days ahead"), "number", desk.said("days", "14"))]

    def data(self, desk: Desk) -> Data:
        """The view and the days."""
        options = next((c for c in self.controls(desk) if c.name == "calendar"), None)
        return {"calendar": options.value if options is not None else "", **_counted(desk, "days")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """The view and the days."""
        return _back(data, "calendar", "calendar", "days")


@offered("feed")
class Feed:
    """The newest records."""

    icon: ClassVar[str] = "activity"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((3, 6), (4, 6), (6, 8))

    def controls(self, desk: Desk) -> list[Control]:
        """Of which entities."""
        options = [(e.key, say(e.plural)) for e in desk.entities if not e.part_of]
        known: set[str] = {key for key, _label in options}
        usual: tuple[str, ...] = tuple(k for k in ("lead", "deal", "contact", "ticket") if k in known) or tuple(
            key for key, _label in options[:3]
        )
        said: Sequence[str] = desk.given.get("feed", usual)
        chosen = tuple(k for k in said if k in known)[:ENTITIES]
        return [Control("feed", _("Records of"), "checks", values=chosen, groups=[("", options)]), _limit(desk, "12")]

    def data(self, desk: Desk) -> Data:
        """The entities."""
        return {"feed": list(self.controls(desk)[0].values), **_counted(desk, "limit")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """The entities."""
        feed = data.get("feed")
        more = {"limit": [str(data["limit"])]} if data.get("limit") else {}
        return {"feed": [str(k) for k in (feed if isinstance(feed, list) else [feed])], **more}


@offered("work")
class Work:
    """What waits for the reader."""

    icon: ClassVar[str] = "checklist"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((3, 5), (4, 6), (6, 8))

    def controls(self, desk: Desk) -> list[Control]:
        """Which."""
        options = [
            ("today", _("What is due")),
            ("coming", _("The next two weeks")),
            ("recent", _("What was looked at last")),
        ]
        return [_choice(desk, "work", _("What"), options, "today")]

    def data(self, desk: Desk) -> Data:
        """Which."""
        return {"work": desk.said("work", "today")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """Which."""
        return {"work": [str(data.get("work", "today"))]}


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────


@offered("text")
class Note:
    """A note."""

    icon: ClassVar[str] = "note"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((4, 3), (6, 3), (12, 2))

    def controls(self, desk: Desk) -> list[Control]:
        """What it says."""
        hint = _("**bold**, *italic*, - lists, [links](https://…)")
        return [Control("text", _("Text"), "area", desk.said("text"), hint=str(hint))]

    def data(self, desk: Desk) -> Data:
        """What it says."""
        return {"text": desk.said("text").replace("\r\n", "\n")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """What it says."""
        return {"text": [str(data.get("text", ""))]}


@offered("page")
class Page:
    """A page of another site."""

    icon: ClassVar[str] = "world"
    sizes: ClassVar[tuple[Size, Size, Size]] = ((6, 6), (6, 8), (12, 8))

    def controls(self, desk: Desk) -> list[Control]:
        """Its address."""
        return [Control("page", _("Address"), "text", desk.said("page"), placeholder="https://")]

    def data(self, desk: Desk) -> Data:
        """Its address."""
        return {"page": desk.said("page")}

    def given(self, data: Data) -> dict[str, list[str]]:
        """Its address."""
        return {"page": [str(data.get("page", ""))]}


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
