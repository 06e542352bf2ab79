"""What people have saved of reports, as the list of reports shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask_babel import gettext as _

from trellis.model.reports.report import Report
from trellis.records.store import Store
from trellis.reports.own.compiled import compiled, without_hidden
from trellis.reports.own.rows import Saved, all_saved
from trellis.reports.seen import may_run
from trellis.web.i18n import say
from trellis.web.reports.variants import variant_address


@dataclass(frozen=True)
class Kept:
    """A line of the shelf."""

    label: str
    about: str
    icon: str
    href: str
    is_mine: bool
    state: Literal["", "shared", "broken"] = ""


def kept_reports(store: Store, q: str = "") -> list[Kept]:
    """What this person has saved, then what others share with them: variants, and whole reports."""
    rows = all_saved(store)
    built = {saved.key: compiled(store, saved).report for saved in rows if saved.base is None}
    known = {**store.tenant.model.reports, **{key: report for key, report in built.items() if report is not None}}
    open_to = {key: report for key, report in known.items() if may_run(store, report)}
    found = [kept for saved in rows if (kept := _kept(store, saved, open_to)) is not None]
    words = q.casefold().split()
    return [k for k in found if all(word in f"{k.label} {k.about}".casefold() for word in words)]


def _kept(store: Store, saved: Saved, open_to: dict[str, Report]) -> Kept | None:
    report = open_to.get(saved.base or saved.key)
    state: Literal["", "shared"] = "shared" if saved.is_shared else ""
    if report is None:
        if saved.base is not None or not saved.is_mine or compiled(store, saved).report is not None:
            return None
        about = _("The configuration has changed: this report no longer fits it.")
        return Kept(saved.label, about, "alert-triangle", variant_address(saved), True, "broken")
    if saved.base is None:
        about = say(store.tenant.model.entities[report.entity].plural)
        return Kept(saved.label, about, report.icon, variant_address(saved), saved.is_mine, state)
    if without_hidden(store, report, saved) is None:
        return None
    about = _("Variant of %(report)s", report=say(report.label))
    return Kept(saved.label, about, "bookmark", variant_address(saved), saved.is_mine, state)
