"""A report of the Model: frozen, with every formula compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dc_field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trellis.model.text import NO_TEXT, Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.formula.types import Type
    from trellis.model.field import Field
    from trellis.model.reports.keys import Key
    from trellis.model.reports.periods import Period
    from trellis.model.reports.union import Branch


@dataclass(frozen=True)
class Param:
    """What a reader may choose: `param.<key>` in the report's formulas. The field has its type, label and default."""

    key: str
    field: Field

    @property
    def label(self) -> Text:
        """What it is called."""
        return self.field.label


@dataclass(frozen=True)
class Measure:
    """A number that every group has. `over` computes it from the groups around: running, share, change, rank.

    `condition` is the part of the formula that says which of the group's records count, for the way to them.
    """

    key: str
    label: Text
    formula: Formula
    over: str | None = None
    unit: Text = NO_TEXT
    scale: int | None = None
    condition: str | None = None

    @property
    def type(self) -> Type:
        """The type of its values."""
        return self.formula.type


@dataclass(frozen=True)
class Column:
    """A column of a report that shows records: what a formula gives. `path`: it is a field, which is read so."""

    key: str
    label: Text
    formula: Formula
    path: str | None = None


@dataclass(frozen=True)
class Chart:
    """How a report is drawn."""

    type: str
    x: str | None = None
    y: tuple[str, ...] = ()
    stack: str | None = None
    horizontal: bool = False
    percent: bool = False
    limit: int | None = None
    full: Decimal | None = None  # where a gauge ends


@dataclass(frozen=True)
class Order:
    """A column of the result to sort by."""

    key: str
    descending: bool = False


@dataclass(frozen=True)
class Condition:
    """A report's filter: its text too, as a comparison with a param that is not set is left out."""

    formula: Formula
    source: str


@dataclass(frozen=True)
class Mailing:
    """When a report goes out by mail, and to whom: people by role, team or address, who see it with their rights."""

    cron: str
    to: Any
    format: str = "xlsx"
    subject: Text = NO_TEXT


@dataclass(frozen=True)
class Report:
    """A question to the records. `spec` is what only its kind knows."""

    key: str
    type: str
    label: Text
    entity: str
    icon: str = "chart-bar"
    module: str | None = None
    description: Text = NO_TEXT
    roles: tuple[str, ...] = ()
    filter: Condition | None = None
    params: Mapping[str, Param] = dc_field(default_factory=dict)
    date: Formula | None = None
    period: Period | None = None
    groups: tuple[Key, ...] = ()
    across: tuple[Key, ...] = ()  # what stands in the columns of a pivot
    measures: tuple[Measure, ...] = ()
    columns: tuple[Column, ...] = ()
    totals: Mapping[str, str] = dc_field(default_factory=dict)
    sort: tuple[Order, ...] = ()
    limit: int | None = None
    rest: bool = True  # what a limit leaves out is put together in one more group
    chart: Chart | None = None
    compare: str | None = None
    spec: Any = None
    mail: Mailing | None = None
    snapshot: str | None = None  # daily: how it stands is kept each day
    union: tuple[Branch, ...] = ()  # several entities, of which `entity` is the first
    names: Mapping[str, Type] = dc_field(default_factory=dict)  # what a union's formulas name
    is_own: bool = False  # a person has built it: its filter, too, is read with the reader's eyes
