"""What the builder offers to choose: entities, fields by what can be made of them, charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import Any

from flask import g
from flask_babel import gettext as _

from trellis.model.reports.keys import GROUPED
from trellis.records.store import Store
from trellis.reports.registry import kind_of
from trellis.web.filters.fields import Path, paths_of
from trellis.web.i18n import say
from trellis.web.reports.building.draft import KINDS

ADDED = ("number", "money", "duration")
DAYS = ("date", "datetime")


@dataclass(frozen=True)
class Choice:
    """A field that can be chosen; `group` is the link that it is reached through."""

    path: str
    label: str
    kind: str
    group: str = ""
    entities: tuple[str, ...] = ()  # of a link: where it leads
    is_system: bool = False


@dataclass(frozen=True)
class Offers:
    """What there is to choose from, for one person and entity."""

    entities: Sequence[tuple[str, str]]
    fields: Sequence[Choice]
    pipelines: Sequence[tuple[str, str]] = ()
    events: Mapping[str, Sequence[Choice]] = dc_field(default_factory=dict)  # by entity: its fields, if it leads here
    targets: Mapping[str, Sequence[Choice]] = dc_field(default_factory=dict)  # by entity: what may hold targets
    has_forecast: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """What the fields are called, by path."""
        return {f.path: f.label for f in self.fields}

    @property
    def grouped(self) -> list[Choice]:
        """What records can be grouped by."""
        return [f for f in self.fields if f.kind in GROUPED]

    @property
    def days(self) -> list[Choice]:
        """What tells when."""
        return [f for f in self.fields if f.kind in DAYS]

    @property
    def own_days(self) -> list[Choice]:
        """What of the records themselves tells when; what a person enters first."""
        return sorted((f for f in self.days if not f.group), key=lambda f: f.is_system)

    @property
    def amounts(self) -> list[Choice]:
        """What of the records themselves can be added up; money first."""
        own = [f for f in self.fields if f.kind in ("money", "number") and not f.group and not f.is_system]
        return sorted(own, key=lambda f: f.kind != "money")

    @property
    def customers(self) -> list[Choice]:
        """Links to whom a record is of; a person of the house is no customer."""
        return [
            f for f in self.fields if f.kind == "record" and not f.group and f.entities not in (("user",), ("team",))
        ]

    @property
    def ages(self) -> list[tuple[str, str]]:
        """Days since a date, as formulas."""
        return [(age_of(f), f.label) for f in self.own_days]

    def label_of(self, entity: str) -> str:
        """What an entity is called."""
        return dict(self.entities).get(entity, entity)

    def kinds(self) -> list[str]:
        """The kinds of reports that there can be of these records."""
        possible = {
            "trend": bool(self.days),
            "funnel": bool(self.pipelines),
            "forecast": self.has_forecast and bool(self.days),
            "target": bool(self.targets) and bool(self.grouped),
            "ageing": bool(self.own_days),
            "cohort": bool(self.events) and bool(self.own_days),
            "rfm": bool(self.customers) and bool(self.own_days) and bool(self.amounts),
        }
        return [kind for kind in KINDS if possible.get(kind, True)]

    @property
    def shown(self) -> list[Choice]:
        """What a table shows."""
        return [f for f in self.fields if f.kind != "records"]


def offers_of(store: Store, entity: str) -> Offers:
    """What there is to choose from; looked up once for a request."""
    known: dict[str, Offers] = g.setdefault("builder_offers", {})
    if entity not in known:
        known[entity] = _offers_of(store, entity)
    return known[entity]


def _offers_of(store: Store, entity: str) -> Offers:
    """The entities that this person may read, and an entity's fields that they may see."""
    model, modules = store.tenant.model, store.tenant.profile.modules
    readable = [
        (e.key, say(e.plural))
        for e in model.entities.values()
        if store.may("read", e.key) and (modules is None or e.module is None or e.module in modules)
    ]
    readable.sort(key=lambda pair: pair[1].casefold())
    found = model.entities.get(entity)
    if found is None or not store.may("read", entity):
        return Offers(readable, ())
    keys = [key for key, _label in readable]
    own = {key: _own(store, key) for key in keys}
    events = {key: fields for key, fields in own.items() if any(_leads_to(f, entity) for f in fields)}
    targets = {key: fields for key, fields in own.items() if key != entity and _holds_targets(fields, key)}
    return Offers(
        readable,
        [_choice(p, p.group) for p in paths_of(store, found)],
        [(p.key, say(p.label)) for p in sorted(found.pipelines.values(), key=lambda p: not p.default)],
        {key: fields for key, fields in events.items() if any(f.kind in DAYS for f in fields)},
        targets,
        any(f.endswith("forecast_category") for f in store.readable_fields(entity)),
    )


def age_of(field: Choice) -> str:
    """How many days ago a date was."""
    return f"today() - {field.path if field.kind == 'date' else f'date({field.path})'}"


def _choice(path: Path, group: str = "") -> Choice:
    type_ = path.field.type.formula_type()
    return Choice(path.path, path.label, type_.kind, group, tuple(type_.entities), path.field.system)


def _own(store: Store, entity: str) -> list[Choice]:
    """The fields of an entity itself."""
    return [_choice(p) for p in paths_of(store, store.tenant.model.entities[entity], through_links=False)]


def _leads_to(field: Choice, entity: str) -> bool:
    return field.kind == "record" and field.entities == (entity,) and not field.is_system


def _holds_targets(own: Sequence[Choice], entity: str) -> bool:
    """Whether records can be targets: somebody's or of some time, and a number; and they are called so."""
    has_number = any(f.kind in ("money", "number") and not f.is_system for f in own)
    return "target" in entity and has_number


def charts_of(kind: str) -> tuple[str, ...]:
    """How a kind of report can be drawn."""
    return kind_of(kind).charts


def words() -> dict[str, Any]:
    """What the choices of the page are called."""
    return {
        "kinds": {
            "summary": (_("Groups"), _("Numbers for each group, with subtotals"), "chart-bar"),
            "pivot": (_("Pivot"), _("Rows × columns that add up"), "table"),
            "trend": (_("Over time"), _("Every period, beside the one before"), "chart-line"),
            "table": (_("Records"), _("The records themselves, with totals"), "list"),
            "funnel": (_("Funnel"), _("The stages of a pipeline: how far records come"), "chart-funnel"),
            "forecast": (_("Forecast"), _("What is expected, by period and forecast category"), "chart-area-line"),
            "target": (_("Targets"), _("What was reached beside what was wanted"), "target"),
            "ageing": (_("Ageing"), _("How old, in ranges of days"), "hourglass"),
            "cohort": (_("Cohorts"), _("Of those who came in a period, how many came back"), "grid-dots"),
            "rfm": (_("Segments"), _("Customers by how recent, how often and how much"), "users-group"),
        },
        "parts": {
            "day": _("by day"),
            "week": _("by week"),
            "month": _("by month"),
            "quarter": _("by quarter"),
            "year": _("by year"),
            "fiscal_quarter": _("by fiscal quarter"),
            "fiscal_year": _("by fiscal year"),
        },
        "periods": {
            "day": _("Days"),
            "week": _("Weeks"),
            "month": _("Months"),
            "quarter": _("Quarters"),
            "year": _("Years"),
            "fiscal_quarter": _("Fiscal quarters"),
            "fiscal_year": _("Fiscal years"),
        },
        "hows": {
            "count": _("Number of records"),
            "sum": _("Sum"),
            "avg": _("Mean"),
            "median": _("Median"),
            "min": _("Least"),
            "max": _("Most"),
            "count_distinct": _("Number of different"),
        },
        "over": {
            "running": _("as a running total"),
            "share": _("as a share"),
            "change": _("as a change"),
            "rank": _("as a rank"),
        },
        "modes": {
            "cohort": _("How far they have come"),
            "snapshot": _("Where they stand now"),
        },
        "scales": {
            "": _("Five classes each: eleven segments"),
            "thresholds": _("Above or below the mean: eight segments"),
        },
        "compares": {"previous_period": _("with the period before"), "previous_year": _("with the year before")},
    }
