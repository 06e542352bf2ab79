"""Cells for values with parts: names, addresses, places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import escape

from trellis.formula.types import Location, Value
from trellis.web.cells.registry import CellContext, Render, cell

if TYPE_CHECKING:
    from trellis.model.field import Field


@cell("name")
def name(field: Field, context: CellContext) -> Render:
    """A person's name in the order of its culture."""
    display = context.display(field)
    return lambda value: f'<bdi class="t-cut">{escape(display(value))}</bdi>'


@cell("address")
def address(field: Field, context: CellContext) -> Render:
    """Town and country, the whole address in the tooltip."""
    display = context.display(field)

    def render(value: Value) -> str:
        whole = " ".join(display(value).split("\n")) if value else ""
        if isinstance(value, dict):
            short = ", ".join(str(part) for key in ("city", "country") if (part := value.get(key))) or whole
        else:
            short = whole
        return f'<bdi class="t-cut" title="{escape(whole)}">{escape(short)}</bdi>'

    return render


@cell("location")
def location(field: Field, context: CellContext) -> Render:
    """A point, opened on a map outside."""

    def render(value: Value) -> str:
        if not isinstance(value, Location):
            return str(escape(str(value)))
        at = f"{value.latitude:.5f}/{value.longitude:.5f}"
        href = f"https://www.openstreetmap.org/?mlat={value.latitude}&amp;mlon={value.longitude}#map=15/{at}"
        shown = f"{value.latitude:.4f}, {value.longitude:.4f}"
        return f'<a class="t-chiplink t-num" href="{href}" target="_blank" rel="noopener noreferrer">{shown}</a>'

    return render
