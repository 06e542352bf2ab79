"""A scoring: points for what a record is and for what happens to it, which wear off when nothing happens any more."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from trellis.model.text import NO_TEXT, Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.automation.triggers import OnRecord
    from trellis.model.spans import Span


@dataclass(frozen=True)
class Fit:
    """Points for what a record is: counted while `when` holds."""

    key: str
    label: Text
    when: Formula
    points: Decimal


@dataclass(frozen=True)
class Behaviour:
    """Points for something that happens; `of` says to what. `at_most`: so many at a time and no more."""

    key: str
    label: Text
    on: OnRecord
    of: Formula
    points: Decimal
    at_most: Decimal | None = None
    when: Formula | None = None


@dataclass(frozen=True, slots=True)
class Decay:
    """So many points of behaviour are lost whenever so long nothing has happened."""

    points: Decimal
    every: Span


@dataclass(frozen=True)
class Scoring:
    """A scoring: it writes `field` of the entity, for the records that `filter` takes."""

    key: str
    label: Text
    entity: str
    field: str
    description: Text = NO_TEXT
    filter: Formula | None = None
    fit: tuple[Fit, ...] = ()
    behaviour: tuple[Behaviour, ...] = ()
    decay: Decay | None = None
    at_most: Decimal | None = None
    active: bool = True
    digest: str = ""
