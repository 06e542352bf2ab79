"""Asking people to approve."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from trellis.automation.channels import recipients
from trellis.automation.clock import now
from trellis.automation.workflows import approvals
from trellis.automation.workflows.approvals import Ask
from trellis.automation.workflows.context import StepContext, StepFailed
from trellis.automation.workflows.people import name_of, people_of
from trellis.automation.workflows.steps.registry import Done, Outcome, Suspended, does
from trellis.formula.env import Env
from trellis.model.automation import steps

APPROVERS = "approvers"


@does(steps.Approve)
def _approve(ctx: StepContext, step: steps.Approve) -> Outcome:
    if ctx.run.waiting is None:
        return _ask(ctx, step)
    asked = approvals.of_step(ctx.connection, ctx.tenant, ctx.run.id, step.place)
    outcome: str | None = approvals.outcome_of(asked, step.need)
    due = ctx.run.waiting.get("due")
    if outcome is None and isinstance(due, datetime) and due <= now():
        outcome = {"approve": "approved", "reject": "rejected"}.get(step.late)
        if outcome is None:  # remind, once in each such time
            due = step.within.after(now()) if step.within is not None else None
            approvals.remind(ctx.connection, ctx.tenant, asked)
            return Suspended({**ctx.run.waiting, "due": due}, due)
    if outcome is None:
        approvals.next_turn(ctx.connection, ctx.tenant, asked)
        return Suspended(ctx.run.waiting, due)
    approvals.close(ctx.connection, ctx.tenant, ctx.run.id, step.place)
    answers: dict[str, Any] = {}
    for one in asked:
        answers |= dict(one["answers"])
    said = [
        {
            "by": name_of(ctx.store.session, one["decided_by"] or one["user"]),
            "outcome": one["state"],
            "comment": one["comment"],
        }
        for one in asked
        if one["state"] in ("approved", "rejected", "returned")
    ]
    result = {"outcome": outcome, "comment": next((one["comment"] for one in said if one["comment"]), None), **answers}
    return Done(result, {"outcome": outcome, "said": said})


def _said(ctx: StepContext, one: approvals.Row) -> dict[str, Any]:
    by = name_of(ctx.store.session, one["decided_by"] or one["user"])
    return {"by": by, "outcome": one["state"], "comment": one["comment"]}


def _ask(ctx: StepContext, step: steps.Approve) -> Outcome:
    env = ctx.env()
    session = ctx.store.session
    people = people_of(session, step.by.evaluate(env))
    if not people and step.nobody == "admin":
        people = people_of(session, {"role": "admin"})
    if not people:
        if step.nobody in ("approve", "reject"):  # as the step says, and the run tells that nobody was asked
            outcome = "approved" if step.nobody == "approve" else "rejected"
            return Done({"outcome": outcome, "comment": None}, {"outcome": outcome, "said": []})
        raise StepFailed("There is nobody who could approve.")
    due = step.within.after(now()) if step.within is not None else None

    def said(language: Env) -> tuple[str, str]:
        title = step.title.evaluate(language) or _title(ctx, language.reader.language)
        return str(title), str(step.text.evaluate(language) or "")

    title, text = said(env)
    asked = recipients(ctx.connection, ctx.tenant, people)
    ask = Ask(
        run=ctx.run.id,
        place=step.place,
        about=ctx.run.ref,
        title=title,
        text=text,
        words={one.id: said(replace(env, reader=one.reads(env.reader))) for one in asked},
        locks=step.lock,
        edit=_editors(ctx, step, people),
        asked_by=ctx.run.by,
        due=due,
    )
    approvals.ask(ctx.connection, ctx.tenant, ask, people, in_turn=step.order == "in-turn")
    names = [name_of(ctx.store.session, user) for user in people]
    return Suspended({"due": due}, due, told={"to": names, "until": due})


def _editors(ctx: StepContext, step: steps.Approve, people: list[UUID]) -> list[UUID]:
    """Who may change the record while it is locked; the word `approvers` means those who are asked."""
    given = step.edit.evaluate(ctx.env())
    listed = list(given) if isinstance(given, (list, tuple)) else [given] if given is not None else []
    found = people_of(ctx.store.session, [one for one in listed if one != APPROVERS])
    return list(dict.fromkeys([*found, *(people if APPROVERS in listed else ())]))


def _title(ctx: StepContext, language: str) -> str:
    workflow = ctx.tenant.model.workflows.get(ctx.run.workflow)
    label = workflow.label.in_language(language) if workflow is not None else ctx.run.workflow
    return f"{label}: {ctx.graph.title(ctx.run.ref)}" if ctx.run.ref is not None else label
