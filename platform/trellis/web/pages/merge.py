"""Merging: records side by side, which one stays, and whose value each field gets; undoing a merge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, jsonify, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from markupsafe import Markup

from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.merging.choosing import is_blank, mergeable
from trellis.records.merging.lookup import UNDO_FOR
from trellis.records.merging.merge import MOST
from trellis.records.record import Record
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store, as_id
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, label_of, wants_json

TAKE = "take."
SHOWN = 30  # records that a search offers


@dataclass(frozen=True)
class Option:
    """One record's value of a field."""

    id: UUID
    html: Markup
    is_blank: bool
    is_chosen: bool


@dataclass(frozen=True)
class Row:
    """A field across the records; one that is the same in all, or that the person may not choose, has no choice."""

    field: Field
    label: str
    options: list[Option]
    is_open: bool
    adds_up: bool


@dataclass(frozen=True)
class Side:
    """A record as a column."""

    record: Record
    title: str
    address: str
    is_winner: bool
    created: str


class MergePage:
    """Everything that the page shows."""

    def __init__(self, store: Store, entity: Entity, records: Sequence[Record], given: Mapping[str, str]) -> None:
        self.store, self.entity = store, entity
        self.language = store.principal.reader.language
        winner = next((r for r in records if str(r.id) == given.get("winner")), records[0])
        self.records = [winner, *(r for r in records if r is not winner)]
        self.shown_order = list(records)
        before = next((r for r in records if str(r.id) == given.get("was")), winner)
        self.given = given
        self._before = [before, *(r for r in records if r is not before)]
        readable, writable = store.readable_fields(entity.key), store.writable_fields(entity.key)
        fields = [f for f in mergeable(entity) if f.key in readable]
        rows = [self._row(f, can_choose=f.key in writable) for f in fields]
        self.differing = [row for row in rows if row.is_open]
        self.rest = [row for row in rows if not row.is_open and not all(o.is_blank for o in row.options)]
        self.sides = [
            Side(
                r,
                r.title or label_of(entity, store),
                entity_address(entity.key, r.id),
                r is winner,
                day_of(store, r.get("created_at")),
            )
            for r in self.shown_order
        ]

    @property
    def winner(self) -> Record:
        """The record that stays."""
        return self.records[0]

    @property
    def follows(self) -> list[str]:
        """What comes along, in words: 12 deals, 3 notes."""
        counts = self.store.hanging(self.entity.key, [r.id for r in self.records[1:]])
        model = self.store.tenant.model
        return [
            f"{count} {model.entities[key].plural.in_language(self.language)}"
            if count != 1
            else f"1 {model.entities[key].label.in_language(self.language)}"
            for key, count in counts.items()
        ]

    def _row(self, field: Field, *, can_choose: bool) -> Row:
        values = {r.id: r.get(field.key) for r in self.shown_order}
        filled = [v for v in values.values() if not is_blank(v)]
        differs = bool(filled) and (len(filled) < len(values) or any(v != filled[0] for v in filled))
        adds_up = field.type.name == "tags" or bool(getattr(field.type, "multiple", False))
        chosen = self._chosen(field, values)
        draw = renderer(
            field, CellContext(self.store.principal.reader, self.store.tenant.model, self.entity, entity_address)
        )
        options = [
            Option(id, Markup("") if is_blank(v) else Markup(draw(v)), is_blank(v), id == chosen)
            for id, v in values.items()
        ]
        return Row(field, field.label.in_language(self.language), options, differs and can_choose, adds_up)

    def _chosen(self, field: Field, values: Mapping[UUID, Any]) -> UUID:
        """What was chosen by hand stays chosen when another record is to stay; else the default for the winner."""
        asked = self.given.get(TAKE + field.key)
        by_hand = next((id for id in values if str(id) == asked), None)
        if by_hand is not None and ("was" not in self.given or by_hand != _default(self._before, values)):
            return by_hand
        return _default(self.records, values)


def day_of(store: Store, at: Any) -> str:
    """A moment's day where the reader is."""
    if not isinstance(at, datetime):
        return ""
    return str(format_date(at.astimezone(store.principal.reader.time_zone).date()))


def _default(records: Sequence[Record], values: Mapping[UUID, Any]) -> UUID:
    return next((r.id for r in records if not is_blank(values[r.id])), records[0].id)


class MergeView(Page):
    """`/e/<entity>/merge?ids=…`."""

    @expose("/e/<entity>/merge", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def merge(self, entity: str) -> Any:
        """The records side by side; POST merges them."""
        store = current_store()
        definition = entity_or_404(store, entity)
        if not store.may_merge(entity):
            raise Forbidden(entity, "merge")
        wanted = [part for text in request.values.getlist("ids") for part in text.split(",") if part]
        ids = list(dict.fromkeys(map(as_id, wanted)))
        if not 2 <= len(ids) <= MOST:
            toast(_("Choose between 2 and %(most)s records to merge.", most=MOST), kind="error")
            return redirect(entity_address(entity), 303)
        with store.transaction():
            records = [store.read(entity, id) for id in ids]
        if request.method == "GET":
            if "csrf_token" in request.args:  # “keep this one” sends the whole form
                kept = [(name, text) for name, text in request.args.items(multi=True) if name != "csrf_token"]
                return redirect(f"{request.script_root}{request.path}?{urlencode(kept)}", 303)
            return self._page(store, definition, records)
        winner = as_id(request.form.get("winner", str(ids[0])))
        if winner not in ids:
            raise Missing(str(winner))
        fields = definition.fields
        take = {
            name.removeprefix(TAKE): as_id(id)
            for name, id in request.form.items()
            if name.startswith(TAKE) and name.removeprefix(TAKE) in fields
        }
        versions = {id: v for id in ids if (v := request.form.get(f"version.{id}", type=int)) is not None}
        try:
            merged = store.merge(entity, winner, [id for id in ids if id != winner], take, versions=versions)
        except Refused as refused:
            said = [(f.field, fault_text(f, store.principal.reader.language)) for f in refused.faults]
            return self._page(store, definition, records, said=said, status=422)
        done = store.merges(entity, merged.id)[0]
        words = ngettext(
            "%(num)d record was merged into this one", "%(num)d records were merged into this one", len(ids) - 1
        )
        toast(words, undo={"url": url_for("MergeView.undo", entity=entity, id=merged.id, merge=done.id)})
        return redirect(entity_address(entity, merged.id), 303)

    @expose("/e/<entity>/<uuid:id>/merge")  # type: ignore[untyped-decorator]
    @signed_in
    def with_others(self, entity: str, id: UUID) -> Response:
        """Which records to merge this one with: what is like it, and what one searches for."""
        store = current_store()
        definition = entity_or_404(store, entity)
        if not store.may_merge(entity):
            raise Forbidden(entity, "merge")
        with store.transaction():
            record = store.read(entity, id)
            q = request.args.get("q", "").replace("\0", "").strip()[:200]
            found = [c for c in store.pick(entity, q, limit=SHOWN) if c.ref.id != id] if q else []
        return self.draw(
            "merge_with.html",
            entity=definition,
            record=record,
            title=record.title or label_of(definition, store),
            q=q,
            found=found,
            back=entity_address(entity, id),
            most=MOST,
        )

    def _page(
        self,
        store: Store,
        entity: Entity,
        records: Sequence[Record],
        *,
        said: Sequence[tuple[str | None, str]] = (),
        status: int = 200,
    ) -> Response:
        with store.transaction():
            page = MergePage(store, entity, records, request.values)
            follows = page.follows
        language = store.principal.reader.language
        labels = {key: field.label.in_language(language) for key, field in entity.fields.items()}
        until = format_date(store.principal.reader.today() + UNDO_FOR)
        return self.draw(
            "merge.html",
            status=status,
            entity=entity,
            page=page,
            follows=follows,
            said=[(labels.get(field or "", ""), text) for field, text in said],
            until=until,
            ids=",".join(str(r.id) for r in records),
            back=request.values.get("back") or entity_address(entity.key),
        )

    @expose("/e/<entity>/<uuid:id>/unmerge/<uuid:merge>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def undo(self, entity: str, id: UUID, merge: UUID) -> Any:
        """Every record as it was, as far as later changes allow."""
        store = current_store()
        definition = entity_or_404(store, entity)
        try:
            done = store.unmerge(merge)
        except Refused as refused:
            text = " ".join(fault_text(f, store.principal.reader.language) for f in refused.faults)
            if wants_json():
                response = jsonify({"message": text})
                response.status_code = 422
                return response
            toast(text, kind="error")
            return redirect(entity_address(entity, id), 303)
        toast(unmerged_text(definition, done.fields, done.records, store.principal.reader.language))
        location = entity_address(done.entity, done.winner)
        if wants_json() or "HX-Request" in request.headers:
            response = jsonify({"location": location})
            response.headers["HX-Redirect"] = location
            return response
        return redirect(location, 303)


def unmerged_text(entity: Entity, fields: Sequence[str], records: int, language: str) -> str:
    """What the undoing did, and what it left because it was changed since."""
    words = [_("The merge is undone")]
    if fields:
        names = ", ".join(entity.fields[key].label.in_language(language) for key in fields)
        words.append(_("changed since, so left as it is: %(fields)s", fields=names))
    if records:
        words.append(
            ngettext(
                "%(num)d record leads elsewhere by now and stays so",
                "%(num)d records lead elsewhere by now and stay so",
                records,
            )
        )
    return "; ".join(words)
