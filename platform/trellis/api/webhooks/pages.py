"""The administrators' pages of webhooks: what is told to whom, how that went, and trying it out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from flask_babel import ngettext

from trellis.api.webhooks import keeping, log
from trellis.api.webhooks.choosing import compile_condition
from trellis.api.webhooks.telling import store_of
from trellis.api.webhooks.webhook import EVENTS, EVERY, Webhook, read_webhook, read_webhooks
from trellis.api.webhooks.words import ERRORS, EVENT_WORDS, REASONS, STATE_WORDS
from trellis.formula.errors import FormulaError
from trellis.identity.person import PERSON
from trellis.records.refusal import Missing, Refused
from trellis.web.context import current_model, current_person, current_tenant
from trellis.web.faults import fault_texts
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.i18n import say
from trellis.web.pages.base import Page

SINCE = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
MOST_OWNERS = 1000


class WebhooksView(Page):
    """`/admin/webhooks`."""

    @expose("/admin/webhooks")  # type: ignore[untyped-decorator]
    @needs("admin")
    def webhooks(self) -> Response:
        """Every webhook, with its state and what its log counts."""
        tenant = current_tenant()
        with tenant.begin() as connection:
            found = read_webhooks(connection, tenant)
        return self.draw("webhooks.html", webhooks=found, counts=log.counts(tenant), **_words())

    @expose("/admin/webhooks/new", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def new(self) -> Response:
        """Make one."""
        if request.method == "GET":
            return self._form(None, {"events": ["created", "updated"], "owner": str(_me())})
        try:
            made, secret = keeping.create(current_tenant(), _wanted(), by=_me())
        except Refused as refused:
            return self._form(None, _given(), fault_texts(refused))
        return self._shown(made, secret=secret)

    @expose("/admin/webhooks/<uuid:id>/edit", methods=["GET", "POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def edit(self, id: UUID) -> Any:
        """Change one."""
        webhook = _webhook(id)
        if request.method == "GET":
            return self._form(webhook, {**webhook.__dict__, "owner": str(webhook.owner)})
        try:
            keeping.change(current_tenant(), id, _wanted())
        except Refused as refused:
            return self._form(webhook, _given(), fault_texts(refused))
        toast(_("The webhook is changed."))
        return redirect(url_for("WebhooksView.webhook", id=id))

    @expose("/admin/webhooks/<uuid:id>")  # type: ignore[untyped-decorator]
    @needs("admin")
    def webhook(self, id: UUID) -> Response:
        """One webhook with its log; `?state=` narrows it, `&before=` turns the page."""
        return self._shown(_webhook(id))

    @expose("/admin/webhooks/<uuid:id>/messages/<uuid:message>")  # type: ignore[untyped-decorator]
    @needs("admin")
    def message(self, id: UUID, message: UUID) -> Response:
        """One message: what was sent, and every answer."""
        webhook = _webhook(id)
        try:
            found, body, attempts = log.message(current_tenant(), id, message)
        except Missing:
            abort(404)
        pretty = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
        return self.draw(
            "webhook_message.html", webhook=webhook, message=found, body=pretty, attempts=attempts, **_words()
        )

    @expose("/admin/webhooks/<uuid:id>/test", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def test(self, id: UUID) -> Any:
        """Send a message that means nothing, now."""
        _webhook(id)
        attempt = log.ping(current_tenant(), id)
        if attempt.is_delivered:
            toast(_("It answered %(status)s after %(ms)s ms.", status=attempt.status, ms=attempt.ms))
        elif attempt.status is not None:
            toast(_("It answered %(status)s: that is no success.", status=attempt.status), kind="error")
        else:
            toast(str(ERRORS.get(attempt.error or "", ERRORS["protocol"])), kind="error")
        return redirect(url_for("WebhooksView.webhook", id=id))

    @expose("/admin/webhooks/<uuid:id>/pause", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def pause(self, id: UUID) -> Any:
        """Tell it nothing for a while."""
        keeping.pause(current_tenant(), _webhook(id).id)
        toast(_("The webhook is paused: what happens meanwhile is not told."))
        return redirect(url_for("WebhooksView.webhook", id=id))

    @expose("/admin/webhooks/<uuid:id>/resume", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def resume(self, id: UUID) -> Any:
        """Tell it again."""
        keeping.resume(current_tenant(), _webhook(id).id)
        toast(_("The webhook is active again; what waited is being sent."))
        return redirect(url_for("WebhooksView.webhook", id=id))

    @expose("/admin/webhooks/<uuid:id>/rotate", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def rotate(self, id: UUID) -> Response:
        """Another secret, shown once."""
        webhook = _webhook(id)
        secret = keeping.rotate(current_tenant(), webhook.id, at_once=request.form.get("at_once") == "1")
        return self._shown(_webhook(id), secret=secret)

    @expose("/admin/webhooks/<uuid:id>/delete", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def delete(self, id: UUID) -> Any:
        """End it, with its log."""
        keeping.delete(current_tenant(), _webhook(id).id)
        toast(_("The webhook is deleted."))
        return redirect(url_for("WebhooksView.webhooks"))

    @expose("/admin/webhooks/<uuid:id>/replay", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def replay(self, id: UUID) -> Any:
        """Send messages once more: one, or all since a moment."""
        webhook, form = _webhook(id), request.form
        if (one := form.get("message", type=UUID)) is not None:
            count = log.replay(current_tenant(), webhook.id, [one])
        else:
            since = datetime.now(UTC) - SINCE.get(form.get("since", ""), SINCE["hour"])
            count = log.replay_since(current_tenant(), webhook.id, since, failed=form.get("failed") == "1")
        if not count:
            toast(_("There is nothing to be sent again."), kind="info")
        else:
            toast(ngettext("%(num)d message is sent again.", "%(num)d messages are sent again.", count))
        return redirect(url_for("WebhooksView.webhook", id=id))

    def _shown(self, webhook: Webhook, *, secret: str | None = None) -> Response:
        tenant, state = current_tenant(), request.args.get("state")
        state = state if state in ("waiting", "delivered", "failed") else None
        rows = log.messages(
            tenant, webhook.id, state=state, before=request.args.get("before", type=_uuid), limit=log.PAGE + 1
        )
        return self.draw(
            "webhook.html",
            webhook=webhook,
            owner=_owners().get(webhook.owner, ""),
            secret=secret,
            messages=rows[: log.PAGE],
            older=rows[log.PAGE - 1].id if len(rows) > log.PAGE else None,
            counts=log.counts(tenant).get(webhook.id, {}),
            shown=state,
            broken=_broken(webhook),
            now=datetime.now(UTC),
            **_words(),
        )

    def _form(
        self, webhook: Webhook | None, values: Mapping[str, Any], errors: Mapping[str, str] | None = None
    ) -> Response:
        entities = [e for e in current_model().entities.values() if e.features.api and not e.internal]
        return self.draw(
            "webhook_form.html",
            status=422 if errors else 200,
            webhook=webhook,
            values=values,
            errors=errors or {},
            entities=sorted(((e.key, str(say(e.plural))) for e in entities), key=lambda pair: pair[1]),
            owners=sorted(_owners().items(), key=lambda pair: pair[1]),
            **_words(),
        )


def _words() -> dict[str, Any]:
    """What the templates call things."""
    entities = current_model().entities
    return {
        "event_words": EVENT_WORDS,
        "state_words": STATE_WORDS,
        "reasons": REASONS,
        "error_words": ERRORS,
        "plurals": {key: e.plural for key, e in entities.items()},
        "singulars": {key: e.label for key, e in entities.items()},
        "every": EVERY,
        "events": EVENTS,
    }


def _me() -> UUID:
    person = current_person()
    assert person is not None
    return person.id


def _webhook(id: UUID) -> Webhook:
    tenant = current_tenant()
    try:
        with tenant.begin() as connection:
            return read_webhook(connection, tenant, id)
    except Missing:
        abort(404)


def _given() -> dict[str, Any]:
    """The form as it was filled in."""
    return {**request.form.to_dict(), "events": request.form.getlist("events")}


def _wanted() -> keeping.Wanted:
    form = request.form
    return keeping.Wanted(
        name=form.get("name", ""),
        url=form.get("url", ""),
        entity=form.get("entity", ""),
        events=tuple(form.getlist("events")),
        owner=form.get("owner", type=_uuid) or _me(),
        formula=form.get("formula"),
    )


def _uuid(text: str) -> UUID:
    return UUID(text)


def _owners() -> dict[UUID, str]:
    """Everybody in whose name a webhook may be told."""
    user = current_tenant().tables.entity[PERSON]
    named = (
        sa.select(user.c.id, user.c.name).where(user.c.deleted_at.is_(None)).order_by(user.c.name).limit(MOST_OWNERS)
    )
    with current_tenant().begin() as connection:
        return {row.id: row.name or "" for row in connection.execute(named)}


def _broken(webhook: Webhook) -> str:
    """Why the webhook's condition means nothing any more, if it does not."""
    if not webhook.formula:
        return ""
    tenant = current_tenant()
    with tenant.begin() as connection:
        store = store_of(connection, tenant, webhook)
    if store is None or webhook.entity not in tenant.model.entities:
        return ""
    try:
        compile_condition(store, webhook.entity, webhook.formula)
    except FormulaError as error:
        return fault_texts(Refused(keeping.formula_faults(error))).get("formula", "")
    return ""
