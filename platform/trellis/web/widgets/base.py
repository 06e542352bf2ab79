"""What a widget is, and the registry of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from trellis.model.field import Field
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.web.widgets.bound import BoundField


class Unchanged:
    """The mark for a field that a form leaves as it is."""


UNCHANGED = Unchanged()


class Widget:
    """How a kind of value is edited. `read` gives a raw value for FieldType.parse; `context` feeds the template.

    `compact` says that the widget fits into a cell of a list or a line; `stays` that leaving it does not save.
    """

    name: ClassVar[str] = "text"
    compact: ClassVar[bool] = True
    stays: ClassVar[bool] = False
    label_for: ClassVar[bool] = True  # one control that a <label for> may point at, else a group with a legend

    @property
    def template(self) -> str:
        """The template that draws it."""
        return f"widgets/{self.name}.html"

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """The raw value of the field in a submitted form."""
        return sent.text(name or field.key)

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """What the template needs beside the bound field."""
        return {}

    def fill(self, bound: BoundField) -> Mapping[str, Any]:
        """A default for the form's script to fill in: text by part of the name ("" is the control itself)."""
        return {"": bound.text}


WIDGETS: dict[str, Widget] = {}

W = TypeVar("W", bound=type[Widget])


def widget(*names: str) -> Callable[[W], W]:
    """Register a widget under the names that FieldType.widget uses; the first names its template."""

    def register(cls: W) -> W:
        cls.name = names[0]
        made = cls()
        for name in names:
            WIDGETS[name] = made
        return cls

    return register


def widget_of(field: Field) -> Widget:
    """The widget that edits a field; what has none of its own is edited as text."""
    return WIDGETS.get(field.type.widget) or WIDGETS["text"]
