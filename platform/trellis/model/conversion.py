"""How a record of one entity becomes records of others, once: a lead becomes an account, a contact and a deal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING

from trellis.model.given import Given
from trellis.model.text import Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula

CONVERTED_AT = "converted_at"  # the field that every entity with a conversion gets
MOVES = ("activities", "comments", "followers", "files", "tags")  # beside the entity's own lists


def became_field(target: str) -> str:
    """The link from the converted record to what it became."""
    return f"converted_{target}"


def came_from(entity: str) -> str:
    """The list of the converted records on what they became."""
    return f"from_{entity}"


@dataclass(frozen=True)
class Target:
    """An entity that the record becomes. `match`: the fields by which existing records are proposed."""

    entity: str
    label: Text
    fills: Mapping[str, Given]
    match: tuple[str, ...] = ()
    optional: bool = False
    when: Formula | None = None  # offered only where it holds


@dataclass(frozen=True)
class Conversion:
    """The conversion of an entity's records. `lock`: a converted record is read-only."""

    entity: str
    label: Text
    into: Mapping[str, Target]
    move: tuple[str, ...] = ()
    then: Mapping[str, Given] = dc_field(default_factory=dict)
    lock: bool = False
    when: Formula | None = None
    roles: tuple[str, ...] = ()
