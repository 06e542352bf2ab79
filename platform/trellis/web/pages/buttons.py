"""Buttons that workflows put on records: what one asks, and pressing it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, abort, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.workflows.buttons import Button, offered, press
from trellis.automation.workflows.pressed import await_run
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.web.automation_words import error_text
from trellis.web.context import current_store
from trellis.web.faults import fault_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import entity_or_404, submitted
from trellis.web.widgets import widget_of
from trellis.web.widgets.bound import BoundField


class ButtonsView(Page):
    """`/e/<entity>/<id>/press/<workflow>`: GET asks what the button needs, POST presses it."""

    @expose("/e/<entity>/<uuid:id>/press/<key>", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def press(self, entity: str, id: UUID, key: str) -> Response:
        """The dialog, or the run that begins."""
        store = current_store()
        entity_or_404(store, entity)
        store.read(entity, id, fields=())
        button = next((one for one in offered(store, entity, id) if one.key == key), None)
        if button is None:
            abort(404)
        if request.method == "GET":
            return self._dialog(store, button, entity, id)
        answers = {name: widget_of(field).read(submitted(), field) for name, field in button.trigger.form.items()}
        try:
            run = press(store, entity, id, key, answers)
        except Refused as refused:
            language = store.principal.reader.language
            said: dict[str, list[str]] = {}
            for fault in refused.faults:
                said.setdefault(fault.field or "", []).append(fault_text(fault, language))
            return self._dialog(store, button, entity, id, answers, said)
        response = Response("")
        response.headers["HX-Redirect"] = self._tell(store, button, run, entity_address(entity, id))
        return response

    def _tell(self, store: Store, button: Button, run: UUID, back: str) -> str:
        """Say what became of it; the page to go on with: that of the record it made, else `back`."""
        label = button.trigger.label.in_language(store.principal.reader.language)
        became = await_run(store, button, run)
        if became.made is not None:
            toast(_("Made: %(title)s", title=became.made.title))
            return entity_address(became.made.entity, became.made.id)
        if became.state == "failed":
            why = error_text(became.error or {})
            toast(_("“%(label)s” could not be finished. %(why)s", label=label, why=why), kind="error")
        elif became.state == "done":
            toast(_("“%(label)s” is done.", label=label))
        else:
            toast(_("“%(label)s” has begun.", label=label))
        return back

    def _dialog(
        self,
        store: Store,
        button: Button,
        entity: str,
        id: UUID,
        typed: dict[str, Any] | None = None,
        wrong: dict[str, list[str]] | None = None,
    ) -> Response:
        definition, said = store.tenant.model.entities[entity], wrong or {}
        fields = [
            BoundField(
                store,
                definition,
                field,
                (typed or {}).get(name),
                typed=typed is not None,
                errors=said.get(name, ()),
                required=field.required,
                span="full",
            )
            for name, field in button.trigger.form.items()
        ]
        return self.draw(
            "_press.html",
            action=url_for("ButtonsView.press", entity=entity, id=id, key=button.key),
            label=button.trigger.label,
            confirm=button.trigger.confirm or "",
            fields=fields,
            others=[text for name, texts in said.items() if name not in button.trigger.form for text in texts],
        )
