"""Giving the record an owner."""

from __future__ import annotations

from trellis.automation.workflows.assignment import choose
from trellis.automation.workflows.context import MEANS, StepContext, StepFailed, in_words
from trellis.automation.workflows.people import ref_of
from trellis.automation.workflows.steps.registry import Done, Outcome, does
from trellis.model.automation import steps


@does(steps.Assign)
def _assign(ctx: StepContext, step: steps.Assign) -> Outcome:
    ref = ctx.run.ref
    if ref is None:
        raise StepFailed("No record set this run off.")
    entity = ctx.tenant.model.entities[ref.entity]
    owner = step.field or (entity.owner_field or "")
    if not owner:
        raise StepFailed("{entity} has no owner: say which field is filled.", entity=ref.entity)
    rule = f"workflow:{ctx.run.workflow}:{step.place}"
    chosen = choose(ctx.store.session, step.choosing, ctx.env(), rule, ref.entity, owner)
    if chosen is None:
        raise StepFailed("Nobody is free to take it.")
    ctx.store.change(ref.entity, ref.id, {owner: ref_of(chosen.user)}, means=MEANS)
    return Done(ref_of(chosen.user), in_words([chosen.why]))
