"""Approvals: what one is asked, with what one needs to know to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from markupsafe import Markup

from trellis.automation.clock import now
from trellis.automation.workflows import approvals
from trellis.formula.types import Ref
from trellis.model.automation.steps import Approve, every_step
from trellis.model.fields.base import Invalid
from trellis.records import faults
from trellis.records.refusal import Fault, Missing
from trellis.records.store import Store
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.context import current_principal, current_store, current_tenant
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import submitted
from trellis.web.widgets import widget_of
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.faults import fault_text

MOST_PROPS = 6


@dataclass(frozen=True)
class Asked:
    """One thing that is asked."""

    row: Mapping[str, Any]
    about: str
    address: str
    by: str
    props: list[tuple[Any, Markup]]
    fields: list[BoundField]
    is_late: bool


@dataclass(frozen=True)
class Asking:
    """Somebody whose approval a record waits for. `is_mine`: this person's own; `may_recall`: this person has asked."""

    title: str
    who: str
    run: UUID
    is_mine: bool
    may_recall: bool
    is_queued: bool


def asking(store: Store, record: Ref) -> list[Asking]:
    """Whose approval a record waits for; costs nothing where no workflow asks for any."""
    if not approvals.may_be_asked_about(store.tenant.model, record.entity):
        return []
    me = store.principal.id
    with store.transaction() as connection:
        rows = approvals.about(connection, store.tenant, record)
    return [
        Asking(
            row["title"],
            _name(store, row["user"]),
            row["run"],
            row["user"] == me and row["state"] == "pending",
            row["asked_by"] == me,
            row["state"] == "queued",
        )
        for row in rows
    ]


class ApprovalsView(Page):
    """`/approvals`."""

    @expose("/approvals")  # type: ignore[untyped-decorator]
    @signed_in
    def index(self) -> Response:
        """What waits for this person."""
        return self._draw()

    @expose("/approvals/<uuid:id>", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def decide(self, id: UUID) -> Any:
        """Approves, rejects, or lets somebody else decide."""
        tenant, me, outcome = current_tenant(), _me(), request.form.get("_outcome", "")
        comment = request.form.get("_comment", "").strip()[:2000]
        try:
            with tenant.begin() as connection:
                if outcome == "delegated":
                    to = _person(request.form.get("_to", ""))
                    if to is None or to == me:
                        return self._draw(_("Choose who is to decide in your place."), status=422)
                    approvals.delegate(connection, tenant, id, me, to, comment)
                elif outcome in ("approved", "rejected"):
                    row = next((r for r in approvals.pending_for(connection, tenant, me) if r["id"] == id), None)
                    if row is None:
                        raise approvals.NotAsked
                    answers, wrong = _answers(row) if outcome == "approved" else ({}, {})
                    if wrong:
                        return self._draw("", id, wrong, status=422)
                    decision: Any = outcome
                    approvals.decide(connection, tenant, id, me, decision, comment=comment, answers=answers)
                else:
                    abort(400)
        except approvals.NotAsked:
            return self._draw(_("This has been decided already, or was withdrawn."), status=409)
        words = {"approved": _("Approved"), "rejected": _("Rejected"), "delegated": _("Handed over")}
        toast(words[outcome])
        return redirect(url_for("ApprovalsView.index"), 303)

    @expose("/approvals/<uuid:run>/recall", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def recall(self, run: UUID) -> Any:
        """Withdraws what one has asked for."""
        tenant = current_tenant()
        try:
            with tenant.begin() as connection:
                approvals.recall(connection, tenant, run, _me())
        except approvals.NotAsked:
            toast(_("This has been decided already, or was withdrawn."), kind="error")
        else:
            toast(_("Withdrawn"))
        return redirect(request.referrer or url_for("ApprovalsView.index"), 303)

    def _draw(
        self,
        wrong: str = "",
        about: UUID | None = None,
        faults: Mapping[str, list[Fault]] | None = None,
        *,
        status: int = 200,
    ) -> Response:
        tenant, store = current_tenant(), current_store()
        with tenant.begin() as connection:
            rows = approvals.pending_for(connection, tenant, _me())
        with store.transaction():
            asks = [_asked(store, row, faults if row["id"] == about else None) for row in rows]
        return self.draw("approvals.html", asks=asks, wrong=wrong, status=status)


def _me() -> UUID:
    id = current_principal().id
    if id is None:
        abort(404)
    return id


def _person(text: str) -> UUID | None:
    try:
        return UUID(text.rpartition(":")[2])
    except ValueError:
        return None


def _asked(store: Store, row: Mapping[str, Any], wrong: Mapping[str, list[Fault]] | None) -> Asked:
    title, address, props = "", "", []
    entity = store.tenant.model.entities.get(row["entity"] or "")
    if entity is not None:
        try:
            shown = [k for k in entity.highlights if k in store.readable_fields(entity.key)][:MOST_PROPS]
            record = store.read(entity.key, row["record"], fields=shown)
            title, address = record.title or "—", entity_address(entity.key, record.id)
            context = CellContext(store.principal.reader, store.tenant.model, entity, entity_address)
            for key in shown:
                if record[key] is not None:
                    field = entity.fields[key]
                    props.append((field.label, Markup(renderer(field, context)(record[key]))))
        except Missing:
            title = ""  # the approver may not read it: what is asked stands in the title and the text
    by = _name(store, row["asked_by"])
    fields = _fields(store, row, wrong)
    is_late = row["due_at"] is not None and row["due_at"] < now()
    return Asked(row, title, address, by, props, fields, is_late)


def _name(store: Store, user: UUID | None) -> str:
    if user is None:
        return ""
    try:
        return store.read("user", user, fields=()).title or ""
    except Missing:
        return ""


def _form(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields that the step asks the approver for."""
    tenant = current_tenant()
    with tenant.begin() as connection:
        from trellis.automation.workflows.run import read_run

        run = read_run(connection, tenant, row["run"])
    workflow = tenant.model.workflows.get(run.workflow) if run is not None else None
    for body in workflow.bodies.values() if workflow is not None else ():
        for step in every_step(body.steps):
            if step.place == row["place"] and isinstance(step, Approve):
                return step.form
    return {}


def _fields(store: Store, row: Mapping[str, Any], wrong: Mapping[str, list[Fault]] | None) -> list[BoundField]:
    entity = store.tenant.model.entities.get(row["entity"] or "") or next(iter(store.tenant.model.entities.values()))
    language, bound = store.principal.reader.language, []
    for key, field in _form(row).items():
        errors = [fault_text(fault, language) for fault in (wrong or {}).get(key, ())]
        typed = wrong is not None
        value = widget_of(field).read(submitted(), field) if typed else None
        bound.append(BoundField(store, entity, field, value, typed=typed, errors=errors, required=field.required))
    return bound


def _answers(row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, list[Fault]]]:
    """What the approver has filled in, as JSON, and what is wrong with it."""
    found: dict[str, Any] = {}
    wrong: dict[str, list[Fault]] = {}
    for key, field in _form(row).items():
        raw = widget_of(field).read(submitted(), field)
        try:
            value = field.type.parse(raw, current_principal().reader)
        except Invalid as error:
            wrong[key] = [faults.invalid(key, error)]
            continue
        if field.required and value in (None, "", ()):
            wrong[key] = [faults.required(key)]
        found[key] = None if value is None else field.type.to_json(value)
    return found, wrong
