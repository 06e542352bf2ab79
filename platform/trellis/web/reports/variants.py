"""Variants of a report on its page: which there are, which one is shown, and whether it has been changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request
from werkzeug.datastructures import MultiDict

from trellis.model.reports.report import Report
from trellis.model.role import Role
from trellis.records.refusal import Forbidden, Missing
from trellis.records.store import Store
from trellis.reports.own.compiled import variants_of
from trellis.reports.own.rows import Saved
from trellis.reports.seen import RIGHT
from trellis.web.context import may
from trellis.web.reports.asked import Asked, read_asked
from trellis.web.reports.links import report_address


@dataclass(frozen=True)
class Variants:
    """What the menu of variants shows."""

    found: Sequence[Saved]
    now: Saved | None
    is_changed: bool
    owner: str  # who shares the one that is shown
    may_unshare: bool

    @property
    def mine(self) -> list[Saved]:
        """The person's own."""
        return [v for v in self.found if v.is_mine]

    @property
    def others(self) -> list[Saved]:
        """Those that others share."""
        return [v for v in self.found if not v.is_mine]


def open_report(store: Store, report: Report) -> tuple[Asked, Variants]:
    """What the address asks, a variant's parts where it only names one."""
    found = variants_of(store, report)
    asked = read_asked(report)
    now = next((v for v in found if v.id.hex == asked.saved), None)
    if now is None:
        asked = asked.without_saved()
    elif not kept_parts(asked):
        asked = read_asked(report, MultiDict([*now.parts, ("saved", now.id.hex)]))
    is_changed = now is not None and kept_parts(asked) != kept_parts(read_asked(report, MultiDict(now.parts)))
    shared_by = owner_of(store, now) if now is not None and not now.is_mine else ""
    return asked, Variants(found, now, is_changed, shared_by, may("admin"))


def kept_parts(asked: Asked) -> list[tuple[str, str]]:
    """The parts of an address that a variant stands for."""
    return [(name, value) for name, value in asked.parts() if name not in ("saved", "ran")]


def variant_address(saved: Saved) -> str:
    """Where a variant, or a report that somebody has built, is shown."""
    return report_address(saved.base, [("saved", saved.id.hex)]) if saved.base else report_address(saved.key)


def owner_of(store: Store, saved: Saved) -> str:
    """Who shares it, where one may see that person."""
    try:
        return store.read("user", saved.owner, fields=()).title if saved.owner else ""
    except (Missing, Forbidden):
        return ""


def shareable_roles(store: Store) -> list[Role]:
    """The roles whose people may read reports."""
    return [role for role in store.tenant.model.roles.values() if RIGHT in role.allow and not role.portal]


def chosen_roles() -> tuple[bool, list[str] | None]:
    """With whom a form shares: (whether at all, the roles; None for everybody)."""
    match request.form.get("share", ""):
        case "all":
            return True, None
        case "roles":
            roles = request.form.getlist("roles")
            return bool(roles), roles or None
    return False, None
