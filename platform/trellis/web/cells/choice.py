"""Cells for choices, stages and tags: soft badges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trellis.formula.types import Value
from trellis.web.cells.markup import badge, color_of
from trellis.web.cells.options import Option, options_of
from trellis.web.cells.registry import CellContext, Render, cell

if TYPE_CHECKING:
    from trellis.model.field import Field


def badges(options: Mapping[str, Option]) -> dict[str, str]:
    """The badge of every option, made once a column."""
    return {key: badge(option.label, option.color) for key, option in options.items()}


@cell("choice", "badge", "stage", "pipeline")
def choice(field: Field, context: CellContext) -> Render:
    """The badge of a choice; a value that is no longer offered keeps its key."""
    known = badges(options_of(context.model, context.entity, field, context.reader))

    def render(value: Value) -> str:
        key = str(value)
        if (html := known.get(key)) is None:
            html = known[key] = badge(key, "gray")
        return html

    return render


@cell("choices", "badges")
def choices(field: Field, context: CellContext) -> Render:
    """Badges side by side."""
    one = choice(field, context)
    return lambda value: f'<span class="t-badges">{"".join(one(v) for v in _several(value))}</span>'


@cell("tags")
def tags(field: Field, context: CellContext) -> Render:
    """Tags in the colour that their name gives them."""
    return lambda value: (
        f'<span class="t-badges">{"".join(badge(str(v), color_of(str(v))) for v in _several(value))}</span>'
    )


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)
