"""Entities while they are compiled: fields whose types may not be known yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

from trellis.model.compile.item import Item
from trellis.model.entity import Inverse

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.fields.base import FieldType

LINK_TYPES = {"link", "links", "any_link", "user", "team"}


@dataclass
class FieldDraft:
    """A field as written: `item` is its mapping. `given` holds what the platform says for fields of its own."""

    entity: str
    key: str
    item: Item
    given: Mapping[str, Any] = dc_field(default_factory=dict)
    choices: tuple[Any, ...] | None = None
    system: bool = False
    type: FieldType | None = None
    derivation: Formula | None = None
    state: str = "new"  # new, busy, done

    @property
    def type_name(self) -> str:
        """The type as written; empty for a derived field that leaves it out."""
        return str(self.given.get("type", "")) or self.item.word("type")

    @property
    def is_derived(self) -> bool:
        """Computed by a formula, roll-up or lookup."""
        return any(self.item.get(k) is not None or k in self.given for k in ("formula", "rollup", "lookup"))

    @property
    def targets(self) -> tuple[str, ...]:
        """The entities that a link points to."""
        name = self.type_name
        if name in ("user", "team"):
            return (name,)
        if name in LINK_TYPES:
            given = self.given.get("to")
            return (str(given),) if given else self.item.words("to")
        return ()


@dataclass
class EntityDraft:
    """An entity after `extends`, with the fields that pipelines and part_of give it."""

    key: str
    item: Item
    ancestors: tuple[str, ...] = ()
    inherited: frozenset[str] = frozenset()  # fields that the entity does not write itself
    fields: dict[str, FieldDraft] = dc_field(default_factory=dict)
    inverses: dict[str, Inverse] = dc_field(default_factory=dict)
    parent: str | None = None
    parent_field: str | None = None
    pipelines: list[tuple[str, Item]] = dc_field(default_factory=list)

    @property
    def owners(self) -> list[FieldDraft]:
        """The fields that say they are the owner; the entity's own stand before what it takes over."""
        found = [f for f in self.fields.values() if f.item.word("role") == "owner"]
        return [f for f in found if f.key not in self.inherited] or found

    @property
    def is_abstract(self) -> bool:
        """Only there to be extended."""
        return self.item.flag("abstract")
