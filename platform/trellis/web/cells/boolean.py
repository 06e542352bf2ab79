"""The cell for yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from markupsafe import escape

from trellis.web.cells.markup import icon
from trellis.web.cells.registry import CellContext, Render, cell

if TYPE_CHECKING:
    from trellis.model.field import Field


@cell("boolean", "check")
def boolean(field: Field, context: CellContext) -> Render:
    """A tick for yes, a dash for no."""
    yes = f'<span class="t-yes" role="img" aria-label="{escape(_("Yes"))}">{icon("check")}</span>'
    no = f'<span class="t-3rd" role="img" aria-label="{escape(_("No"))}">–</span>'
    return lambda value: yes if value else no
