"""A field at its place in a form: with its value, or with what was typed, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

from flask import current_app
from markupsafe import Markup

from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.fields.base import FieldType, Invalid
from trellis.web.widgets.base import WIDGETS, Widget, widget_of

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.records.store import Store


def editable_text(type_: FieldType, value: Value, reader: Reader) -> str:
    """A value as text to edit: as people read it, if that can be read back, else exact."""
    if value is None:
        return ""
    shown = type_.display(value, reader)
    try:
        return shown if type_.parse(shown, reader) == value else type_.write_text(value, reader)
    except Invalid:
        return type_.write_text(value, reader)


@dataclass
class BoundField:
    """One field of a form. `value` is a Value, or the raw value that was typed when `typed`."""

    store: Store
    entity: Entity
    field: Field
    value: Any = None
    typed: bool = False
    prefix: str = ""  # "lines.2." inside a line
    errors: Sequence[str] = ()
    required: bool = False
    readonly: bool = False
    visible: bool = True
    choices: frozenset[str] | None = None  # None: all
    computed: str | None = None  # what a derived field shows now
    span: str = "half"
    compact: bool = False  # in a cell or a line: no hint, no second line
    this: Mapping[str, Any] = dc_field(default_factory=dict)
    closed: bool = False  # a save would refuse a change, so that nothing of it is sent
    fixed: bool = False  # never writable here, whatever conditions say

    brief: bool = False  # in a short form: only the parts that matter
    is_clip: bool = False  # files: a paperclip beside a button
    touched: bool = False  # by the person: defaults leave it alone
    hint: str = ""  # stands in the empty control
    is_stored: bool = False  # of a record that is there: what is blank has been left so

    is_lines = False

    @property
    def name(self) -> str:
        """The name in the form."""
        return self.prefix + self.field.key

    @property
    def id(self) -> str:
        """The id of the control, that a label and the summary of errors point at."""
        return "f-" + self.name.replace(".", "-")

    @property
    def error_id(self) -> str:
        """The id of the line that says what is wrong."""
        return f"{self.id}-e"

    @property
    def hint_id(self) -> str:
        """The id of the line that helps."""
        return f"{self.id}-h"

    @property
    def described_by(self) -> str:
        """The ids for aria-describedby."""
        ids = [self.error_id] if self.errors else []
        if self.field.help and not self.compact:
            ids.append(self.hint_id)
        return " ".join(ids)

    @property
    def reader(self) -> Reader:
        """The person's settings."""
        return self.store.principal.reader

    @property
    def widget(self) -> Widget:
        """The widget that edits it; what cannot be written is only shown."""
        if self.fixed and self.field.type.widget != "sequence":
            return WIDGETS["reference"]
        if self.compact and not widget_of(self.field).compact:
            return WIDGETS["text"]
        return widget_of(self.field)

    def summary_entries(self) -> list[tuple[str, str]]:
        """(id, what is wrong) for the summary above the form."""
        return [(self.id, f"{self.label}: {text}") for text in self.errors]

    @property
    def label(self) -> str:
        """The field's label in the reader's language."""
        return self.field.label.in_language(self.reader.language)

    @property
    def text(self) -> str:
        """The value as text to edit."""
        if self.value is None or self.value == "":
            return ""
        if self.typed or isinstance(self.value, str):
            return str(self.value)
        return editable_text(self.field.type, self.value, self.reader)

    @property
    def shown(self) -> str:
        """The value as people read it."""
        if self.typed or self.value is None:
            return str(self.value or "")
        return self.field.type.display(self.value, self.reader)

    def render(self) -> Markup:
        """The control alone, without label."""
        return draw(self.widget.template, f=self, **self.widget.context(self))


def draw(template: str, **values: Any) -> Markup:
    """A template of a form's piece. There are hundreds on a page, so nothing is done that only whole pages need."""
    return Markup(current_app.jinja_env.get_template(template).render(values))
