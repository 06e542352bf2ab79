"""The recycle bin of an entity: what was deleted, by whom and when; restore it, or delete it for good."""

from __future__ import annotations

from uuid import UUID

from babel.dates import format_timedelta
from flask import redirect, render_template, request
from flask_appbuilder import expose
from flask_babel import gettext as _
from werkzeug import Response

from trellis.model.locales import babel_locale
from trellis.model.view import Sort
from trellis.records.purging import age_of
from trellis.records.refusal import Forbidden, Refused
from trellis.web.cells.column import columns_for
from trellis.web.faults import fault_texts
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.lists.desk import open_desk
from trellis.web.lists.grid import cell_context
from trellis.web.pages.base import Page

WHEN = ("deleted_at", "deleted_by")


class BinView(Page):
    """`/e/<entity>/bin`."""

    @expose("/e/<entity>/bin")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self, entity: str) -> str:
        """The deleted records, the latest first."""
        desk = open_desk(entity)
        if not (desk.may("restore") or desk.may("delete")):
            raise Forbidden(entity, "restore")
        store = desk.store
        known = [path for path in WHEN if path in desk.entity.fields]
        columns = columns_for(cell_context(store, desk.entity), known)
        page = store.list(
            entity,
            columns=[c.path for c in columns],
            sort=(Sort("deleted_at", True),) if "deleted_at" in known else (),
            q=desk.state.q or None,
            limit=100,
            cursor=request.args.get("cursor"),
            deleted=True,
        )
        rows = [(record, [(c, c.html(record[c.path])) for c in columns]) for record in page.rows]
        age = age_of(store.session, desk.entity)
        stays = "" if age is None else format_timedelta(age, threshold=9, locale=babel_locale(desk.language))
        return render_template("bin.html", **desk.places, columns=columns, rows=rows, next=page.next, stays=stays)

    @expose("/e/<entity>/<uuid:id>/restore", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def restore(self, entity: str, id: UUID) -> Response:
        """Takes a record out of the bin."""
        desk = open_desk(entity)
        try:
            desk.store.restore(entity, id)
            toast(_("Restored"), link={"url": f"{desk.base}/{id}", "label": _("Open")})
        except Refused as refused:
            toast(" ".join(fault_texts(refused).values()), kind="error")
        return redirect((request.form.get("back") == "record" and f"{desk.base}/{id}") or f"{desk.base}/bin")

    @expose("/e/<entity>/<uuid:id>/purge", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def purge(self, entity: str, id: UUID) -> Response:
        """Deletes a record for good."""
        desk = open_desk(entity)
        try:
            desk.store.purge(entity, id)
            toast(_("Deleted for good"))
        except Refused as refused:
            toast(" ".join(fault_texts(refused).values()), kind="error")
        return redirect(f"{desk.base}/bin")
