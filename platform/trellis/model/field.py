"""A field of an entity, resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any, Literal

from trellis.model.text import NO_TEXT, Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.fields.base import FieldType


@dataclass(frozen=True)
class Field:
    """One field: its type with the type's options, and the properties that every field has."""

    key: str
    type: FieldType
    label: Text
    help: Text = NO_TEXT
    placeholder: Text = NO_TEXT
    required: bool = False
    unique: bool = False
    default: Formula | None = None  # a constant is a formula too
    follow_default: bool = False  # the default is found anew when what it reads changes, until a value is set by hand
    readonly: Literal["never", "always", "after_create"] = "never"
    hidden: frozenset[str] = frozenset()  # of form, list, export, api
    visible_when: Formula | None = None
    required_when: Formula | None = None
    readonly_when: Formula | None = None
    choices_when: Mapping[str, Formula] = dc_field(default_factory=dict)
    clear_when_hidden: bool = False
    formula: Formula | None = None  # also a lookup, which is a path
    rollup: Formula | None = None  # a stored column that the door keeps true
    pattern: str | None = None
    pattern_message: Text = NO_TEXT
    format: str | None = None  # a named format
    search: bool = False
    index: bool = False
    audit: bool = True
    copy: bool = True
    stored: bool = True
    translate: bool = False
    personal: bool = False
    role: Literal["owner"] | None = None
    span: Literal["half", "full"] = "half"
    system: bool = False  # given by the platform (id, created_at, stage_since, …)
    was: str | None = None
    options: Mapping[str, Any] = dc_field(default_factory=dict, hash=False)

    @property
    def is_derived(self) -> bool:
        """Computed, not typed in: a formula, a lookup or a roll-up."""
        return self.formula is not None or self.rollup is not None

    @property
    def is_stored(self) -> bool:
        """Has columns in the entity's table: formulas are computed in the query, links have a table of their own."""
        return self.formula is None and self.stored and bool(self.type.columns())

    @property
    def is_writable(self) -> bool:
        """May be set by a writer at all (permissions and conditions may still forbid it)."""
        return not self.is_derived and not self.system
