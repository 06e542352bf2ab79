"""Widgets with several boxes: names, places, and phone numbers or e-mail addresses in rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import gettext as _

from trellis.formula.types import Location
from trellis.model.field import Field
from trellis.web.widgets.base import Widget, widget
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.web.widgets.bound import BoundField


class Parts(Widget):
    """Several boxes that make one value."""

    parts: ClassVar[tuple[str, ...]] = ()
    compact: ClassVar[bool] = False
    stays: ClassVar[bool] = True
    label_for: ClassVar[bool] = False

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """The boxes that were filled, None if none was."""
        part = sent.below(name or field.key)
        found = {key: text for key in self.parts if (text := part.text(key)) is not None}
        return found or None

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The boxes with their labels and what stands in them."""
        value = bound.value if isinstance(bound.value, Mapping) else {}
        labels = self.labels()
        return {"parts": [(key, labels[key], value.get(key) or "") for key in self.order(bound)]}

    def fill(self, bound: BoundField) -> Mapping[str, Any]:
        """Every box."""
        value = bound.value if isinstance(bound.value, Mapping) else {}
        return {key: str(value.get(key) or "") for key in self.parts}

    def order(self, bound: BoundField) -> tuple[str, ...]:
        """The boxes in the order of the reader's language."""
        return self.parts

    def labels(self) -> dict[str, str]:
        """What the boxes are called."""
        return {}


FAMILY_FIRST = ("zh", "ja", "ko", "hu", "vi")


@widget("name")
class PersonName(Parts):
    """A person's name in its parts, in the order of the reader's language."""

    parts: ClassVar[tuple[str, ...]] = ("title", "first", "middle", "last", "suffix")

    def labels(self) -> dict[str, str]:
        """What the boxes are called."""
        return {
            "title": _("Title"),
            "first": _("First name"),
            "middle": _("Middle name"),
            "last": _("Last name"),
            "suffix": _("Suffix"),
        }

    def order(self, bound: BoundField) -> tuple[str, ...]:
        """The two that everybody has: family name first where that is the custom."""
        return ("last", "first") if bound.reader.language.split("-")[0] in FAMILY_FIRST else ("first", "last")

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The two, and folded away beside them, until one is filled, what few have; a short form asks for no more."""
        value = bound.value if isinstance(bound.value, Mapping) else {}
        labels = self.labels()
        rare = () if bound.brief else ("title", "middle", "suffix")
        return {
            **super().context(bound),
            "rare": [(key, labels[key], value.get(key) or "") for key in rare],
            "is_open": any(value.get(key) for key in rare),
        }


@widget("location")
class Place(Parts):
    """A point on the earth."""

    parts: ClassVar[tuple[str, ...]] = ("latitude", "longitude")
    stays: ClassVar[bool] = True

    def labels(self) -> dict[str, str]:
        """What the boxes are called."""
        return {"latitude": _("Latitude"), "longitude": _("Longitude")}

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The two numbers."""
        value, labels = bound.value, self.labels()
        if isinstance(value, Location):
            value = {"latitude": value.latitude, "longitude": value.longitude}
        at = value if isinstance(value, Mapping) else {}
        return {"parts": [(key, labels[key], "" if at.get(key) is None else at[key]) for key in self.parts]}


@widget("phone", "email")
class Contact(Widget):
    """A phone number or an e-mail address, or several with their kind."""

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """The text; for several, the rows that are not blank."""
        name = name or field.key
        if not getattr(field.type, "multiple", False):
            return sent.text(name)
        rows = []
        for row in sent.rows(name):
            value = row.text("value")
            if value is not None:
                rows.append(
                    {
                        "value": value,
                        "kind": row.text("kind"),
                        "opted_out": row.text("opted_out") is not None,
                        "invalid": row.text("invalid") is not None,
                    }
                )
        return rows

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The rows and the kinds."""
        type_: Any = bound.field.type
        email = type_.widget == "email"
        look = {"mode": "email" if email else "tel"}
        if not getattr(type_, "multiple", False):
            return {**look, "rows": None}
        value = bound.value or ()
        rows = [{"value": value}] if isinstance(value, str) else [dict(row) for row in value]
        if not bound.typed:
            rows = [{**row, "value": self._shown(bound, row)} for row in rows]
        return {**look, "rows": rows or [{}], "kinds": getattr(type_, "kinds", ()) or ()}

    def _shown(self, bound: BoundField, row: Mapping[str, Any]) -> str:
        return str(row.get("value") or "")


@widget("reference")
class Reference(Widget):
    """What can only be looked at."""
