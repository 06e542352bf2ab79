"""Cells for choices, stages and tags: soft badges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import escape

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
    """The badge of a choice; one no longer offered keeps its key. Countries and the like are plain names."""
    offered: Any = field.type
    if isinstance(getattr(offered, "choices", None), str):
        return lambda value: f'<bdi class="t-cut">{escape(offered.label(str(value), context.reader))}</bdi>'
    return _badge_of(field, context)


def _badge_of(field: Field, context: CellContext) -> Render:
    label = getattr(field.type, "label", None)
    known = badges(options_of(context.model, context.entity, field, context.reader))
    return badge_renderer(known, (lambda key: label(key, context.reader)) if label else None)


def badge_renderer(known: dict[str, str], label: Callable[[str], str] | None = None) -> Render:
    """Draws a key as its badge; one that is not known, by its label or as it is."""

    def render(value: Value) -> str:
        key = str(value)
        if (html := known.get(key)) is None:
            html = known[key] = badge(label(key) if label else key, "gray")
        return html

    return render


@cell("choices", "badges")
def choices(field: Field, context: CellContext) -> Render:
    """Badges side by side."""
    one = _badge_of(field, context)
    return lambda value: f'<span class="t-badges">{"".join(one(v) for v in _several(value))}</span>'


@cell("tags")
def tags(field: Field, context: CellContext) -> Render:
    """Tags in the colour that their name gives them."""
    return lambda value: (
        f'<span class="t-badges">{"".join(badge(str(v), color_of(str(v))) for v in _several(value))}</span>'
    )


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)
