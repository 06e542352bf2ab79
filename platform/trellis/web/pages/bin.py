"""The recycle bin of an entity: what was deleted, by whom and when; restore it, or delete it for good."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from babel.dates import format_timedelta
from babel.lists import format_list
from flask import redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug import Response

from trellis.model.locales import babel_locale
from trellis.model.view import Sort
from trellis.records.recycling.purging import age_of
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.web.cells.column import columns_for
from trellis.web.faults import fault_text, refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.lists.desk import open_desk
from trellis.web.lists.grid import cell_context
from trellis.web.lists.selection import move_each, read_selection
from trellis.web.pages.base import Page
from trellis.web.pages.bulk import answer

WHEN = ("deleted_at", "deleted_by")


class BinView(Page):
    """`/e/<entity>/bin`."""

    @expose("/e/<entity>/bin")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self, entity: str) -> str:
        """The deleted records, the latest first."""
        desk = open_desk(entity)
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
            along = desk.store.restore(entity, id)
            toast(restored_words(desk.store, along), link={"url": f"{desk.base}/{id}", "label": _("Open")})
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
        return redirect((request.form.get("back") == "record" and f"{desk.base}/{id}") or f"{desk.base}/bin")

    @expose("/e/<entity>/bin/restore", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def restore_many(self, entity: str) -> Response:
        """Takes the selected records out of the bin, those first that others of them link to."""
        desk = open_desk(entity)
        selection = read_selection(desk, {"ids": ",".join(request.form.getlist("id"))})
        with desk.store.batch("restore", entity) as made:
            found = move_each(selection, lambda ids: desk.store.restore_many(entity, ids), fault_text)
        words = ngettext("%(num)d record restored", "%(num)d records restored", len(found.done))
        undo = {"url": url_for("BatchesView.undo", id=made.id, toast=1)} if found.done else None
        said = answer(found, words, desk.language)
        toast(str(said["text"]), kind=str(said.get("kind", "success")), undo=undo)
        return redirect(f"{desk.base}/bin")

    @expose("/e/<entity>/bin/purge", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def purge_many(self, entity: str) -> Response:
        """Deletes the selected records for good, each for itself; one that another of them held is tried again."""
        desk = open_desk(entity)
        selection = read_selection(desk, {"ids": ",".join(request.form.getlist("id"))})
        outcome = move_each(selection, lambda ids: desk.store.purge_many(entity, ids), fault_text)
        words = ngettext("%(num)d record deleted for good", "%(num)d records deleted for good", len(outcome.done))
        said = answer(outcome, words, desk.language)
        toast(str(said["text"]), kind=str(said.get("kind", "success")))
        return redirect(f"{desk.base}/bin")

    @expose("/e/<entity>/<uuid:id>/purge", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def purge(self, entity: str, id: UUID) -> Response:
        """Deletes a record for good."""
        desk = open_desk(entity)
        try:
            desk.store.purge(entity, id)
            toast(_("Deleted for good"))
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
        return redirect(f"{desk.base}/bin")


def restored_words(store: Store, along: Mapping[str, int]) -> str:
    """That a record is back, and how many others with it."""
    language = store.principal.reader.language
    entities = store.tenant.model.entities
    things = [
        f"{n} {(entities[k].label if n == 1 else entities[k].plural).in_language(language)}" for k, n in along.items()
    ]
    if not things:
        return str(_("Restored"))
    listed = format_list(things, locale=babel_locale(language))
    return str(_("Restored, together with %(things)s", things=listed))
