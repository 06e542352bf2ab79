"""What the builder offers to choose: entities, fields by what can be made of them, charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from trellis.model.reports.keys import GROUPED
from trellis.records.store import Store
from trellis.reports.registry import kind_of
from trellis.web.filters.fields import paths_of
from trellis.web.i18n import say

ADDED = ("number", "money", "duration")
DAYS = ("date", "datetime")


@dataclass(frozen=True)
class Choice:
    """A field that can be chosen; `group` is the link that it is reached through."""

    path: str
    label: str
    kind: str
    group: str = ""


@dataclass(frozen=True)
class Offers:
    """What there is to choose from, for one person and entity."""

    entities: Sequence[tuple[str, str]]
    fields: Sequence[Choice]

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
    def shown(self) -> list[Choice]:
        """What a table shows."""
        return [f for f in self.fields if f.kind != "records"]


def offers_of(store: Store, entity: str) -> Offers:
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
    return Offers(
        readable,
        [Choice(p.path, p.label, p.field.type.formula_type().kind, p.group) for p in paths_of(store, found)],
    )


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
        "compares": {"previous_period": _("with the period before"), "previous_year": _("with the year before")},
    }
