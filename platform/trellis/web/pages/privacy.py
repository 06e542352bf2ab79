"""A person's data: what is held, who has looked at it, giving it out, keeping it by law, erasing it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from flask import Response, abort, redirect, request, send_file, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.records.privacy import access, erasing, gathering, holding
from trellis.records.privacy.emptying import pseudonym_of
from trellis.records.privacy.subjects import is_subject
from trellis.records.refusal import Missing, Refused
from trellis.records.store import Store, as_id
from trellis.web import reading_log
from trellis.web.audit_words import HOW_WORDS
from trellis.web.context import current_person, current_store, may
from trellis.web.faults import refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import ask_to_sign_in
from trellis.web.i18n import say
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.files import store_root
from trellis.web.pages.form import entity_or_404
from trellis.web.privacy_page import draw_held

SHOWN = 100
STATES: tuple[holding.State, ...] = ("hold", "restricted")


def may_see_privacy(entity: Entity) -> bool:
    """Whether the menu of a record offers the page: to administrators and those with the right, for persons."""
    return is_subject(entity) and (may("privacy") or may("admin"))


def for_privacy(page: Callable[..., Any]) -> Callable[..., Any]:
    """For administrators and those with the right."""

    @wraps(page)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if current_person() is None:
            return ask_to_sign_in()
        if not (may("privacy") or may("admin")):
            abort(403)
        return page(*args, **kwargs)

    return guarded


class PrivacyView(Page):
    """`/e/<entity>/<id>/privacy`."""

    @expose("/e/<entity>/<uuid:id>/privacy")  # type: ignore[untyped-decorator]
    @for_privacy
    def show(self, entity: str, id: UUID) -> Response:
        """What is held and what is decided; from here it is given out or erased."""
        store = current_store()
        definition = entity_or_404(store, entity)
        reading_log.flush()
        with store.transaction():
            plan = erasing.plan(store.session, entity, id)
            states = holding.standing(store.session, entity, id)
            lines = access.of_records(store.session, entity, [id], limit=SHOWN)
        return self._page(store, definition, plan, states=states, lines=lines)

    def _page(
        self,
        store: Store,
        entity: Entity,
        plan: erasing.Plan,
        *,
        states: Any,
        lines: Any,
        error: str = "",
        status: int = 200,
    ) -> Response:
        return self.draw(
            "privacy.html",
            status=status,
            entity=entity,
            plan=plan,
            person=plan.person,
            states=states,
            lines=lines,
            how=HOW_WORDS,
            error=error,
            form=request.form,
            entities=store.tenant.model.entities,
            entity_address=entity_address,
        )

    @expose("/e/<entity>/<uuid:id>/privacy/export", methods=["POST"])  # type: ignore[untyped-decorator]
    @for_privacy
    def export(self, entity: str, id: UUID) -> Response:
        """Everything as a ZIP, with whatever else was chosen as the same person."""
        store = current_store()
        entity_or_404(store, entity)
        out = io.BytesIO()
        reading_log.flush()
        with store.transaction():
            found = gathering.gather(store.session, entity, id, _also())
            page = draw_held(found, store.tenant.model, store.principal.reader)
            gathering.write_zip(store.session, found, page, store_root(), out)
        out.seek(0)
        title = re.sub(r"[^\w-]+", "-", found.person.ref.title or entity).strip("-")[:60] or entity
        return send_file(out, mimetype="application/zip", as_attachment=True, download_name=f"{title}.zip")

    @expose("/e/<entity>/<uuid:id>/privacy/decide", methods=["POST"])  # type: ignore[untyped-decorator]
    @for_privacy
    def decide(self, entity: str, id: UUID) -> Any:
        """Keep the data by law, restrict its processing, or end either."""
        store = current_store()
        definition = entity_or_404(store, entity)
        state = request.form.get("state", "")
        if state not in STATES:
            raise Missing(state)
        on = request.form.get("on") == "1"
        try:
            with store.session.write():
                holding.decide(store.session, entity, id, state, on, request.form.get("reason", ""))
        except Refused as refused:
            with store.transaction():
                plan = erasing.plan(store.session, entity, id)
                states = holding.standing(store.session, entity, id)
                lines = access.of_records(store.session, entity, [id], limit=SHOWN)
            said = refusal_text(refused)
            return self._page(store, definition, plan, states=states, lines=lines, error=said, status=422)
        toast(_("Saved"))
        return redirect(url_for("PrivacyView.show", entity=entity, id=id), 303)

    @expose("/e/<entity>/<uuid:id>/privacy/erase", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @for_privacy
    def erase(self, entity: str, id: UUID) -> Any:
        """What would go and what would stay; POST with the person's name does it."""
        store = current_store()
        definition = entity_or_404(store, entity)
        also = _also()
        if "csrf_token" in request.args:  # the form beside it sends all that it has
            chosen = [f"{ref.entity}:{ref.id}" for ref in also]
            return redirect(url_for("PrivacyView.erase", entity=entity, id=id, also=chosen), 303)
        with store.transaction():
            plan = erasing.plan(store.session, entity, id, also)
        if request.method == "GET":
            return self._confirm(store, definition, plan)
        if request.form.get("typed", "").strip().casefold() != (plan.person.ref.title or "").strip().casefold():
            return self._confirm(store, definition, plan, _("This is not the person's name as it stands above."))
        try:
            with store.session.write():
                done = erasing.erase(store.session, entity, id, also, reason=request.form.get("reason", ""))
        except Refused as refused:
            return self._confirm(store, definition, plan, refusal_text(refused))
        erasing.remove_contents(store_root(), store.tenant.slug, done)
        toast(_("The data of this person was erased."))
        return redirect(url_for("PrivacyView.show", entity=entity, id=id), 303)

    def _confirm(self, store: Store, entity: Entity, plan: erasing.Plan, error: str = "") -> Response:
        return self.draw(
            "privacy_erase.html",
            status=422 if error else 200,
            entity=entity,
            plan=plan,
            person=plan.person,
            error=error,
            form=request.form,
            entities=store.tenant.model.entities,
            labels={
                key: [say(store.tenant.model.entities[key].fields[name].label) for name in names]
                for key, names in plan.blanked.items()
            },
            called=pseudonym_of(plan.person.ref, store.tenant.profile.language),
        )


def _also() -> list[Ref]:
    """The other records that somebody has chosen as the same person: `also=lead:<id>`."""
    found = []
    for text in request.values.getlist("also"):
        key, _colon, id = text.partition(":")
        found.append(Ref(key, as_id(id)))
    return found
