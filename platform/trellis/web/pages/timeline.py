"""The timeline of a record with a composer on top, and the whole history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, abort, jsonify, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.formula.types import Ref
from trellis.model.view import Sort
from trellis.records.reading.pointing import pointing_at
from trellis.records.refusal import Forbidden, Refused
from trellis.records.store import Store
from trellis.web.context import current_store
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, label_of, state_address, submitted
from trellis.web.timeline.activities import Activity, activity_links
from trellis.web.timeline.activity_entries import SENT, ActivityEntries
from trellis.web.timeline.change_entries import ChangeEntries
from trellis.web.timeline.days import Clock
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.form import BoundForm, quick_form_of, read_form

PER_KIND = 20
CHANGES = 30


class TimelineView(Page):
    """`/e/<entity>/<id>/timeline`, the composer's forms, and the whole history."""

    @expose("/e/<entity>/<uuid:id>/timeline")  # type: ignore[untyped-decorator]
    @signed_in
    def timeline(self, entity: str, id: UUID) -> Response:
        """The pane."""
        store = current_store()
        definition = entity_or_404(store, entity)
        activities = activity_links(store, definition)
        clock = Clock(store.principal.reader)
        with store.transaction():
            record = store.read(entity, id, fields=(), deleted=True)
            changes = store.history(entity, id, CHANGES)
            items = list(ChangeEntries(store, definition, clock).of(id, changes, definition.timeline))
            for activity in activities:
                entries = ActivityEntries(store, activity, clock)
                page = store.list(
                    activity.key,
                    columns=entries.columns(),
                    where=[pointing_at(activity.entity, activity.field, record.ref)],
                    sort=(Sort(activity.at, descending=True),),
                    limit=PER_KIND,
                )
                items.extend(entries.of(page.rows))
        composers = self._composers(store, activities) if record.deleted_at is None else []
        kinds = [(a.entity.key, a.entity.plural) for a in activities if any(i.kind == a.entity.key for i in items)]
        return self.draw(
            "_timeline.html",
            entity=definition,
            record=record,
            days=clock.days(items),
            clock=clock,
            kinds=kinds,
            composers=[(a, url_for("TimelineView.compose", entity=entity, id=id, kind=a.key)) for a in composers],
            compose=self._compose_values(store, composers[0], record.ref, {}) if composers else None,
            history=url_for("TimelineView.history", entity=entity, id=id),
        )

    @expose("/e/<entity>/<uuid:id>/compose/<kind>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def compose(self, entity: str, id: UUID, kind: str) -> Response:
        """The short form of an activity about this record; POST creates it."""
        store = current_store()
        definition = entity_or_404(store, entity)
        activity = next((a for a in activity_links(store, definition) if a.key == kind), None)
        if activity is None:
            abort(404)
        if not store.may("create", kind):
            raise Forbidden(kind, "create")
        record = store.read(entity, id, fields=())
        if request.method == "GET":
            return self.draw("_compose.html", compose=self._compose_values(store, activity, record.ref, {}))
        typed = read_form(activity.entity, submitted(), store.tenant.model.entities)
        try:
            store.create(kind, {**typed, activity.field: record.ref})
        except Refused as refused:
            values = self._compose_values(store, activity, record.ref, {"typed": typed, "faults": refused.faults})
            return self.draw("_compose.html", status=422, compose=values)
        label = activity.entity.label.in_language(store.principal.reader.language)
        return jsonify({"toast": _("%(thing)s saved", thing=label)})

    @expose("/e/<entity>/<uuid:id>/history")  # type: ignore[untyped-decorator]
    @signed_in
    def history(self, entity: str, id: UUID) -> Response:
        """Every change, page by page."""
        store = current_store()
        definition = entity_or_404(store, entity)
        before = request.args.get("before", type=int)
        record = store.read(entity, id, fields=(), deleted=True)
        changes = store.history(entity, id, CHANGES, before)
        clock = Clock(store.principal.reader)
        return self.draw(
            "history.html",
            entity=definition,
            record=record,
            days=clock.days(list(ChangeEntries(store, definition, clock).of(id, changes))),
            clock=clock,
            older=changes[-1].id if len(changes) == CHANGES else None,
            here=request.script_root + request.path,
            back=entity_address(entity, id),
        )

    def _composers(self, store: Store, activities: Sequence[Activity]) -> list[Activity]:
        """The activities that may be created here: what is simply written first, then the shortest form."""
        able = [a for a in activities if a.entity.quick_create and a.key not in SENT and store.may("create", a.key)]

        def rank(activity: Activity) -> tuple[bool, int]:
            short = activity.entity.quick_create
            first = activity.entity.fields.get(short[0])
            return first is None or first.type.widget != "long_text", len(short)

        return sorted(able, key=rank)

    def _compose_values(self, store: Store, activity: Activity, about: Ref, more: dict[str, Any]) -> dict[str, Any]:
        entity = activity.entity
        form = quick_form_of(entity, store.principal.roles)
        bound = BoundForm(store, entity, form, given={activity.field: about}, **more)
        fields = [f for f in bound.bound.values() if f.name != activity.field]
        if fields and isinstance(fields[0], BoundField) and fields[0].field.type.widget == "long_text":
            fields[0].hint = _("Write your %(thing)s here", thing=label_of(entity, store))
        files = [f for f in fields if isinstance(f, BoundField) and f.field.type.widget == "file" and f.visible]
        fields = [f for f in fields if f not in files]
        if not store.tenant.model.entities[about.entity].features.files:
            files = []
        for file in files:
            file.is_clip = True
        return {
            "kind": entity.key,
            "entity": entity,
            "form": bound,
            "fields": fields,
            "files": files,
            "address": url_for("TimelineView.compose", entity=about.entity, id=about.id, kind=entity.key),
            "state": state_address(entity, {activity.field: f"{about.entity}:{about.id}"}),
            "save": _("Save %(thing)s", thing=label_of(entity, store)),
        }
