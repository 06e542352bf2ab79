"""Where widgets stand: as `at` says; those without it one after the other below."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.config.phrase import phrase
from trellis.model.compile.context import Context
from trellis.model.compile.item import Item
from trellis.model.dashboards.dashboard import COLUMNS, LOWEST, TALLEST, Place, Widget, free_place


def placed(ctx: Context, widgets: Mapping[str, Widget], items: Mapping[str, Item]) -> dict[str, Place]:
    """A place for every widget, in the order in which they are read: from the top, from the left."""
    found: dict[str, Place] = {}
    for key in widgets:
        at = items[key].get("at")
        place = _written(ctx, at) if at is not None else None
        if place is None or at is None:
            continue
        other = next((name for name, taken in found.items() if taken.overlaps(place)), None)
        if other is not None:
            ctx.problem("E208", phrase("overlaps with '{name}'", name=other), at, "[x, y, width, height]")
        found[key] = place
    for key, widget in widgets.items():
        if key not in found:
            found[key] = free_place(found.values(), widget.at.width, widget.at.height)
    return found


def _written(ctx: Context, at: Item) -> Place | None:
    if not isinstance(at.data, list) or len(at.data) != 4 or not all(isinstance(n, int) for n in at.data):
        return None
    x, y, width, height = at.data
    if x < 0 or width < 1 or height < 1 or y < 0 or x + width > COLUMNS:
        ctx.problem("E208", "does not fit into 12 columns", at, "[x, y, width, height]")
        return None
    if height > TALLEST or y > LOWEST:
        ctx.problem(
            "E208",
            phrase("is too far down, or taller than {tallest} rows", tallest=TALLEST),
            at,
            "[x, y, width, height]",
        )
        return None
    return Place(x, y, width, height)
