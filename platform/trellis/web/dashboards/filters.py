"""The filters in a dashboard's header: what stands on the button, what its menu offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import request
from flask_babel import gettext as _

from trellis.model.dashboards.dashboard import Dashboard, DashboardFilter
from trellis.model.dashboards.reach import RANGE
from trellis.reports.dashboards.chosen import EVER, ME, Choice
from trellis.reports.params import Chosen
from trellis.web.dashboards.periods import offered, span_label
from trellis.web.faults import fault_text
from trellis.web.reports.form import Control, control
from trellis.web.reports.words import Words

if TYPE_CHECKING:
    from trellis.records.store import Store

ICONS = {"user": "user", "team": "users", RANGE: "calendar", "choice": "tag", "link": "link", "boolean": "toggle-left"}


@dataclass(frozen=True)
class Offer:
    """One line of a filter's menu."""

    label: str
    href: str
    is_on: bool


@dataclass(frozen=True)
class FilterControl:
    """One filter: the button, the lines of its menu, a picker, the days of one's own."""

    key: str
    label: str
    icon: str
    text: str
    is_set: bool
    offers: tuple[Offer, ...] = ()
    control: Control | None = None
    days: tuple[str, str] | None = None
    error: str = ""
    kept: tuple[tuple[str, str], ...] = ()  # what the address says of the other filters


def read_given(dashboard: Dashboard) -> dict[str, str]:
    """The filters of this request's address; two days of a form make a period."""
    found = {}
    for key, narrowed in dashboard.filters.items():
        ends = (request.args.get(f"{key}.from"), request.args.get(f"{key}.to"))
        if narrowed.type == RANGE and any(end is not None for end in ends):
            low, high = ((end or "").strip() for end in ends)
            found[key] = f"{low}..{high}" if low or high else EVER
        elif key in request.args:
            found[key] = request.args[key]
    return found


def filter_controls(
    store: Store, dashboard: Dashboard, given: Mapping[str, str], choice: Choice
) -> list[FilterControl]:
    """The filters in their order."""
    return [_control(store, f, given, choice) for f in dashboard.filters.values()]


def _control(store: Store, narrowed: DashboardFilter, given: Mapping[str, str], choice: Choice) -> FilterControl:
    words = Words(store.principal.reader)
    key, others = narrowed.key, {k: v for k, v in given.items() if k != narrowed.key}
    label = words.text(narrowed.label)
    error = " ".join(fault_text(f) for f in choice.faults if f.field == key)
    common: dict[str, Any] = {"key": key, "label": label, "icon": ICONS.get(narrowed.type, "filter"), "error": error}

    def to(value: str) -> str:
        return "?" + urlencode({**others, key: value})

    kept = tuple(others.items())
    if narrowed.param is None:
        at = choice.texts.get(key, EVER)
        offers = [Offer(text, to(name), name == at) for name, text in offered(words)]
        offers.append(Offer(str(_("All time")), to(EVER), at == EVER))
        span = choice.spans.get(key)
        days = ("", "") if span is None else tuple("" if d is None else d.isoformat() for d in (span.first, span.last))
        text = str(_("All time")) if at == EVER else span_label(at, words)
        return FilterControl(
            **common, text=text, is_set=at != EVER, offers=tuple(offers), days=(days[0], days[1]), kept=kept
        )
    made = control(store, narrowed.param, Chosen(choice.values, {}, choice.faults))
    is_set = key in choice.values
    anything = str(_("Everyone") if narrowed.type == "user" else _("All"))
    if made.kind == "record":
        offers = [Offer(anything, to(""), not is_set)]
        me = store.principal.reader.me
        if narrowed.type == "user" and me is not None:
            offers.append(Offer(str(_("Me")), to(ME), choice.texts.get(key) == str(me.id)))
        text = made.chosen.title if made.chosen is not None and is_set else anything
        return FilterControl(**common, text=text, is_set=is_set, offers=tuple(offers), control=made, kept=kept)
    options = made.options or (("true", str(_("Yes"))), ("false", str(_("No"))))
    at = choice.texts.get(key, "")
    offers = [Offer(anything, to(""), not is_set), *(Offer(text, to(value), value == at) for value, text in options)]
    text = next((text for value, text in options if value == at), anything)
    return FilterControl(**common, text=text, is_set=is_set, offers=tuple(offers))
