"""Why a record has the score that it has."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from flask_appbuilder import expose
from flask_babel import gettext as _
from markupsafe import Markup, escape

from trellis.automation.scoring.explaining import scoring_of, why
from trellis.records.store import Store
from trellis.web.assets import icon
from trellis.web.cells.numbers import number_text
from trellis.web.context import current_store
from trellis.web.guard import signed_in
from trellis.web.navigation import url_for
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404


def with_why(store: Store, entity: str, id: UUID, field: str, html: Markup) -> Markup:
    """A score with the button that says why; any other value as it is."""
    if scoring_of(store, entity, field) is None:
        return html
    address = url_for("ScoresView.why", entity=entity, id=id, field=field)
    button = Markup(
        '<button class="btn btn-quiet btn-xs t-why" type="button" hx-get="{}" hx-target="#dialog-slot">'
        "{}<span>{}</span></button>"
    )
    return Markup('<span class="t-scored">{}{}</span>').format(
        html, button.format(escape(address), icon("help-circle", "icon-sm"), _("Why?"))
    )


class ScoresView(Page):
    """`/e/<entity>/<id>/why/<field>`."""

    @expose("/e/<entity>/<uuid:id>/why/<field>")  # type: ignore[untyped-decorator]
    @signed_in
    def why(self, entity: str, id: UUID, field: str) -> Any:
        """The rules that count, those that do not, and what time has taken."""
        store = current_store()
        entity_or_404(store, entity)
        told, language = why(store, entity, id, field), store.principal.reader.language

        def signed(points: Decimal) -> str:
            """A number with its sign."""
            text = number_text(abs(points).normalize(), language, None)
            return f"+{text}" if points > 0 else f"−{text}" if points < 0 else "0"

        label = store.tenant.model.entities[entity].fields[field].label.in_language(language)
        number = number_text(told.value.normalize(), language, None)
        return self.draw("_score_why.html", told=told, signed=signed, label=label, number=number)
