"""The sections that a form and the record page are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trellis.model.text import Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula


@dataclass(frozen=True, slots=True)
class FormField:
    """A field's place in a section; `field` may also name an inverse list of parts (lines)."""

    field: str
    span: Literal["half", "full"] = "half"


@dataclass(frozen=True)
class Section:
    """A titled group of fields; sections with the same `tab` share a tab."""

    key: str
    label: Text
    fields: tuple[FormField, ...]
    columns: int = 2
    tab: Text | None = None
    visible_when: Formula | None = None


@dataclass(frozen=True)
class Form:
    """Sections in order. `roles`: whom it is for (empty: everybody)."""

    sections: tuple[Section, ...]
    roles: tuple[str, ...] = ()
