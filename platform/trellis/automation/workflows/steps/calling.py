"""Running another workflow, and going on when it is over."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from trellis.automation.workflows.context import StepContext, StepFailed, refs_of
from trellis.automation.workflows.run import read_run
from trellis.automation.workflows.starting import Start, start
from trellis.automation.workflows.steps.registry import Done, Outcome, Suspended, does
from trellis.model.automation import steps


@does(steps.Run)
def _run(ctx: StepContext, step: steps.Run) -> Outcome:
    if ctx.run.waiting is not None:
        return _come_back(ctx)
    workflow = ctx.tenant.model.workflows.get(step.workflow)
    if workflow is None or not workflow.active:
        raise StepFailed("There is no active workflow {workflow}.", workflow=step.workflow)
    env = ctx.env()
    ref = next(refs_of(step.on.evaluate(env)), None) if step.on is not None else ctx.run.ref
    values = {key: given.evaluate(env) for key, given in step.values.items()}
    begun = Start(workflow, "run", ref, by=ctx.run.by, by_name=ctx.run.by_name, chain=ctx.run.chain, variables=values)
    begun = replace(begun, crowd=ctx.run.crowd)
    child = start(ctx.connection, ctx.tenant, [begun], parent=ctx.run.id if step.wait else None)
    if not step.wait or not child:
        return Done(None, {"runs": [str(id) for id in child]})
    return Suspended({"child": child[0]}, told={"runs": [str(child[0])]})


def _come_back(ctx: StepContext) -> Outcome:
    kept = ctx.run.waiting or {}
    child = read_run(ctx.connection, ctx.tenant, UUID(str(kept["child"])))
    if child is not None and not child.is_over:
        return Suspended(kept)
    if child is not None and child.state == "failed":
        text = (child.error or {}).get("text", "")
        raise StepFailed("{workflow} has failed: {text}", workflow=child.workflow, text=text)
    return Done(None if child is None else {"state": child.state})
