"""What a report answers: columns, lines, points to draw; where each number's records are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from trellis.formula.types import Type, Value
from trellis.model.text import Text

if TYPE_CHECKING:
    from trellis.model.reports.keys import Key
    from trellis.model.reports.report import Report
    from trellis.reports.params import Chosen

Kind = Literal["line", "rest", "subtotal", "total"]


@dataclass(frozen=True)
class Heading:
    """A column of the answer. `conditions`: the records that its numbers are about, beyond the line's.

    `over`: what stands above it and its neighbours, as in a pivot; `cell`: how a field's values are shown.
    """

    key: str
    label: Text | str
    type: Type
    role: Literal["group", "measure", "field"] = "measure"
    group: Key | None = None
    unit: Text | None = None
    scale: int | None = None
    as_percent: bool = False
    conditions: tuple[str, ...] = ()
    over: tuple[Any, ...] = ()
    path: str | None = None
    is_total: bool = False
    can_drill: bool = True


@dataclass(frozen=True)
class Behind:
    """The records behind a number, where its line and its column do not say them.

    `entity`: whose records they are; None: the report's, whose filter holds too. `says`: what is shown of a number that
    is no number of records, such as a ratio.
    """

    conditions: tuple[str, ...] = ()
    entity: str | None = None
    says: Text | None = None


@dataclass(frozen=True)
class Line:
    """A line of the answer: a value for each heading. `depth` is how far in it stands."""

    values: tuple[Value, ...]
    kind: Kind = "line"
    depth: int = 0
    conditions: tuple[str, ...] | None = ()  # None: no list can show these records
    record: Any = None  # of a report that shows records: which one
    behind: Mapping[str, Behind | None] = field(default_factory=dict)  # of headings by key, where they are others
    at: int | None = None  # the group column that says what the line is about; None: as deep as the line

    @property
    def column(self) -> int:
        """The group column that says what the line is about."""
        return self.depth if self.at is None else self.at


@dataclass(frozen=True)
class Series:
    """What is drawn in one colour: a value for each category."""

    label: Any
    values: tuple[Value, ...]
    key: Key | None = None
    type: Type | None = None
    heading: Heading | None = None  # how its values are written, where not as the drawing's measure
    behind: tuple[Behind | None, ...] | None = None  # for each category; None: what the category and the label say


@dataclass(frozen=True)
class Flow:
    """How much goes from one place to another. A place is a group's value, or a name of the platform's own."""

    source: Any
    target: Any
    value: Value


@dataclass(frozen=True)
class Drawing:
    """What a chart shows: categories with values of one or several series."""

    type: str
    categories: tuple[Any, ...]
    series: tuple[Series, ...]
    key: Key | None = None  # what the categories are
    is_stacked: bool = False
    horizontal: bool = False
    percent: bool = False
    measure: Heading | None = None
    types: tuple[str, ...] = ()  # what it can be drawn as
    flows: tuple[Flow, ...] = ()  # what a sankey shows, where it is not the series
    full: Value = None  # where a gauge ends


@dataclass(frozen=True)
class Answer:
    """A report as it ran."""

    report: Report
    chosen: Chosen
    headings: tuple[Heading, ...]
    lines: tuple[Line, ...]
    drawing: Drawing | None = None
    conditions: str = ""  # the report's own filter, as a list takes it
    can_drill: bool = True
    notes: tuple[tuple[str, Mapping[str, Any]], ...] = field(default=())
    is_cut: bool = False  # there are more records than are shown
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not any(line.kind != "total" for line in self.lines) and not any(
            v is not None and getattr(v, "amount", v) != 0 for line in self.lines for v in line.values
        )

    @property
    def total(self) -> Line | None:
        """The line of the grand total."""
        return next((line for line in reversed(self.lines) if line.kind == "total"), None)


def behind(line: Line, heading: Heading) -> Behind | None:
    """The records behind the number of a line and a column; None where no list can show them."""
    if heading.key in line.behind:
        return line.behind[heading.key]
    if line.conditions is None or not heading.can_drill or heading.role == "group":
        return None
    return Behind((*line.conditions, *heading.conditions))
