"""Deleting: a dialog says what holds the records and what goes along before anything goes."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Response, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext

from trellis.model.entity import Entity
from trellis.records.recycling.deletion import Affected, Deletion
from trellis.records.refusal import Forbidden
from trellis.web.context import current_store
from trellis.web.filters.chips import AnyOf, Chip
from trellis.web.guard import signed_in
from trellis.web.lists.desk import open_desk
from trellis.web.lists.selection import MOST, read_selection
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, label_of
from trellis.web.pages.saved_views import read_query


class DeletionView(Page):
    """`/e/<entity>/<id>/deletion` and `/e/<entity>/bulk/deletion`."""

    @expose("/e/<entity>/<uuid:id>/deletion")  # type: ignore[untyped-decorator]
    @signed_in
    def one(self, entity: str, id: UUID) -> Response:
        """The dialog of one record; nothing (204) when there is nothing to ask: it goes alone and can be undone."""
        store = current_store()
        definition = entity_or_404(store, entity)
        with store.transaction():
            record = store.read(entity, id, fields=())
            if not store.may("delete", entity, record):
                raise Forbidden(entity, "delete")
            coming = store.foresee(entity, [id])
        if coming.is_plain:
            return Response(status=204)
        title = record.title or label_of(definition, store)
        return self._dialog(
            definition,
            coming,
            title=_("Delete “%(title)s”?", title=title),
            held=_("“%(title)s” cannot be deleted", title=title),
            action=url_for("RecordView.delete", entity=entity, id=id),
            ids=[id],
        )

    @expose("/e/<entity>/bulk/deletion", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def many(self, entity: str) -> Response:
        """The dialog of a selection."""
        desk = open_desk(entity, read_query(request.form.get("state", "")))
        if not (desk.may_bulk and desk.may("delete")):
            raise Forbidden(entity, "delete")
        ids = read_selection(desk, request.form).each()[:MOST]
        coming = desk.store.foresee(entity, ids)
        n = len(ids)
        title, held = ngettext("Move %(num)d record to the bin?", "Move %(num)d records to the bin?", n), ""
        if n == 1:  # one that is held is not asked about, but told
            name = desk.store.read(entity, ids[0], fields=()).title or label_of(desk.entity, desk.store)
            title, held = _("Delete “%(title)s”?", title=name), _("“%(title)s” cannot be deleted", title=name)
        return self._dialog(
            desk.entity,
            coming,
            title=title,
            held=held,
            action=f"{desk.base}/bulk/delete",
            ids=ids,
        )

    def _dialog(
        self, entity: Entity, coming: Deletion, *, title: str, held: str, action: str, ids: Sequence[UUID]
    ) -> Response:
        return self.draw(
            "_deletion.html",
            entity=entity,
            coming=coming,
            title=title,
            held_title=held if coming.held else "",
            action=action,
            address=entity_address,
            list_of=lambda one: _list_address(entity, coming, one, ids),
        )


def _list_address(entity: Entity, coming: Deletion, one: Affected, ids: Sequence[UUID]) -> str:
    """The list of all that points at one record; empty where no filter of a list says that."""
    if one.in_bin:
        return url_for("BinView.index", entity=one.entity.key)
    direct = one.field is not None and one.field.type.formula_type().entities == (entity.key,)
    if one.field is None or not direct or len(ids) != 1 or any(g.entity is entity for g in coming.going):
        return ""
    chip = AnyOf((Chip(one.field.key, "in", (str(ids[0]),)),))
    return f"{entity_address(one.entity.key)}?view=all&f={chip.text()}"
