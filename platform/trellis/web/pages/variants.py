"""Saving a report as one looks at it, for oneself or for others; renaming, sharing and deleting what was saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import abort, redirect, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from werkzeug import Response

from trellis.model.reports.report import Report
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.reports.own import rows
from trellis.reports.own.compiled import without_hidden
from trellis.reports.own.rows import Saved
from trellis.reports.run import report_of
from trellis.web.context import current_store
from trellis.web.faults import refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.pages.base import Page
from trellis.web.pages.saved_views import read_query
from trellis.web.reports.asked import read_asked
from trellis.web.reports.links import report_address
from trellis.web.reports.variants import chosen_roles, kept_parts, variant_address


class VariantsView(Page):
    """`/reports/<key>/variants`."""

    @expose("/reports/<key>/variants", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("reports")
    def change(self, key: str) -> Response:
        """Saves what the page shows under a name, or does something with the variant that it shows."""
        store = current_store()
        report = report_of(store, key)
        act = ACTS.get(request.form.get("do", "save"))
        if act is None:
            abort(400)
        try:
            return redirect(act(store, report), 303)
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
            return redirect(report_address(key, _parts(report)), 303)


def _parts(report: Report) -> list[tuple[str, str]]:
    """The state that the form was sent from."""
    asked = read_asked(report, read_query(request.form.get("state", "")))
    return asked.parts()


def _definition(report: Report) -> dict[str, list[list[str]]]:
    asked = read_asked(report, read_query(request.form.get("state", "")))
    return {"parts": [[name, value] for name, value in kept_parts(asked)]}


def _shown(store: Store, report: Report) -> Saved:
    """The variant that the form is about: gone is 404."""
    try:
        saved = rows.saved_by(store, UUID(hex=request.form.get("saved", "")))
    except ValueError:
        saved = None
    if saved is None or saved.base != report.key or without_hidden(store, report, saved) is None:
        raise Missing("report")
    return saved


def _own(store: Store, report: Report) -> Saved:
    """The same where it is the person's own: another's is 403."""
    saved = _shown(store, report)
    if not saved.is_mine:
        raise Forbidden("report", "update")
    return saved


def _save(store: Store, report: Report) -> str:
    shared, roles = chosen_roles()
    label = request.form.get("label", "")
    saved = rows.save(store, label, _definition(report), base=report.key, shared=shared, roles=roles)
    toast(_("Saved: %(label)s", label=saved.label))
    return variant_address(saved)


def _update(store: Store, report: Report) -> str:
    saved = rows.change(store, _own(store, report).id, definition=_definition(report))
    toast(_("Saved: %(label)s", label=saved.label))
    return variant_address(saved)


def _rename(store: Store, report: Report) -> str:
    saved, label = _own(store, report), request.form.get("label", "")
    others = (v for v in rows.saved_of(store, report.key) if v.is_mine and v.id != saved.id)
    if any(v.label == " ".join(label.split()) for v in others):
        toast(_("You have a variant named “%(label)s” already.", label=label), kind="error")
        return variant_address(saved)
    saved = rows.change(store, saved.id, label=label)
    toast(_("Saved: %(label)s", label=saved.label))
    return variant_address(saved)


def _share(store: Store, report: Report) -> str:
    shared, roles = chosen_roles()
    saved = rows.change(store, _own(store, report).id, shared=shared, roles=roles)
    if saved.is_shared:
        toast(_("“%(label)s” is shared. Everybody sees it with their own rights.", label=saved.label))
    else:
        toast(_("“%(label)s” is only for you.", label=saved.label))
    return variant_address(saved)


def _unshare(store: Store, report: Report) -> str:
    saved = _shown(store, report)
    rows.unshare(store, saved.id)
    toast(_("“%(label)s” is not shared any more.", label=saved.label))
    return variant_address(saved) if saved.is_mine else report_address(report.key)


def _delete(store: Store, report: Report) -> str:
    rows.delete(store, _own(store, report).id)
    toast(_("Variant deleted"))
    return report_address(report.key)


ACTS: Mapping[str, Callable[[Store, Report], str]] = {
    "save": _save,
    "update": _update,
    "rename": _rename,
    "share": _share,
    "unshare": _unshare,
    "delete": _delete,
}
