"""A column of a list: a field path with its label, width, place on a card, and renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

from markupsafe import escape

from trellis.formula.types import Value
from trellis.model.choice import Choice
from trellis.records.pipelines.pipeline import track_of
from trellis.web.cells.choice import badge_renderer, badges
from trellis.web.cells.markup import dash
from trellis.web.cells.options import stages_apart
from trellis.web.cells.registry import CellContext, Render, renderer

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model
    from trellis.records.record import Record

WIDTHS = {
    "boolean": 88,
    "choice": 112,
    "choices": 184,
    "tags": 184,
    "date": 104,
    "datetime": 132,
    "time": 88,
    "money": 144,
    "integer": 104,
    "decimal": 112,
    "percent": 96,
    "rating": 112,
    "duration": 104,
    "sequence": 128,
    "link": 196,
    "links": 196,
    "user": 150,
    "phone": 152,
    "email": 208,
    "color": 104,
}
BARE = frozenset({"integer", "decimal", "number", "percent", "boolean", "duration"})  # values that say nothing alone
DASH = str(dash())


@dataclass(frozen=True)
class Column:
    """One column. `slot` is its place on a card: a, b (texts), n (number), d (date), s (badge), w (who), x (none)."""

    path: str
    entity: Entity  # where the path ends
    field: Field
    label: str
    render: Render
    width: int = 168
    slot: str = "x"
    is_editable: bool = False
    beside: str | None = None  # the path of the pipeline that says which stage a shared key is
    by_pipeline: Mapping[str, Render] = dc_field(default_factory=dict)

    @property
    def is_numeric(self) -> bool:
        """Right-aligned, and summed in the footer."""
        return self.field.type.is_numeric

    @property
    def can_sort(self) -> bool:
        """A click on the header sorts."""
        return self.field.type.can_sort

    @property
    def classes(self) -> str:
        """The classes of the column's cells."""
        return f"s-{self.slot}" + (" is-num" if self.is_numeric else "")

    def html(self, value: Value) -> str:
        """The inside of a cell."""
        return DASH if value is None or value == () or value == "" else self.render(value)

    def of(self, record: Record) -> str:
        """The inside of a record's cell: a stage is called as in the record's own pipeline."""
        value = record[self.path]
        render = self.by_pipeline.get(str(record.get(self.beside))) if self.beside else None
        return self.html(value) if render is None or value is None else render(value)

    def cell(self, record: Record) -> str:
        """The cell of a record."""
        mark = f' data-f="{self.path}"' if self.is_editable else ""
        if self.slot in ("n", "s") and self.field.type.cell in BARE:  # a card has no headers: it says what the value is
            mark += f' data-l="{escape(self.label)}"'
        return f'<td role="gridcell" class="{self.classes}"{mark}>{self.of(record)}</td>'


def resolve(model: Model, entity: Entity, path: str) -> tuple[Entity, Field] | None:
    """The field at the end of a path through links, with its entity; None when there is none."""
    first, _, rest = path.partition(".")
    field = entity.fields.get(first)
    if field is None:
        return None
    if not rest:
        return entity, field
    target = field.type.formula_type().entities
    for key in target:
        if key in model.entities and (found := resolve(model, model.entities[key], rest)):
            return found
    return None


def label_of(model: Model, entity: Entity, path: str, language: str) -> str:
    """A path's label: the field's own, or "Account › Industry" through links."""
    names: list[str] = []
    at: Entity | None = entity
    for part in path.split("."):
        field = at.fields.get(part) if at else None
        if field is None:
            names.append(part)
            break
        names.append(field.label.in_language(language))
        targets = field.type.formula_type().entities
        at = model.entities.get(targets[0]) if targets else None
    return " › ".join(names)


def column_for(context: CellContext, path: str, *, writable: frozenset[str] = frozenset()) -> Column | None:
    """The column of a path; None when no field provides it."""
    found = resolve(context.model, context.entity, path)
    if found is None:
        return None
    entity, field = found
    inner = context if entity is context.entity else replace(context, entity=entity)
    name = field.type.cell if field.type.cell in WIDTHS else field.type.name
    return Column(
        path=path,
        entity=entity,
        field=field,
        label=label_of(context.model, context.entity, path, context.reader.language),
        render=renderer(field, inner),
        width=choice_width(field, context.reader.language) if name == "choice" else WIDTHS.get(name, 150),
        is_editable=path in writable,
        **_apart(inner, field, path),
    )


def _apart(context: CellContext, field: Field, path: str) -> dict[str, Any]:
    """How a stage is drawn by the record's pipeline, where pipelines share keys of different stages."""
    track = track_of(context.entity, field.key)
    options = stages_apart(context.entity, field, context.reader.language) if track else {}
    if not track or not options:
        return {}
    drawn = {key: badge_renderer(badges(stages)) for key, stages in options.items()}
    return {"beside": path.removesuffix(field.key) + track.pipeline, "by_pipeline": drawn}


def choice_width(field: Field, language: str) -> int:
    """A width that the longest badge of a choice fits into, within reason; ideographs take twice the room."""
    labels = [
        c.label.in_language(language) for c in getattr(field.type, "choices", None) or () if isinstance(c, Choice)
    ]
    longest = max((sum(2 if ord(mark) > 0x2E80 else 1 for mark in label) for label in labels), default=0)
    return min(200, max(WIDTHS["choice"], 44 + 7 * longest))


def columns_for(
    context: CellContext, paths: Iterable[str], *, writable: frozenset[str] = frozenset()
) -> tuple[Column, ...]:
    """The columns of paths that exist, each with its place on a card."""
    columns = [c for path in dict.fromkeys(paths) if (c := column_for(context, path, writable=writable))]
    return tuple(with_slots(columns))


def reads_of(columns: Iterable[Column], may_read: Callable[[str], bool]) -> list[str]:
    """The paths that records are read with for these columns; what only helps to draw one, as far as it may be read."""
    columns = tuple(columns)
    besides = [c.beside for c in columns if c.beside and may_read(c.beside)]
    return list(dict.fromkeys([*(c.path for c in columns), *besides]))


SLOTS = {
    "n": ("money", "integer", "decimal", "percent", "rating"),
    "d": ("date", "datetime", "time"),
    "s": ("choice", "boolean", "choices", "tags"),
    "w": ("user",),
}


def with_slots(columns: Sequence[Column]) -> list[Column]:
    """Gives each column its place on a card: the first of every kind is shown, the others are left out."""
    free = {"a", "b", *SLOTS}
    placed: list[Column] = []
    for column in columns:
        kind = kind_of(column)
        wish = next((slot for slot, kinds in SLOTS.items() if kind in kinds), "a")
        if wish == "a" and "a" not in free:
            wish = "b"
        slot = wish if wish in free else "x"
        free.discard(slot)
        placed.append(replace(column, slot=slot))
    return placed


def kind_of(column: Column) -> str:
    """The kind of a column's value; a link to a user is a user."""
    if "user" in column.field.type.formula_type().entities:
        return "user"
    cell = column.field.type.cell
    return cell if any(cell in kinds for kinds in SLOTS.values()) else column.field.type.name
