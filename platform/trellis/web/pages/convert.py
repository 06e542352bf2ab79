"""Converting a record: what it becomes, target by target, with existing records that look like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from babel.lists import format_list
from flask import jsonify, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.model.conversion import Conversion, became_field
from trellis.model.entity import Entity
from trellis.model.form import Form, FormField, Section
from trellis.model.locales import babel_locale
from trellis.records.conversion.convert import Converted, Proposal
from trellis.records.conversion.matches import Match
from trellis.records.record import Record
from trellis.records.refusal import Fault, Refused
from trellis.records.store import Store
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, here, label_of, submitted, wants_json
from trellis.web.widgets import Submitted
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.form import BoundForm, read_form

OTHER = "_other"  # the radio for a record that is picked, and the name of its picker


@dataclass
class Part:
    """One target on the page."""

    key: str
    entity: Entity
    label: str
    proposal: Proposal
    use: str  # new, skip, an id, or OTHER
    fields: list[BoundField]
    picker: BoundField
    errors: Sequence[str] = ()  # of the target as a whole

    @property
    def id(self) -> str:
        """The id that the summary points at."""
        return f"c-{self.key}"

    @property
    def matches(self) -> list[Match]:
        """The existing records that may be chosen."""
        return [m for m in self.proposal.matches if m.ref is not None]

    @property
    def concealed(self) -> list[Match]:
        """Those that the person may not see: whom to ask about them."""
        return [m for m in self.proposal.matches if m.ref is None]

    def why(self, match: Match) -> str:
        """What the match agrees in."""
        language = self.picker.reader.language
        labels = [self.entity.fields[name].label.in_language(language) for name in match.on]
        return str(_("same %(fields)s", fields=_together(labels, language)))


class ConvertView(Page):
    """`/e/<entity>/<id>/convert`."""

    @expose("/e/<entity>/<uuid:id>/convert", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def convert(self, entity: str, id: UUID) -> Any:
        """What the record would become; POST makes it so."""
        store = current_store()
        definition = entity_or_404(store, entity)
        record = store.read(entity, id)
        try:
            proposals = store.propose(entity, id)
        except Refused as refused:
            toast(fault_text(refused.faults[0], store.principal.reader.language), kind="error")
            location = entity_address(entity, id)
            return jsonify({"location": location}) if wants_json() else redirect(location)
        if request.method == "GET":
            return self._page(store, definition, record, proposals)
        sent = submitted()
        try:
            done = store.convert(entity, id, self._choices(store, proposals, sent))
        except Refused as refused:
            return self._page(store, definition, record, proposals, sent, refused.faults)
        return self._done(store, definition, record, done)

    def _choices(self, store: Store, proposals: Sequence[Proposal], sent: Submitted) -> dict[str, Any]:
        """What was chosen and typed, as the door takes it."""
        model = store.tenant.model
        found: dict[str, Any] = {}
        for proposal in proposals:
            key = proposal.target.entity
            below = sent.below(key)
            use = below.text("_use") or "new"
            if use == OTHER:
                found[key] = {"existing": below.text(OTHER)}
            elif use in ("new", "skip"):
                typed = read_form(model.entities[key], below, model.entities)
                found[key] = {"new": typed} if use == "new" else "skip"
            else:
                found[key] = {"existing": use}
        return found

    def _page(
        self,
        store: Store,
        entity: Entity,
        record: Record,
        proposals: Sequence[Proposal],
        sent: Submitted | None = None,
        faults: Sequence[Fault] = (),
    ) -> Any:
        conversion = store.tenant.model.conversions[entity.key]
        language = store.principal.reader.language
        parts = [_part(store, entity, p, sent, faults) for p in proposals]
        known = {p.key for p in parts}
        wrong = [(p.id, f"{p.label}: {text}") for p in parts for text in p.errors]
        wrong += [(id, f"{p.label}, {text}") for p in parts for f in p.fields for id, text in f.summary_entries()]
        return self.draw(
            "_convert.html" if wants_json() else "convert.html",
            status=422 if sent is not None else 200,
            entity=entity,
            record=record,
            parts=parts,
            title=record.title or label_of(entity, store),
            action=here(),
            verb=verb_of(conversion, language),
            general=[fault_text(f, language) for f in faults if (f.field or "").partition(".")[0] not in known],
            wrong=wrong,
            is_refused=sent is not None,
            back=entity_address(entity.key, record.id),
            other=OTHER,
            locks=conversion.lock,
        )

    def _done(self, store: Store, entity: Entity, record: Record, done: Converted) -> Any:
        titles = [ref.title or "" for ref in (store.read(r.entity, r.id, fields=()).ref for r in done.became.values())]
        names = _together(list(dict.fromkeys(t for t in titles if t)), store.principal.reader.language)
        undo = {"url": url_for("BatchesView.undo", id=done.batch, toast=1)}
        toast(_("“%(title)s” became %(names)s", title=record.title, names=names), undo=undo)
        location = entity_address(entity.key, record.id)
        return jsonify({"location": location}) if wants_json() else redirect(location, 303)


def verb_of(conversion: Conversion, language: str) -> str:
    """What converting is called: by the document's own label, else by the platform's word."""
    text = conversion.label
    return text.in_language(language) if text and text.source != "Convert" else str(_("Convert"))


def _together(names: Sequence[str], language: str) -> str:
    """An enumeration: Acme, Ada and Pilot."""
    return format_list(list(names), locale=babel_locale(language))


def _part(store: Store, entity: Entity, proposal: Proposal, sent: Submitted | None, faults: Sequence[Fault]) -> Part:
    model, language = store.tenant.model, store.principal.reader.language
    key = proposal.target.entity
    definition = model.entities[key]
    below = sent.below(key) if sent is not None else None
    typed: Mapping[str, Any] = read_form(definition, below, model.entities) if below is not None else {}
    mine = [replace(f, field=str(f.field).partition(".")[2]) for f in faults if (f.field or "").startswith(f"{key}.")]
    names = _shown(store, definition, proposal)
    form = Form((Section(key, definition.label, tuple(FormField(n) for n in names)),))
    bound = BoundForm(store, definition, form, typed=typed, faults=mine, given=dict(proposal.values))
    fields = [f for f in bound.bound.values() if isinstance(f, BoundField)]
    for field in fields:
        field.prefix = f"{key}."
    errors = [fault_text(f, language) for f in faults if f.field == key]
    errors += bound.general
    use = below.text("_use") if below is not None else None
    label = proposal.target.label.in_language(language) or definition.label.in_language(language)
    return Part(
        key, definition, label, proposal, use or _first(proposal), fields, _picker(store, entity, key, below), errors
    )


def _first(proposal: Proposal) -> str:
    """What is chosen to begin with: the record that agrees in everything there is to compare, else a new one."""
    best = next((m for m in proposal.matches if m.ref is not None), None)
    if best is not None and best.ref is not None:
        return str(best.ref.id)
    return "new" if proposal.may_create else "skip" if proposal.target.optional else OTHER


def _shown(store: Store, entity: Entity, proposal: Proposal) -> list[str]:
    """The fields to look over: what is filled in, and what else is required; not what follows by itself."""
    writable = set(store.writable_fields(entity.key)) & set(store.readable_fields(entity.key))
    required = [f.key for f in entity.fields.values() if f.required and f.default is None and f.is_writable]
    wanted = dict.fromkeys([*(k for k in proposal.target.fills if k not in proposal.given), *required])
    return [k for k in wanted if k in writable and k not in proposal.given and entity.fields[k].type.name != "sequence"]


def _picker(store: Store, entity: Entity, key: str, below: Submitted | None) -> BoundField:
    """The picker for a record that nothing proposes; it asks as the link from the converted record does."""
    link = entity.fields[became_field(key)]
    return _Picker(
        store,
        entity,
        link,
        value=below.text(OTHER) if below is not None else None,
        typed=below is not None,
        prefix=f"{key}.",
        compact=True,
    )


class _Picker(BoundField):
    """A picker under a name of its own."""

    @property
    def name(self) -> str:
        return self.prefix + OTHER
