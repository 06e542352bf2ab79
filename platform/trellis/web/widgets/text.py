"""Widgets for texts: a line, several lines, source code, secrets, and what only the platform writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from trellis.model.field import Field
from trellis.model.markup import sanitise
from trellis.web.widgets.base import UNCHANGED, Widget, widget
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.web.widgets.bound import BoundField

INPUT_TYPES = {"email": "email", "phone": "tel", "url": "url"}


@widget("text", "url", "barcode")
class TextLine(Widget):
    """One line of text; what has a form of its own (web addresses) is written out on leave."""

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The keyboard that fits, the length, the icon."""
        kind = bound.field.type.widget
        return {
            "mode": {"url": "url", "barcode": "text"}.get(kind),
            "parses": kind in INPUT_TYPES,
            "max_length": getattr(bound.field.type, "max_length", None),
        }


@widget("long_text")
class LongText(Widget):
    """Several lines."""

    compact: ClassVar[bool] = False

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """How many rows it begins with."""
        return {"rows": bound.field.options.get("rows") or getattr(bound.field.type, "rows", None) or 3, "mono": False}


@widget("rich_text")
class RichText(LongText):
    """HTML, edited as it will look; the page is never given anything but harmless tags."""

    stays: ClassVar[bool] = True

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The text as HTML that may stand in a page."""
        return {**super().context(bound), "clean": sanitise(bound.text)}


@widget("code", "json")
class Code(Widget):
    """Source code or JSON in a monospaced area."""

    compact: ClassVar[bool] = False

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """Its language, for the label of the area."""
        return {"rows": bound.field.options.get("rows") or 6, "language": getattr(bound.field.type, "language", None)}


@widget("secret")
class Secret(Widget):
    """Write-only: what is stored is never sent to the page; an empty box keeps it, the button clears it."""

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """What was typed; UNCHANGED when nothing was."""
        name = name or field.key
        typed = sent.text(name)
        return typed if typed is not None or sent.text(f"{name}.clear") else UNCHANGED


@widget("sequence")
class Sequence(Widget):
    """A number that saving gives."""

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """Never from the page."""
        return UNCHANGED


@widget("color")
class Color(Widget):
    """A colour, chosen or typed."""


@widget("list")
class ListOfTexts(Widget):
    """Texts in an order, one a row."""

    compact: ClassVar[bool] = False
    label_for: ClassVar[bool] = False

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """The texts that are not blank."""
        return sent.texts(name or field.key)

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The rows, with an empty one if there are none."""
        value = bound.value or ()
        items = value.split("\n") if isinstance(value, str) else [str(item) for item in value]
        return {"items": items or [""]}
