"""A pipeline: stages, and the moves between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from trellis.model.text import Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula

StageType = Literal["open", "won", "lost", "done", "cancelled"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage; meaning hangs on its `type`, never on its name."""

    key: str
    label: Text
    type: StageType = "open"
    probability: Decimal | None = None
    forecast: str | None = None
    color: str = "gray"
    rot_after: timedelta | None = None
    require: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()  # asked for on entering, and not needed
    checklist: Mapping[str, Text] = dc_field(default_factory=dict)
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """An allowed move; `from_` and `to` hold stage keys, "*" is any."""

    from_: tuple[str, ...]
    to: tuple[str, ...]
    when: Formula | None = None
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pipeline:
    """The stages of `entity` under `field` (stage, with stage_type and stage_since)."""

    key: str
    entity: str
    label: Text
    stages: Mapping[str, Stage]
    field: str = "stage"
    default: bool = False
    moves: tuple[Move, ...] | None = None  # None: any move is allowed
    removed: Mapping[str, str] = dc_field(default_factory=dict)  # a stage that is gone → where its records go
