"""What pickers ask: records by a few letters, tags in use."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, jsonify, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.store import Store
from trellis.web.context import current_store
from trellis.web.guard import signed_in
from trellis.web.navigation import readable_entities
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, known_field, label_of
from trellis.web.widgets.form import uuid_of
from trellis.web.widgets.link import picked, targets

LIMIT = 20
PER_ENTITY = 5


class PickerView(Page):
    """`/e/<entity>/pick` for an entity's records, `/e/<entity>/pick/<field>` for what a field may hold."""

    @expose("/e/<entity>/pick")  # type: ignore[untyped-decorator]
    @signed_in
    def pick(self, entity: str) -> Response:
        """Records of an entity."""
        store = current_store()
        entity_or_404(store, entity)
        choices = store.pick(entity, request.args.get("q", ""), limit=LIMIT)
        options = [{**picked(c.ref, c.title or "—", c.detail).as_json(), "depth": c.depth} for c in choices]
        return jsonify({"options": options, "create": self._create(store, (entity,), False)})

    @expose("/e/<entity>/pick/<field>")  # type: ignore[untyped-decorator]
    @signed_in
    def pick_field(self, entity: str, field: str) -> Response:
        """Records that a field may link to, narrowed by its filter and what stands in the open form."""
        store = current_store()
        definition, found = known_field(store, entity, field)
        q = request.args.get("q", "")
        to = targets(found) or tuple(e.key for e in readable_entities())
        several = len(to) > 1 or not targets(found)
        if (kind := request.args.get("kind")) in to:  # of a link to several entities: which one is looked through
            to = (kind,)
        this = self._this(definition)
        options: list[dict[str, Any]] = []
        for target in to:
            if not store.may("read", target):
                continue
            limit = PER_ENTITY if len(to) > 1 else LIMIT
            label = store.tenant.model.entities[target].label.in_language(store.principal.reader.language)
            for choice in store.pick(target, q, field=(entity, field), this=this, limit=limit):
                sub = " · ".join(part for part in ((label if several else ""), choice.detail) if part)
                made = picked(choice.ref, choice.title or "—", sub, with_entity=several)
                options.append({**made.as_json(), "depth": choice.depth})
        create = self._create(store, to if len(to) == 1 else (), several) if self._creates(found) else None
        return jsonify({"options": options, "create": create})

    @expose("/e/<entity>/pick-tags/<field>")  # type: ignore[untyped-decorator]
    @signed_in
    def pick_tags(self, entity: str, field: str) -> Response:
        """Tags in use that begin with or contain what was typed."""
        store = current_store()
        definition = entity_or_404(store, entity)
        if field not in definition.fields or field not in store.readable_fields(entity):
            abort(404)
        q = request.args.get("q", "").casefold()
        found: dict[str, None] = {}
        for record in store.list(entity, columns=[field], limit=200).rows:
            for tag in record.get(field) or ():
                if q in tag.casefold():
                    found[tag] = None
        return jsonify({"options": [{"value": t, "title": t} for t in sorted(found)[:LIMIT]], "create": None})

    def _this(self, entity: Entity) -> dict[str, Any]:
        """The open form's values that the filter reads; raw, as the page has them."""
        this: dict[str, Any] = {}
        if (record := uuid_of(request.args.get("record"))) is not None:
            this["id"] = record
        for name, text in request.args.items():
            key = name.removeprefix("this.")
            if name.startswith("this.") and key in entity.fields:
                this[key] = text or None
        return this

    def _creates(self, field: Field) -> bool:
        return bool(getattr(field.type, "create", False))

    def _create(self, store: Store, to: tuple[str, ...], several: bool) -> dict[str, str] | None:
        """The offer to create what was not found, where the person may."""
        if len(to) != 1 or not store.may("create", to[0]):
            return None
        target, q = store.tenant.model.entities[to[0]], request.args.get("q", "").strip()
        if target.internal or target.part_of:
            return None
        label = label_of(target, store)
        said = _("Create %(thing)s “%(name)s”", thing=label, name=q) if q else _("Create %(thing)s", thing=label)
        extra: dict[str, Any] = {"any": 1} if several else {}
        return {"label": said, "url": url_for("FormView.new", entity=to[0], quick=1, title=q, **extra)}
