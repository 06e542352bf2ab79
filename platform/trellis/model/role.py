"""A role: what the people who have it may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Literal

from trellis.model.text import Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula

ACTIONS = (
    "read",
    "create",
    "update",
    "delete",
    "restore",
    "export",
    "import",
    "merge",
    "bulk-edit",
    "convert",
    "assign",
    "approve",
    "share",
)


@dataclass(frozen=True, slots=True)
class Level:
    """How far a grant reaches: none, own, team, all, or the records for which `formula` holds."""

    kind: Literal["none", "own", "team", "all", "formula"]
    formula: Formula | None = None


NONE = Level("none")
ALL = Level("all")


@dataclass(frozen=True)
class Grant:
    """What a role may do with one entity; an action that is not named is not granted."""

    levels: Mapping[str, Level] = dc_field(default_factory=dict)
    where: Formula | None = None
    fields: Mapping[str, Literal["hidden", "readonly", "masked"]] = dc_field(default_factory=dict)

    def level(self, action: str) -> Level:
        """The level of an action; none when the grant does not name it."""
        return self.levels.get(action, NONE)


@dataclass(frozen=True)
class Role:
    """A named set of grants. `allow`: rights beside any entity (admin, import, merge, bulk-edit, reports, api)."""

    key: str
    label: Text
    grants: Mapping[str, Grant]  # by entity key; "*" already resolved into every entity that is not named
    allow: frozenset[str] = frozenset()
    portal: bool = False
    where: Formula | None = None
    second_factor: bool = False  # whoever has the role signs in with one
