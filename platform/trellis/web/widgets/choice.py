"""Widgets for given values: one, several, yes or no, tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from trellis.model.field import Field
from trellis.web.widgets.base import UNCHANGED, Widget, widget
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.web.widgets.bound import BoundField

SEARCHED_FROM = 13
"""From so many values on a choice is searched, not scrolled."""


@dataclass(frozen=True, slots=True)
class Option:
    """One value in a list."""

    value: str
    label: str
    color: str = ""
    selected: bool = False
    off: bool = False


def options_of(bound: BoundField, chosen: Sequence[str]) -> list[Option]:
    """The values of a choice field for the reader; those chosen but no more on offer are kept."""
    type_: Any = bound.field.type
    language = bound.reader.language
    offered = type_.options() if callable(getattr(type_, "options", None)) else ()
    allowed = bound.choices
    listed = [
        Option(
            c.key,
            c.label.in_language(language),
            f"c-{c.color}" if c.color else "",
            c.key in chosen,
            allowed is not None and c.key not in allowed,
        )
        for c in offered
    ]
    known = {option.value for option in listed}
    return listed + [Option(value, value, selected=True) for value in chosen if value not in known]


def _texts(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str) else [str(item) for item in value]


@widget("choice")
class OneChoice(Widget):
    """One of the values: a native list when they are few, a searched one when they are many."""

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The options, and whether they are searched."""
        options = options_of(bound, _texts(bound.value))
        return {"options": options, "searched": sum(not o.off for o in options) >= SEARCHED_FROM}

    def fill(self, bound: BoundField) -> Mapping[str, Any]:
        """The value's key."""
        return {"": bound.value or ""}


@widget("choices")
class SeveralChoices(Widget):
    """Several of the values."""

    stays: ClassVar[bool] = True

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """Every value that was chosen."""
        return sent.texts(name or field.key)

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The options."""
        return {"options": options_of(bound, _texts(bound.value)), "free": False}

    def fill(self, bound: BoundField) -> Mapping[str, Any]:
        """Nothing: several values are filled in when the form is drawn."""
        return {}


@widget("tags")
class Tags(SeveralChoices):
    """Words, chosen among those in use or new."""

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The words that are set."""
        return {"options": [Option(t, t, selected=True) for t in _texts(bound.value)], "free": True}

    @property
    def template(self) -> str:
        """The same as for several choices."""
        return "widgets/choices.html"


@widget("boolean")
class Switch(Widget):
    """A switch."""

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """On or off: what is off sends nothing. What was neither and is not switched on is left as it is."""
        name = name or field.key
        if sent.text(name) is not None:
            return True
        return UNCHANGED if sent.text(f"{name}.blank") else False

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """Whether it is on, or neither on nor off in the record."""
        return {
            "on": bound.value is True or bound.value == "true",
            "blank": bound.is_stored and bound.value is None,
        }

    def fill(self, bound: BoundField) -> Mapping[str, Any]:
        """On or off."""
        return {"": "true" if bound.value else ""}


@widget("stage", "pipeline")
class Stage(OneChoice):
    """A pipeline's stage."""

    @property
    def template(self) -> str:
        """The same as for a choice."""
        return "widgets/choice.html"
