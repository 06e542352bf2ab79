"""A whole form: sections and tabs with their bound fields, filled from a record or from what was typed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dc_field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.form import Form, FormField, Section
from trellis.records.pipelines.pipeline import pipelines_on, tracks
from trellis.records.pools.standing import hidden_now
from trellis.records.record import FieldState, FormState, Record
from trellis.records.refusal import Fault
from trellis.web.faults import fault_text
from trellis.web.widgets.base import UNCHANGED, widget_of
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.lines import Lines, lines_of
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.records.store import Store


def form_of(entity: Entity, roles: frozenset[str]) -> Form:
    """The form for a person: the first one that names a role of theirs, else the entity's own, else every field."""
    for form in entity.forms.values():
        if roles & frozenset(form.roles):
            return form
    if entity.form is not None and entity.form.sections:
        return entity.form
    fields = tuple(FormField(f.key) for f in entity.fields.values() if not f.system and "form" not in f.hidden)
    return Form((Section("fields", entity.label, fields),))


def quick_form_of(entity: Entity, roles: frozenset[str]) -> Form:
    """The few fields of a quick creation: those that are named, and whatever else is required.

    Who has a form of their own has that one for everything.
    """
    if any(roles & frozenset(form.roles) for form in entity.forms.values()):
        return form_of(entity, roles)
    named = list(entity.quick_create)
    required = [f.key for f in entity.fields.values() if f.required and f.is_writable and f.default is None]
    wanted = dict.fromkeys([*(named or [entity.title_field or ""]), *required])
    fields = tuple(FormField(key, "full") for key in wanted if key in entity.fields)
    return Form((Section("quick", entity.label, fields, columns=1),)) if fields else form_of(entity, roles)


def with_stage(entity: Entity, form: Form, given: Collection[str]) -> Form:
    """The form of a new record asks for pipeline and stage where there is a choice, or where the address sets one."""
    shown = {place.field for section in form.sections for place in section.fields}
    wanted: list[FormField] = []
    for track in tracks(entity):
        if len(pipelines_on(entity, track)) > 1:
            wanted += [FormField(track.pipeline), FormField(track.field)]
        elif track.field in given:
            wanted.append(FormField(track.field))
    missing = tuple(place for place in wanted if place.field not in shown)
    if not missing or not form.sections:
        return form
    first, *others = form.sections
    return replace(form, sections=(replace(first, fields=(*first.fields, *missing)), *others))


def read_form(entity: Entity, sent: Submitted, model: Mapping[str, Entity]) -> dict[str, Any]:
    """The raw values that a submitted form holds, for the fields that were on the page."""
    values: dict[str, Any] = {}
    for key, field in entity.fields.items():
        if sent.has(key) and field.is_writable:
            raw = widget_of(field).read(sent, field)
            if raw is not UNCHANGED:
                values[key] = raw
    for name, child in lines_of(entity, model).items():
        if sent.has(name):
            values[name] = Lines.read(child, sent, name)
    return values


@dataclass
class BoundSection:
    """A section with its bound fields; `totals` are derived fields that stand under the lines before them."""

    section: Section
    fields: list[BoundField | Lines]
    visible: bool = True

    @property
    def key(self) -> str:
        """The section's key."""
        return self.section.key


@dataclass
class BoundForm:
    """A form on its way to a page."""

    store: Store
    entity: Entity
    form: Form
    record: Record | None = None
    typed: Mapping[str, Any] = dc_field(default_factory=dict)
    faults: Sequence[Fault] = ()
    given: Mapping[str, Any] = dc_field(default_factory=dict)  # what the address sets: ?account=…
    touched: frozenset[str] = frozenset()  # the names of the fields that the person has touched

    @cached_property
    def language(self) -> str:
        """The reader's language."""
        return self.store.principal.reader.language

    @cached_property
    def readable(self) -> frozenset[str]:
        """The fields that the person may see; what a pool hides is no field of the form."""
        every = frozenset(self.store.readable_fields(self.entity.key))
        if self.record is None:
            return every
        with self.store.transaction():
            return every - hidden_now(self.store.session, self.entity.key, self.record.id)

    @cached_property
    def writable(self) -> frozenset[str]:
        """The fields that the person may set."""
        return frozenset(self.store.writable_fields(self.entity.key))

    def may_edit_lines(self, child: Entity) -> bool:
        """Whether the person may change the record's parts: they are secured with it."""
        action = "update" if self.record is not None else "create"
        return bool(self.store.may(action, self.entity.key, self.record or None))

    @cached_property
    def state(self) -> FormState:
        """What conditions, defaults and calculations say about what stands in the form now."""
        values = {**self.given, **self.typed}
        return self.store.evaluate_form(self.entity.key, values, self.record.id if self.record else None)

    @cached_property
    def sections(self) -> list[BoundSection]:
        """The sections that hold anything for this person."""
        bound = [self._section(section) for section in self.form.sections]
        made: list[BoundSection] = []
        for section in bound:
            lines = made[-1].fields[-1] if made and made[-1].fields else None
            if isinstance(lines, Lines) and section.fields and all(_is_total(f) for f in section.fields):
                lines.totals = [f for f in section.fields if isinstance(f, BoundField)]
            elif section.fields:
                made.append(section)
        return made

    @cached_property
    def tabs(self) -> list[tuple[Any, list[BoundSection]]]:
        """The sections by tab, in order; the first tab holds those without one."""
        tabs: dict[str, tuple[Any, list[BoundSection]]] = {}
        for section in self.sections:
            label = section.section.tab
            tabs.setdefault(label.source if label else "", (label, []))[1].append(section)
        return list(tabs.values())

    @cached_property
    def bound(self) -> dict[str, BoundField | Lines]:
        """Every bound field by name."""
        return {field.name: field for section in self.sections for field in section.fields}

    @cached_property
    def general(self) -> list[str]:
        """What is wrong with the record as a whole, or with a field that the form does not show."""
        shown = set(self.bound)
        return [
            fault_text(f, self.language)
            for f in self.faults
            if f.field is None or (f.field not in shown and f.field.split(".")[0] not in shown)
        ]

    @cached_property
    def summary(self) -> list[tuple[str, str]]:
        """(id of the control, what is wrong) for the list above the form."""
        return [entry for field in self.bound.values() for entry in field.summary_entries()]

    def errors(self, name: str) -> list[str]:
        """What is wrong with one field."""
        return [fault_text(f, self.language) for f in self.faults if f.field == name]

    def field(self, key: str, *, span: str = "half", compact: bool = False) -> BoundField:
        """One field, bound."""
        field = self.entity.fields[key]
        state = self.state.fields.get(key, FieldState())
        typed = key in self.typed
        inside = [fault_text(f, self.language) for f in self.faults if (f.field or "").startswith(f"{key}.")]
        fixed = not field.is_writable or key not in self.writable
        if field.readonly == "always" or (field.readonly == "after_create" and self.record is not None):
            fixed = True
        return BoundField(
            self.store,
            self.entity,
            field,
            self._value(field),
            typed=typed,
            errors=[*self.errors(key), *inside],
            required=state.required,
            readonly=fixed or state.readonly,
            closed=fixed or state.closed,
            visible=state.visible,
            choices=frozenset(state.choices) if state.choices is not None else None,
            span=span,
            compact=compact,
            this={"id": self.record.id} if self.record else {},
            is_stored=self.record is not None,
            fixed=fixed,
            touched=key in self.touched or key in self.given,
            brief=self.form.sections[0].key == "quick",
        )

    def _value(self, field: Field) -> Value:
        key = field.key
        if key in self.typed:
            return self.typed[key]
        if field.is_derived and key in self.state.computed:
            return self.state.computed[key]
        if self.record is not None:
            return self.record.get(key)
        if key in self.given:
            return self.given[key]
        return self.state.defaults.get(key)

    def _section(self, section: Section) -> BoundSection:
        fields = [bound for place in section.fields for bound in self._place(place, section)]
        return BoundSection(section, fields, self.state.sections.get(section.key, True))

    def _place(self, place: FormField, section: Section) -> Iterator[BoundField | Lines]:
        key = place.field
        if key in self.entity.fields:
            if key in self.readable and "form" not in self.entity.fields[key].hidden:
                wide = place.span == "full" or section.columns == 1 or self.entity.fields[key].span == "full"
                yield self.field(key, span="full" if wide else "half")
        elif (child := lines_of(self.entity, self.store.tenant.model.entities).get(key)) is not None:
            yield Lines.bind(self, key, child)


def _is_total(field: BoundField | Lines) -> bool:
    return isinstance(field, BoundField) and field.field.is_derived and field.field.type.is_numeric


def prefilled(entity: Entity, sent: Mapping[str, str]) -> dict[str, Any]:
    """What the address sets: ?account=<id>; `about=task:<id>` for a link to any entity."""
    found: dict[str, Any] = {}
    for key, text in sent.items():
        field = entity.fields.get(key)
        if field is not None and field.is_writable and text:
            found[key] = text
    return found


def uuid_of(text: str | None) -> UUID | None:
    """An id in an address; None when it is none."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
