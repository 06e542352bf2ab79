"""A dashboard as a letter to one person: its numbers and tables with their rights, in their language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _

from trellis.automation.clock import now
from trellis.automation.mail.letter import Letter, in_look
from trellis.automation.mail.places import address_of
from trellis.identity.person import Person, principal_for
from trellis.model.dashboards.dashboard import Dashboard
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.reports.dashboards.chosen import Choice, read_choice
from trellis.reports.dashboards.seen import dashboard_of, widgets_of
from trellis.reports.result import Answer
from trellis.reports.schedule.keeping import titled
from trellis.storage.tenant import Tenant
from trellis.web.cells.numbers import percent_text
from trellis.web.dashboards.looking import Looking
from trellis.web.dashboards.numbers import change_of, figure_text
from trellis.web.dashboards.periods import span_label
from trellis.web.faults import refusal_text
from trellis.web.i18n import say
from trellis.web.reports.grid import grid_of
from trellis.web.reports.links import Drill
from trellis.web.reports.table import table_of
from trellis.web.reports.words import Words

Section = Mapping[str, Any]
LINES = 12  # of a table in a letter; the dashboard has all
SINGLE = ("number", "gauge")
TABLES = ("chart", "table", "funnel", "leaders")


def dashboard_letter(
    tenant: Tenant, person: Person, key: str, parts: Sequence[tuple[str, str]], language: str
) -> Letter | None:
    """The letter; None for somebody who may not open the dashboard, or for whom nothing is on it."""
    store = Store(tenant, principal_for(tenant, person, language))
    try:
        dashboard = dashboard_of(store, key)
    except (Missing, Forbidden):
        return None
    choice = read_choice(dashboard, dict(parts), store.principal.reader)
    with store.transaction():
        sections = sections_of(store, dashboard, choice)
    if not sections:
        return None
    label, site = say(dashboard.label), address_of(tenant)
    words = Words(store.principal.reader)
    about = [say(dashboard.description)] if dashboard.description else []
    about.append(_("As it stood on %(moment)s, with what you may see.", moment=words.value(now())))
    if narrowed := _narrowed(dashboard, choice, store):
        about.append(narrowed)
    return Letter(
        subject=f"{label} · {tenant.profile.label}",
        heading=label,
        paragraphs=tuple(about),
        sections=tuple(sections),
        button=(_("Open the dashboard"), f"{site}/dashboards/{key}") if site else None,
        language=language,
        **in_look(tenant.profile),
    )


def _narrowed(dashboard: Dashboard, choice: Choice, store: Store) -> str:
    """What the dashboard is narrowed by, in words."""
    words, said = Words(store.principal.reader), []
    for key, narrowed in dashboard.filters.items():
        if key in choice.spans:
            said.append(f"{say(narrowed.label)}: {span_label(choice.texts[key], words)}")
        elif choice.values.get(key) is not None:
            value = titled(store, choice.values[key])
            said.append(f"{say(narrowed.label)}: {words.value(value)}")
    return " · ".join(said)


def sections_of(store: Store, dashboard: Dashboard, choice: Choice) -> list[Section]:
    """What its widgets show, from above: numbers that follow each other stand side by side."""
    found: list[dict[str, Any]] = []
    for widget in sorted(widgets_of(store, dashboard), key=lambda w: (w.at.y, w.at.x)):
        try:
            made = _section(Looking(store, dashboard, widget, choice))
        except (Missing, Forbidden):
            continue  # not for this person
        except Refused as refused:
            made = {"title": say(widget.label), "note": refusal_text(refused)}
        if made is None:
            continue
        if "figures" in made and found and "figures" in found[-1]:
            found[-1]["figures"] += made["figures"]
        else:
            found.append(made)
    return list(found)


def _section(looking: Looking) -> dict[str, Any] | None:
    """One widget; None of those that a letter cannot show, such as lists of records that one works with."""
    widget = looking.widget
    if widget.kind in SINGLE:
        return {"figures": [_figure(looking)]}
    if widget.kind in TABLES:
        return _table(looking, looking.answer(columns=widget.columns))
    return None


def _figure(looking: Looking) -> list[str]:
    widget, words, figures = looking.widget, looking.words, looking.figures
    label = say(widget.label)
    if widget.kind == "gauge":
        reached = figures.gauge(widget, looking.report)
        percent = "" if reached.reached is None else percent_text(round(float(reached.reached)), words.language)
        said = _("%(percent)s of the target", percent=percent) if percent else ""
        return [label, figure_text(words, reached.heading, reached.value), str(said), ""]
    found = figures.figure(widget, looking.report)
    change = change_of(found, words, widget.is_less_better)
    sign = {"arrow-up-right": "↗ ", "arrow-down-right": "↘ "}.get(change.icon, "") if change is not None else ""
    text = figure_text(words, found.heading, found.value)
    return [label, text, f"{sign}{change.text}" if change else "", change.tone if change else ""]


def _table(looking: Looking, answer: Answer) -> dict[str, Any]:
    title = say(looking.widget.label)
    if answer.is_empty:
        return {"title": title, "note": _("No records fit this report as it is set now.")}
    table = table_of(answer, looking.words, Drill(replace(answer, can_drill=False), ""))
    most = looking.widget.limit or LINES
    more = len(table.rows) - most
    return {
        "title": title,
        **grid_of(table, most),
        "note": _("The first %(count)s lines; the dashboard has all of them.", count=most) if more > 0 else "",
    }
