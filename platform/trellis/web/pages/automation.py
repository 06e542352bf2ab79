"""Automation for administrators: the workflows and how they fare, their runs step by step, trying one on a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _

from trellis.automation.clock import now
from trellis.automation.mail import tracing
from trellis.automation.workflows import enrolling, health, looking, steering, trying
from trellis.formula.types import Ref
from trellis.model.automation.steps import every_step
from trellis.model.automation.triggers import OnWebhook
from trellis.model.automation.workflow import Workflow
from trellis.records.reading import shown
from trellis.records.refusal import Missing
from trellis.storage.audit import note
from trellis.storage.secrets import secret_name
from trellis.web.automation_words import (
    KINDS,
    OUTCOMES,
    STATES,
    TRIGGERS,
    VERBS,
    Titles,
    Told,
    error_text,
    refs_told,
    told,
)
from trellis.web.context import current_person, current_reader, current_store, current_tenant
from trellis.web.flashes import toast
from trellis.web.guard import needs
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form_entries import STATES as ENTRY_STATES
from trellis.web.pages.form_entries import forms_about
from trellis.web.pages.hooks import secret_of
from trellis.web.trigger_words import starts_of
from trellis.web.workflow_words import depth_of, outline_of

RECENT = timedelta(days=30)
PAGE = 50
STEERED = {
    "pause": "automation.run-paused",
    "resume": "automation.run-resumed",
    "cancel": "automation.run-cancelled",
    "again": "automation.run-repeated",
}


@dataclass(frozen=True)
class Line:
    """A workflow in the list."""

    workflow: Workflow
    starts: list[str]
    health: looking.Health


@dataclass(frozen=True)
class Done:
    """A step's line on a run's page."""

    row: Mapping[str, Any]
    verb: Any
    icon: str
    outcome: Any
    color: str
    told: list[Told]
    depth: int


def _module_order(key: str) -> tuple[int, str]:
    return current_tenant().model.modules[key].order, key


class AutomationView(Page):
    """`/admin/workflows…` and `/admin/runs/<id>`."""

    @expose("/admin/workflows")  # type: ignore[untyped-decorator]
    @needs("admin")
    def index(self) -> Response:
        """Every workflow by its module, what sets it off, and how it has fared lately."""
        tenant = current_tenant()
        with tenant.begin() as connection:
            fares = looking.healths(connection, tenant, now() - RECENT)
        by_module: dict[str, list[Line]] = {key: [] for key in sorted(tenant.model.modules, key=_module_order)}
        for workflow in tenant.model.workflows.values():
            line = Line(workflow, starts_of(workflow), fares.get(workflow.key, looking.Health({})))
            by_module.setdefault(workflow.module, []).append(line)
        groups = [(tenant.model.modules.get(key), lines) for key, lines in by_module.items() if lines]
        return self.draw("workflows.html", groups=groups, count=len(tenant.model.workflows), states=STATES)

    @expose("/admin/workflows/<key>")  # type: ignore[untyped-decorator]
    @needs("admin")
    def workflow(self, key: str) -> Response:
        """One workflow: its steps, its runs, and trying it."""
        tenant, found = current_tenant(), _workflow_or_404(key)
        state = request.args.get("state") if request.args.get("state") in STATES else None
        with tenant.begin() as connection:
            fares = looking.healths(connection, tenant, now() - RECENT).get(key, looking.Health({}))
            rows = looking.runs(connection, tenant, workflow=key, state=state, before=_uuid("before"), limit=PAGE)
        return self.draw(
            "workflow.html",
            workflow=found,
            starts=starts_of(found),
            health=fares,
            rows=rows,
            titles=_titles(rows),
            older=rows[-1]["id"] if len(rows) == PAGE else None,
            shown=state,
            states=STATES,
            said=error_text,
            triggers=TRIGGERS,
            steps=outline_of(found),
            verbs=VERBS,
            origin=tenant.model.origins.get(key if ":" in key else f"workflow.{key}"),
            trial=None,
            hooks=[
                (url_for("HooksView.receive", key=t.key, _external=True), _secret(t))
                for t in found.triggers
                if isinstance(t, OnWebhook)
            ],
            forms=forms_about(found),
            reach=_reach(found),
            read=_read(found),
            entry_states=ENTRY_STATES,
            entities=[e for e in found.bodies if e is not None and not _is_before(found)],
        )

    @expose("/admin/workflows/<key>/pause", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def pause(self, key: str) -> Any:
        """Nothing sets it off until it is resumed."""
        tenant, person = current_tenant(), current_person()
        _workflow_or_404(key)
        with tenant.begin() as connection:
            health.pause(connection, tenant, key, by=person.id if person else None)
            note(connection, tenant, "automation.paused", details={"workflow": key})
        toast(_("Paused. Runs that have begun go on."))
        return redirect(url_for("AutomationView.workflow", key=key), 303)

    @expose("/admin/workflows/<key>/resume", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def resume(self, key: str) -> Any:
        """It is set off again."""
        tenant = current_tenant()
        _workflow_or_404(key)
        with tenant.begin() as connection:
            health.resume(connection, tenant, key)
            note(connection, tenant, "automation.resumed", details={"workflow": key})
        toast(_("It is set off again."))
        return redirect(url_for("AutomationView.workflow", key=key), 303)

    @expose("/admin/workflows/<key>/try", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def attempt(self, key: str) -> Response:
        """What it would do with a record; nothing of it stays."""
        tenant, found, store = current_tenant(), _workflow_or_404(key), current_store()
        entity, record = request.form.get("entity", ""), request.form.get("record", "").rpartition(":")[2]
        wrong, trial, title = "", None, ""
        if entity not in found.bodies:
            abort(400)
        try:
            read = store.read(entity, record, fields=())
            title = read.title or ""
            trial = trying.attempt(tenant, found, read.ref, store.principal.id, store.principal.name)
        except (Missing, ValueError):
            wrong = _("Choose a record.")
        reader = current_reader()
        return self.draw(
            "_trial.html",
            trial=trial,
            wrong=wrong,
            title=title,
            values=list(told({"values": trial.values}, reader)) if trial is not None else [],
            steps=_steps(trial.lines, entity) if trial is not None else [],
            states=STATES,
            said=error_text,
        )

    @expose("/admin/runs/<uuid:id>")  # type: ignore[untyped-decorator]
    @needs("admin")
    def run(self, id: UUID) -> Response:
        """One run, step by step."""
        tenant = current_tenant()
        with tenant.begin() as connection:
            row = looking.run_row(connection, tenant, id)
            if row is None:
                abort(404)
            lines = looking.steps_of(connection, tenant, id)
            children = looking.children_of(connection, tenant, id)
        found = tenant.model.workflows.get(row["workflow"])
        return self.draw(
            "run.html",
            run=row,
            label=found.label if found is not None else row["workflow"],
            steps=_steps(lines, row["entity"]),
            children=children,
            titles=_titles([row]),
            states=STATES,
            said=error_text,
            triggers=TRIGGERS,
            may_retry=row["state"] == "failed" and (row["error"] or {}).get("kind") == "failed",
        )

    @expose("/admin/runs/<uuid:id>/<what>", methods=["POST"])  # type: ignore[untyped-decorator]
    @needs("admin")
    def steer(self, id: UUID, what: str) -> Any:
        """Pauses, resumes, cancels a run, or lets it go on from the step that failed."""
        tenant = current_tenant()
        if what not in STEERED:
            abort(404)
        try:
            with tenant.begin() as connection:
                getattr(steering, what)(connection, tenant, id)
                note(connection, tenant, STEERED[what], details={"run": str(id)})
        except steering.NotPossible:
            toast(_("The run is no longer in a state for that."), kind="error")
        return redirect(url_for("AutomationView.run", id=id), 303)

    @expose("/e/<entity>/<uuid:id>/runs")  # type: ignore[untyped-decorator]
    @needs("admin")
    def of_record(self, entity: str, id: UUID) -> Response:
        """The workflows that have run for a record."""
        tenant, store = current_tenant(), current_store()
        if entity not in tenant.model.entities:
            abort(404)
        record = store.read(entity, id, fields=())
        with tenant.begin() as connection:
            rows = looking.runs(connection, tenant, record=record.ref, before=_uuid("before"), limit=PAGE)
        return self.draw(
            "runs.html",
            record=record,
            entity=tenant.model.entities[entity],
            rows=rows,
            labels={key: w.label for key, w in tenant.model.workflows.items()},
            older=rows[-1]["id"] if len(rows) == PAGE else None,
            states=STATES,
            said=error_text,
            triggers=TRIGGERS,
        )


def _workflow_or_404(key: str) -> Workflow:
    found = current_tenant().model.workflows.get(key)
    if found is None:
        abort(404)
    return found


def _secret(trigger: OnWebhook) -> str:
    """The secret of an address to be shown: that of the environment is named."""
    return secret_name(current_tenant().slug, trigger.secret) if trigger.secret else secret_of(trigger)


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(request.args[name]) if name in request.args else None
    except ValueError:
        return None


def _is_before(workflow: Workflow) -> bool:
    return any(KINDS[type(trigger)] == "before" for trigger in workflow.triggers)


def _reach(workflow: Workflow) -> list[Mapping[str, int]]:
    """How far records have come in a sequence: what became of each step, in the order in which they are shown."""
    body = next(iter(workflow.bodies.values()), None)
    if workflow.sequence is None or body is None:
        return []
    tenant = current_tenant()
    with tenant.begin() as connection:
        found = enrolling.counts(connection, tenant, workflow.key)
    return [found.get(step.place, {}) for step in every_step(body.steps)]


def _read(workflow: Workflow) -> list[tuple[int, int, int] | None]:
    """For each step: how many of its letters that are traced went out, were opened, had a link followed."""
    body = next(iter(workflow.bodies.values()), None)
    if body is None:
        return []
    tenant = current_tenant()
    with tenant.begin() as connection:
        found = tracing.by_step(connection, tenant, workflow.key)
    return [found.get(step.place) for step in every_step(body.steps)]


def _steps(rows: Sequence[Mapping[str, Any]], entity: str | None) -> list[Done]:
    """The lines of a run; records that they name are called by their titles, as far as this person may read them."""
    store = current_store()
    with store.transaction():
        titles = shown.titles(store.session, [ref for row in rows for ref in refs_told(row["detail"])])
    return [_step(row, entity, titles) for row in rows]


def _step(row: Mapping[str, Any], entity: str | None, titles: Titles) -> Done:
    own = current_tenant().model.entities.get(entity or "") if row["verb"] == "set" else None
    verb, icon = VERBS[row["verb"]]
    outcome, color = OUTCOMES[row["outcome"]]
    return Done(
        row,
        verb,
        icon,
        outcome,
        color,
        list(told(row["detail"], current_reader(), own, titles)),
        depth_of(row["place"]),
    )


def _titles(rows: Sequence[Mapping[str, Any]]) -> dict[UUID, tuple[str, str]]:
    """(title, address) of the records that the runs are about, as far as this person may read them."""
    store = current_store()
    refs = [Ref(row["entity"], row["record"]) for row in rows if row["record"] is not None]
    with store.transaction():
        known = shown.titles(store.session, refs)
    return {id: (title or "—", entity_address(entity, id)) for (entity, id), title in known.items()}
