"""Approvals: what one is asked, with what one needs to know to decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, abort, redirect, request, url_for
from flask_appbuilder import expose
from flask_babel import gettext as _
from markupsafe import Markup

from trellis.automation.clock import now
from trellis.automation.workflows import approvals, passing_on, urging
from trellis.automation.workflows.answers import as_json, read
from trellis.automation.workflows.run import workflows_of
from trellis.formula.types import Ref
from trellis.identity.people import names_of
from trellis.model.automation.steps import Approve, every_step
from trellis.model.field import Field
from trellis.records.refusal import Fault, Missing, Refused
from trellis.records.store import Store
from trellis.web.cells.registry import CellContext, renderer
from trellis.web.context import current_principal, current_store, current_tenant
from trellis.web.faults import fault_text, refusal_text
from trellis.web.flashes import toast
from trellis.web.guard import signed_in
from trellis.web.navigation import entity_address
from trellis.web.pages.base import Page
from trellis.web.pages.form import submitted
from trellis.web.widgets import widget_of
from trellis.web.widgets.bound import BoundField

MOST_PROPS = 6
DECIDED = ("approved", "rejected", "returned")
WHEN = ("before", "beside", "after")
Row = Mapping[str, Any]
Form = Mapping[str, Field]
About = tuple[str, str, list[tuple[Any, Markup]]]  # title, address and highlights of a record


@dataclass(frozen=True)
class Asked:
    """One thing that is asked."""

    row: Row
    about: str
    address: str
    by: str
    props: list[tuple[Any, Markup]]
    fields: list[BoundField]
    is_late: bool
    errors: Sequence[str] = ()
    comment: str = ""


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
    names = names_of(store.tenant, {row["user"] for row in rows}) if rows else {}
    return [
        Asking(
            row["title"],
            names.get(row["user"], ""),
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
        """Approves, rejects, sends back, lets somebody else decide, or asks somebody else too."""
        what = request.form.get("_outcome", "")
        if what not in (*DECIDED, "delegated", "added"):
            abort(400)
        try:
            self._do(id, what, request.form.get("_comment", "").strip()[:2000])
        except approvals.NotAsked:
            return self._draw(_("This has been decided already, or was withdrawn."), status=409)
        except Refused as refused:
            return self._draw("", id, refused.faults, status=422)
        toast(done_words()[what])
        return redirect(url_for("ApprovalsView.index"), 303)

    def _do(self, id: UUID, what: str, comment: str) -> None:
        tenant, me = current_tenant(), _me()
        with tenant.begin() as connection:
            if what in ("delegated", "added"):
                to = _person(request.form.get("_to", ""))
                if to is None or to == me:
                    raise Refused([Fault("person", "Choose who is to decide.", "_to")])
                if what == "delegated":
                    passing_on.delegate(connection, tenant, id, me, to, comment)
                else:
                    when: Any = request.form.get("_when", "before")
                    passing_on.add(connection, tenant, id, me, to, when if when in WHEN else "before")
                return
            row = approvals.mine(connection, tenant, id, me)
            form = forms_of([row], workflows_of(connection, tenant, {row["run"]})).get(row["id"], {})
            decision: Any = what
            answers = answers_of(form) if what == "approved" else {}
            approvals.decide(connection, tenant, id, me, decision, comment=comment, answers=answers)

    @expose("/approvals/<uuid:run>/urge", methods=["POST"])  # type: ignore[untyped-decorator]
    @signed_in
    def urge(self, run: UUID) -> Any:
        """Has those told once more whose answer one waits for."""
        tenant = current_tenant()
        try:
            with tenant.begin() as connection:
                told = urging.urge(connection, tenant, run, _me())
        except approvals.NotAsked:
            toast(_("This has been decided already, or was withdrawn."), kind="error")
        except Refused as refused:
            toast(refusal_text(refused), kind="error")
        else:
            names = names_of(tenant, set(told))
            toast(_("%(names)s has been reminded", names=", ".join(names.values())))
        return redirect(request.referrer or url_for("ApprovalsView.index"), 303)

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
        self, wrong: str = "", about: UUID | None = None, faults: Sequence[Fault] = (), *, status: int = 200
    ) -> Response:
        tenant, store = current_tenant(), current_store()
        with store.transaction() as connection:
            rows = approvals.pending_for(connection, tenant, _me())
            forms = forms_of(rows, workflows_of(connection, tenant, {row["run"] for row in rows}))
            shown = _Shown(store, forms)
            parts = [(row, shown.about(row)) for row in rows]
        names = names_of(tenant, {row["asked_by"] for row in rows} - {None}) if rows else {}
        asks = [
            shown.asked(row, told, names.get(row["asked_by"], ""), faults if row["id"] == about else None)
            for row, told in parts
        ]
        return self.draw("approvals.html", asks=asks, wrong=wrong, status=status)


def done_words() -> dict[str, str]:
    """What is said when it is done."""
    return {
        "approved": _("Approved"),
        "rejected": _("Rejected"),
        "returned": _("Sent back"),
        "delegated": _("Handed over"),
        "added": _("Asked too"),
    }


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


def forms_of(rows: Collection[Row], workflows: Mapping[UUID, str]) -> dict[UUID, Form]:
    """The fields that the steps ask their approvers for, by what is asked."""
    model = current_tenant().model
    found: dict[UUID, Form] = {}
    steps: dict[str, dict[str, Form]] = {}
    for row in rows:
        key = workflows.get(row["run"], "")
        if key in model.workflows and key not in steps:
            bodies = model.workflows[key].bodies.values()
            every = (step for body in bodies for step in every_step(body.steps))
            steps[key] = {step.place: step.form for step in every if isinstance(step, Approve)}
        found[row["id"]] = steps.get(key, {}).get(row["place"], {})
    return found


def answers_of(form: Form) -> dict[str, Any]:
    """What the approver has filled in, as it is kept. Raises Refused with everything that is wrong."""
    raw = {key: widget_of(field).read(submitted(), field) for key, field in form.items()}
    values, wrong = read(form, raw, current_principal().reader)
    if wrong:
        raise Refused(wrong)
    return as_json(form, values)


class _Shown:
    """What approvers see: what each thing is about is read in one transaction, and drawn after it."""

    def __init__(self, store: Store, forms: Mapping[UUID, Form]) -> None:
        self.store, self.forms = store, forms
        self._columns: dict[str, list[tuple[str, Any, Any]]] = {}

    def about(self, row: Row) -> About:
        """Title, address and highlights of the record; nothing where the approver may not read it."""
        entity = self.store.tenant.model.entities.get(row["entity"] or "")
        if entity is None:
            return "", "", []
        columns = self._columns_of(entity.key)
        try:
            record = self.store.read(entity.key, row["record"], fields=[key for key, _label, _render in columns])
        except Missing:
            return "", "", []  # what is asked stands in the title and the text
        props = [(label, Markup(render(record[key]))) for key, label, render in columns if record[key] is not None]
        return record.title or "—", entity_address(entity.key, record.id), props

    def _columns_of(self, key: str) -> list[tuple[str, Any, Any]]:
        if key not in self._columns:
            store, entity = self.store, self.store.tenant.model.entities[key]
            context = CellContext(store.principal.reader, store.tenant.model, entity, entity_address)
            readable = frozenset(store.readable_fields(key))
            shown = [entity.fields[k] for k in entity.highlights if k in readable][:MOST_PROPS]
            self._columns[key] = [(field.key, field.label, renderer(field, context)) for field in shown]
        return self._columns[key]

    def asked(self, row: Row, told: About, by: str, wrong: Sequence[Fault] | None) -> Asked:
        """One of them; with what was typed and what is wrong with it, where something is."""
        title, address, props = told
        language, form = self.store.principal.reader.language, self.forms.get(row["id"], {})
        said: dict[str, list[str]] = {}
        for fault in wrong or ():
            said.setdefault(fault.field if fault.field and fault.field in form else "", []).append(
                fault_text(fault, language)
            )
        is_late = row["due_at"] is not None and row["due_at"] < now()
        fields = bound_fields(self.store, row, form, said, typed=wrong is not None)
        comment = request.form.get("_comment", "") if wrong is not None else ""
        return Asked(row, title, address, by, props, fields, is_late, said.get("", ()), comment)


def bound_fields(
    store: Store, row: Row, form: Form, said: Mapping[str, Sequence[str]], *, typed: bool
) -> list[BoundField]:
    """What the step asks for, as it is filled in."""
    entity = store.tenant.model.entities.get(row["entity"] or "") or next(iter(store.tenant.model.entities.values()))
    return [
        BoundField(
            store,
            entity,
            field,
            widget_of(field).read(submitted(), field) if typed else None,
            typed=typed,
            errors=said.get(key, ()),
            required=field.required,
        )
        for key, field in form.items()
    ]
