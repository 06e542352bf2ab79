"""Widgets for links: a picker that searches as one types, shows a second line and creates in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from flask import url_for

from trellis.formula.types import Ref
from trellis.model.field import Field
from trellis.records.reading.catalog import link_columns
from trellis.records.refusal import Forbidden, Missing
from trellis.web.cells.markup import color_of, initials
from trellis.web.widgets.base import Widget, widget
from trellis.web.widgets.submitted import Submitted
from trellis.web.widgets.via import link_rows, read_row

if TYPE_CHECKING:
    from trellis.web.widgets.bound import BoundField

PEOPLE = frozenset({"user"})


@dataclass(frozen=True, slots=True)
class Picked:
    """A record in a picker: `value` stands for it in the form."""

    value: str
    title: str
    sub: str = ""
    initials: str = ""
    color: str = ""
    square: str = ""

    def as_json(self) -> dict[str, str]:
        """For the picker's script."""
        return {
            "value": self.value,
            "title": self.title,
            "sub": self.sub,
            "initials": self.initials,
            "color": self.color,
            "square": self.square,
        }


def picked(ref: Ref, title: str, sub: str = "", *, with_entity: bool = False) -> Picked:
    """A record as a picker shows it: people with round faces, things with square ones."""
    return Picked(
        f"{ref.entity}:{ref.id}" if with_entity else str(ref.id),
        title,
        sub,
        initials(title),
        f"c-{color_of(str(ref.id))}",
        "" if ref.entity in PEOPLE else "1",
    )


def as_ref(text: str | None, entity: str | None) -> Any:
    """What a picker sent, as a Ref; what is none is left as it is, for the field type to refuse."""
    if text is None:
        return None
    kind, _, key = text.rpartition(":")
    try:
        return Ref(kind or entity or "", UUID(key))
    except ValueError:
        return text


def titled(bound: BoundField, ref: Ref) -> str:
    """A record's title: the one it was read with, else read now; nothing about what the person may not see."""
    if ref.title:
        return ref.title
    try:
        return bound.store.read(ref.entity, ref.id, fields=()).title
    except (Missing, Forbidden, KeyError):
        return "—"


def targets(field: Field) -> tuple[str, ...]:
    """The entities that a link may point at; empty: any."""
    found: tuple[str, ...] = getattr(field.type, "targets", tuple)()
    return found


def depends(field: Field) -> str:
    """The names of the open form's fields that the picker's filter looks at."""
    given = getattr(field.type, "filter", None)
    reads = getattr(given, "reads", ()) or ()
    return " ".join(sorted({path[1] for path in reads if len(path) > 1 and path[0] == "this"}))


class PickerWidget(Widget):
    """What all pickers share."""

    multiple: ClassVar[bool] = False
    with_entity: ClassVar[bool] = False

    @property
    def template(self) -> str:
        """One template for all pickers."""
        return "widgets/link.html"

    def refs(self, value: Any, entity: str | None) -> Sequence[Ref]:
        """The value as refs, also when it was typed."""
        values = value if isinstance(value, (list, tuple)) else [value]
        values = [v.get("id") if isinstance(v, Mapping) else v for v in values]  # with what their links keep
        refs = [as_ref(v, entity) if isinstance(v, str) else v for v in values]
        return [ref for ref in refs if isinstance(ref, Ref)]

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """What is picked, and where more is found."""
        to = targets(bound.field)
        entity = to[0] if len(to) == 1 else None
        with_entity = entity is None or self.with_entity
        chosen = [
            picked(ref, titled(bound, ref), with_entity=with_entity) for ref in self.refs(bound.value, entity) if ref
        ]
        source = url_for(
            "PickerView.pick_field",
            entity=bound.entity.key,
            field=bound.field.key,
            record=bound.this.get("id"),
        )
        return {"chosen": chosen, "source": source, "depends": depends(bound.field), "multiple": self.multiple}

    def fill(self, bound: BoundField) -> Mapping[str, Any]:
        """The record with its title."""
        chosen = self.context(bound)["chosen"]
        if self.multiple:
            return {}
        return {"": chosen[0].as_json() if chosen else ""}


@widget("link", "user", "team")
class OneLink(PickerWidget):
    """One record."""

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """The record."""
        to = targets(field)
        return as_ref(sent.text(name or field.key), to[0] if to else None)


@widget("any_link")
class AnyLink(PickerWidget):
    """One record of one of several entities."""

    with_entity: ClassVar[bool] = True

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """The record with its entity."""
        return as_ref(sent.text(name or field.key), None)

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """What is picked, and the entities among which one may choose first."""
        found = super().context(bound)
        language, entities = bound.reader.language, bound.store.tenant.model.entities
        to = targets(bound.field) or tuple(key for key, e in entities.items() if not (e.internal or e.part_of))
        kinds = [(key, entities[key].label.in_language(language)) for key in to if bound.store.may("read", key)]
        return {**found, "kinds": sorted(kinds, key=lambda kind: kind[1].casefold()) if not bound.compact else []}


@widget("links")
class ManyLinks(PickerWidget):
    """Several records."""

    multiple: ClassVar[bool] = True
    stays: ClassVar[bool] = True

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """The records, in the order they were picked."""
        to = targets(field)
        texts = sent.texts(name or field.key)
        if not link_columns(field):
            return tuple(as_ref(text, to[0] if to else None) for text in texts)
        return tuple({"id": text, **read_row(sent, field, name or field.key, text)} for text in texts)

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """What is picked, with a row for what each link keeps."""
        found = super().context(bound)
        return {**found, "via": link_rows(bound, found["chosen"])}
