"""Cells for links: a chip with the other record's title, a person with a face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import escape

from trellis.formula.types import Ref, Value
from trellis.web.cells.markup import avatar
from trellis.web.cells.registry import CellContext, Render, cell
from trellis.web.cells.text import more

if TYPE_CHECKING:
    from trellis.model.field import Field

PEOPLE = frozenset({"user"})


def chip(ref: Ref, context: CellContext) -> str:
    """A link to a record: round face for a person, square one for a thing."""
    title = ref.title or "—"
    if ref.entity in PEOPLE:
        return f'<span class="t-who">{avatar(title, str(ref.id))}<bdi class="t-cut">{escape(title)}</bdi></span>'
    face = avatar(title, str(ref.id), square=True)
    href = escape(context.address(ref.entity, ref.id))
    return f'<a class="t-chiplink" href="{href}">{face}<bdi class="t-cut">{escape(title)}</bdi></a>'


@cell("link", "user", "team", "any_link", "record", "avatar")
def link(field: Field, context: CellContext) -> Render:
    """The other record, one click away. The same record is written once a column."""
    known: dict[tuple[str, object], str] = {}

    def render(value: Value) -> str:
        if not isinstance(value, Ref):
            return str(escape(str(value)))
        key = (value.entity, value.id)
        if (html := known.get(key)) is None:
            html = known[key] = chip(value, context)
        return html

    return render


@cell("links", "records")
def links(field: Field, context: CellContext) -> Render:
    """The first linked record, and how many more there are."""

    def render(value: Value) -> str:
        if not isinstance(value, tuple) or not value:
            return ""
        return f'<span class="t-cell">{chip(value[0], context)}{more(len(value) - 1)}</span>'

    return render
