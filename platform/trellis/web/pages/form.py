"""The form of a record: new, edit, and the short one in a dialog; what conditions say while one types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, abort, jsonify, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.record import Record
from trellis.records.refusal import Fault, Forbidden, Refused, Stale
from trellis.records.store import Store
from trellis.web.context import current_language, current_person, current_store
from trellis.web.errors import answer
from trellis.web.faults import fault_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.lists.desk import lower_first
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.widgets import PRESENT, Submitted
from trellis.web.widgets.alike import Alike, alike_of
from trellis.web.widgets.copying import copy_of, set_by_hand
from trellis.web.widgets.form import BoundForm, form_of, prefilled, quick_form_of, read_form, uuid_of, with_stage
from trellis.web.widgets.link import picked
from trellis.web.widgets.state import answer_state

AnswerType = Response | Any
NOTHING: tuple[Any, ...] = (None, "", (), [])


def entity_or_404(store: Store, key: str) -> Entity:
    """The entity's definition; what the person may not read at all does not exist for them."""
    entity = store.tenant.model.entities.get(key)
    if entity is None or not store.may("read", key):
        abort(404)
    return entity


def known_field(store: Store, entity: str, key: str) -> tuple[Entity, Field]:
    """A field with its entity's definition; one that the person may neither read nor set does not exist for them."""
    definition = entity_or_404(store, entity)
    if key not in store.readable_fields(entity) and key not in store.writable_fields(entity):
        abort(404)
    return definition, definition.fields[key]


def submitted() -> Submitted:
    """What this request sent."""
    return Submitted(request.form, request.files)


def wants_json() -> bool:
    """Whether a script asks, which follows a location by itself."""
    return "X-Requested-With" in request.headers


def is_confirmed() -> bool:
    """Whether the person has seen what only warns, and saves anyway."""
    return "_confirmed" in request.form


def touched() -> frozenset[str]:
    """The names of the fields that the person has touched; lines are numbered by their place."""
    sent = request.form.getlist("_touched")
    places: dict[str, dict[str, int]] = {}
    for name in request.form.getlist(PRESENT):
        head, _dot, rest = name.partition(".")
        number = rest.partition(".")[0]
        if number.isdigit():
            listed = places.setdefault(head, {})
            listed.setdefault(number, len(listed))
    found = set()
    for name in sent:
        head, _dot, rest = name.partition(".")
        number, _dot, key = rest.partition(".")
        place = places.get(head, {}).get(number)
        found.add(f"{head}.{place}.{key}" if key and place is not None else name)
    return frozenset(found)


def here() -> str:
    """The address of this request, query included, as the browser knows it."""
    return request.script_root + (request.full_path if request.query_string else request.path)


def state_address(entity: Entity, given: Mapping[str, Any]) -> str:
    """Where a new record's form asks for its state; what the record gets besides what stands in the form goes along."""
    asked = url_for("FormView.state", entity=entity.key)
    return f"{asked}?{urlencode(given)}" if given else asked


def label_of(entity: Entity, store: Store) -> str:
    """What one record is called, in the reader's language."""
    return lower_first(entity.label.in_language(store.principal.reader.language))


class FormView(Page):
    """`/e/<entity>/new` and `/e/<entity>/<id>/edit`."""

    @expose("/e/<entity>/new", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def new(self, entity: str) -> AnswerType:
        """An empty form, or one with what the address sets; POST creates."""
        store = current_store()
        definition = entity_or_404(store, entity)
        if not store.may("create", entity):
            raise Forbidden(entity, "create")
        quick = "quick" in request.args
        roles = store.principal.roles
        form = quick_form_of(definition, roles) if quick else form_of(definition, roles)
        source = uuid_of(request.args.get("copy"))
        copied = copy_of(store, definition, source) if source else {}
        given = {**copied, **prefilled(definition, request.args)}
        form = with_stage(definition, form, given)
        if request.method == "GET":
            if quick and "title" in request.args and definition.title_field in definition.fields:
                given.setdefault(str(definition.title_field), request.args["title"])
            by_hand = set_by_hand(store, definition, copied)
            return self._page(BoundForm(store, definition, form, given=given, touched=by_hand), quick=quick)
        typed = read_form(definition, submitted(), store.tenant.model.entities)
        if "_draw" in request.form:
            return self._page(
                BoundForm(store, definition, form, typed=typed, given=given, touched=touched()), quick=quick
            )
        hidden = {key: value for key, value in given.items() if key not in typed}
        try:
            record = store.create(entity, {**hidden, **typed}, confirmed=is_confirmed())
        except Refused as refused:
            bound = BoundForm(
                store, definition, form, typed=typed, faults=refused.faults, given=given, touched=touched()
            )
            return self._page(bound, quick=quick, status=422)
        return self._saved(store, definition, record, _("Created"), quick)

    @expose("/e/<entity>/<uuid:id>/edit", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def edit(self, entity: str, id: UUID) -> AnswerType:
        """The record's form; POST saves."""
        store = current_store()
        definition = entity_or_404(store, entity)
        form = form_of(definition, store.principal.roles)
        if request.method == "GET":
            with store.transaction():
                record = self._own(store, entity, id)
                if (locked := store.lock_on(entity, id)) is not None:
                    return self._locked(entity, id, locked)
                return self._page(BoundForm(store, definition, form, record))
        record = self._own(store, entity, id)
        typed = read_form(definition, submitted(), store.tenant.model.entities)
        if "_draw" in request.form:
            return self._page(BoundForm(store, definition, form, record, typed=typed, touched=touched()))
        version = request.form.get("version", type=int)
        try:
            saved = store.update(entity, id, typed, version=version, confirmed=is_confirmed(), merges=True)
        except Stale as stale:
            record = store.read(entity, id)
            kept = {name: value for name, value in typed.items() if name not in stale.left}
            bound = BoundForm(store, definition, form, record, typed=kept)
            return self._page(bound, status=409, stale=stale)
        except Refused as refused:
            bound = BoundForm(store, definition, form, record, typed=typed, faults=refused.faults)
            return self._page(bound, status=422, version=version)
        return self._saved(store, definition, saved, _("Saved"), False)

    @expose("/e/<entity>/form-state", methods=["POST"])  # type: ignore[untyped-decorator]
    @expose("/e/<entity>/<uuid:id>/form-state", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def state(self, entity: str, id: UUID | None = None) -> Response:
        """What conditions, defaults and calculations make of what stands in the form now."""
        store = current_store()
        definition = entity_or_404(store, entity)
        named = frozenset(request.form.getlist("_touched"))
        given = prefilled(definition, request.args) if id is None else {}
        return jsonify(answer_state(store, definition, submitted(), named, id, given))

    def _locked(self, entity: str, id: UUID, why: Fault) -> AnswerType:
        """Nobody types into a form that cannot be saved: the record, and why."""
        said = fault_text(why, current_language())
        if wants_json():
            return answer(403, message=said)
        toast(said, kind="danger")
        return redirect(entity_address(entity, id))

    def _own(self, store: Store, entity: str, id: UUID) -> Record:
        record = store.read(entity, id)
        if not store.may("update", entity, record):
            raise Forbidden(entity, "update")
        return record

    def _page(
        self,
        bound: BoundForm,
        *,
        quick: bool = False,
        status: int = 200,
        stale: Stale | None = None,
        version: int | None = None,
    ) -> Response:
        template = "_quick.html" if quick else "_form.html" if wants_json() else "form.html"
        entity, record, store = bound.entity, bound.record, bound.store
        thing = label_of(entity, store)
        title = (record.title or thing) if record else _("New %(thing)s", thing=thing)
        person = current_person()
        return self.draw(
            template,
            status=status,
            form=bound,
            entity=entity,
            record=record,
            title=title,
            save_label=_("Save %(thing)s", thing=thing) if record else _("Create %(thing)s", thing=thing),
            action=here(),
            base=request.script_root,
            state_address=self._state_address(entity, record),
            back=entity_address(entity.key, record.id if record else None),
            draft=f"{person.id if person else ''}:{entity.key}:{record.id if record else 'new'}",
            version=version or (record.version if record else None),
            is_stale=stale is not None,
            conflicts=self._conflicts(bound, stale) if stale else [],
            is_refused=status != 200,
            alike=self._alike(bound),
        )

    def _state_address(self, entity: Entity, record: Record | None) -> str:
        if record is None:
            return state_address(entity, prefilled(entity, request.args))
        return url_for("FormView.state", entity=entity.key, id=record.id)

    def _conflicts(self, bound: BoundForm, stale: Stale) -> list[dict[str, Any]]:
        reader = bound.store.principal.reader
        found = []
        for key, value in stale.current.items():
            field = bound.entity.fields.get(key)
            if field is not None and not (value in NOTHING and bound.typed.get(key) in NOTHING):
                shown = field.type.display(value, reader) if value not in NOTHING else "–"
                found.append({"label": field.label, "id": f"f-{key}", "theirs": shown})
        return found

    def _alike(self, bound: BoundForm) -> Alike | None:
        """The records that this one looks like, when that is all that stands against saving it."""
        if not bound.faults or any(f.code != "duplicate" for f in bound.faults):
            return None
        return alike_of(bound.store, bound.entity, bound.faults, bound.record.id if bound.record else None)

    def _saved(self, store: Store, entity: Entity, record: Record, said: str, quick: bool) -> AnswerType:
        location = entity_address(entity.key, record.id)
        if not wants_json():
            toast(said)
            return redirect(location, 303)
        ref = {"entity": entity.key, "id": str(record.id), **picked(record.ref, record.title or "—").as_json()}
        if "any" in request.args:
            ref["value"] = f"{entity.key}:{record.id}"
        if not quick:
            toast(said)
        return jsonify({"location": location, "ref": ref, "toast": said, "title": record.title})


def faults_json(faults: tuple[Fault, ...], language: str) -> dict[str, Any]:
    """A refusal for a script: one message, and every fault with its field."""
    errors = [{"field": f.field, "code": f.code, "message": fault_text(f, language)} for f in faults]
    return {"message": " ".join(dict.fromkeys(str(e["message"]) for e in errors)), "errors": errors}
