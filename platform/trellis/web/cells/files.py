"""Cells for files and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import escape

from trellis.formula.types import Value
from trellis.web.cells.markup import icon
from trellis.web.cells.registry import CellContext, Render, cell
from trellis.web.cells.text import more

if TYPE_CHECKING:
    from trellis.model.field import Field


@cell("file", "files", "image", "signature")
def files(field: Field, context: CellContext) -> Render:
    """The first file's name, and how many more there are."""
    clip = icon("photo" if field.type.name == "image" else "paperclip", "icon-sm")

    def render(value: Value) -> str:
        several = value if isinstance(value, tuple | list) else (value,)
        if not several:
            return ""
        first = several[0]
        name = first.get("name", "") if isinstance(first, dict) else str(first)
        return f'<span class="t-cell">{clip}<bdi class="t-cut">{escape(name)}</bdi>{more(len(several) - 1)}</span>'

    return render
