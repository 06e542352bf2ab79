"""The cell renderers by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from markupsafe import escape

from trellis.formula.reader import Reader
from trellis.formula.types import Value

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model

Render = Callable[[Value], str]
"""Makes a value, never None, into HTML that is already escaped."""


@dataclass(frozen=True)
class CellContext:
    """What renderers need to know: whose page it is, and where records live."""

    reader: Reader
    model: Model
    entity: Entity
    address: Callable[[str, UUID], str]  # (entity, id) → the record's page

    def display(self, field: Field) -> Callable[[Any], str]:
        """The field type's own text for a person."""
        reader, display = self.reader, field.type.display
        return lambda value: display(value, reader)


Maker = Callable[["Field", CellContext], Render]

CELLS: dict[str, Maker] = {}


def cell(*names: str) -> Callable[[Maker], Maker]:
    """Registers a maker of renderers under the names that `FieldType.cell` uses."""

    def register(maker: Maker) -> Maker:
        for name in names:
            CELLS[name] = maker
        return maker

    return register


def renderer(field: Field, context: CellContext) -> Render:
    """The renderer of a field; a type with no renderer of its own shows its text."""
    maker = CELLS.get(field.type.cell) or CELLS.get(field.type.name)
    return maker(field, context) if maker else plain(field, context)


def plain(field: Field, context: CellContext) -> Render:
    """Shows a value as the type's own text, keeping its direction."""
    display = context.display(field)
    return lambda value: f'<bdi class="t-cut">{escape(display(value))}</bdi>'
