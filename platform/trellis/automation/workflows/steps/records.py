"""Steps that write records: through the door, with the run's rights."""

from __future__ import annotations

from trellis.automation.workflows.context import MEANS, StepContext, StepFailed, refs_of
from trellis.automation.workflows.finding import find
from trellis.automation.workflows.steps.registry import Done, Outcome, does
from trellis.automation.workflows.values import evaluated
from trellis.formula.types import Ref
from trellis.model.automation import steps
from trellis.records.refusal import Missing


@does(steps.SetValues)
def _set(ctx: StepContext, step: steps.SetValues) -> Outcome:
    ref = ctx.run.ref
    if ref is None:
        raise StepFailed("No record set this run off.")
    ctx.hold([ref], step.values.values())
    values = evaluated(ctx.store.session, ref.entity, step.values, ctx.env())
    ctx.store.change(ref.entity, ref.id, values, means=MEANS)
    return Done(ref, {"set": values})


@does(steps.Create)
def _create(ctx: StepContext, step: steps.Create) -> Outcome:
    values = evaluated(ctx.store.session, step.entity, step.values, ctx.env())
    made = ctx.store.create(step.entity, values, means=MEANS)
    return Done(Ref(step.entity, made.id, made.title), {"set": values})


@does(steps.Update)
def _update(ctx: StepContext, step: steps.Update) -> Outcome:
    refs = ctx.target(step.target)
    ctx.hold(refs, step.values.values())
    env = ctx.env()
    for ref in refs:
        values = evaluated(ctx.store.session, ref.entity, step.values, env)
        ctx.store.change(ref.entity, ref.id, values, means=MEANS)
    return Done(refs[0] if len(refs) == 1 else tuple(refs), {"records": refs})


@does(steps.Delete)
def _delete(ctx: StepContext, step: steps.Delete) -> Outcome:
    refs = ctx.target(step.target)
    for ref in refs:
        ctx.store.delete(ref.entity, ref.id, means=MEANS)
    return Done(None, {"records": refs})


@does(steps.Restore)
def _restore(ctx: StepContext, step: steps.Restore) -> Outcome:
    refs = ctx.target(step.target)
    for ref in refs:
        ctx.store.restore(ref.entity, ref.id, means=MEANS)
    return Done(refs[0] if len(refs) == 1 else tuple(refs), {"records": refs})


@does(steps.Link)
def _link(ctx: StepContext, step: steps.Link) -> Outcome:
    owner, name = _end(ctx, step.list)
    env = ctx.env()
    columns = {key: given.evaluate(env) for key, given in step.values.items()}
    for ref in refs_of(step.to.evaluate(env)):
        ctx.store.link(owner.entity, owner.id, name, ref, columns, means=MEANS)
    return Done(None, {"record": owner})


@does(steps.Unlink)
def _unlink(ctx: StepContext, step: steps.Unlink) -> Outcome:
    owner, name = _end(ctx, step.list)
    for ref in refs_of(step.to.evaluate(ctx.env())):
        ctx.store.unlink(owner.entity, owner.id, name, ref, means=MEANS)
    return Done(None, {"record": owner})


def _end(ctx: StepContext, listed: steps.ListOf) -> tuple[Ref, str]:
    """The record whose list it is, and the list's name."""
    owner = next(refs_of(listed.record.evaluate(ctx.env())), None) if listed.record is not None else ctx.run.ref
    if owner is None or not listed.list:
        raise StepFailed("The record whose list this is is blank.")
    return owner, listed.list


@does(steps.Find)
def _find(ctx: StepContext, step: steps.Find) -> Outcome:
    with ctx.store.transaction():
        found = find(ctx.store.session, step, ctx.env())
    return Done(found, {"found": found})


@does(steps.Convert)
def _convert(ctx: StepContext, step: steps.Convert) -> Outcome:
    ref = ctx.run.ref
    if ref is None or ref.entity != step.entity:
        raise Missing(step.entity)
    done = ctx.store.convert(ref.entity, ref.id, {})
    return Done(dict(done.became), {"records": list(done.became.values())})
