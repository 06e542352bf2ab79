"""Steps that say which step comes next."""

from __future__ import annotations

from trellis.automation.workflows.context import StepContext
from trellis.automation.workflows.explaining import values_of
from trellis.automation.workflows.finding import members
from trellis.automation.workflows.steps.registry import Done, Outcome, Push, Stopped, does
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.automation import steps


@does(steps.If)
def _if(ctx: StepContext, step: steps.If) -> Outcome:
    holds = ctx.holds(step.condition)
    told = {"holds": holds, "values": values_of(step.condition, ctx.env())}
    return Push(f"{step.place}.{'then' if holds else 'else'}", told=told)


@does(steps.Switch)
def _switch(ctx: StepContext, step: steps.Switch) -> Outcome:
    value = step.value.evaluate(ctx.env())
    case = str(value) if value is not None and str(value) in step.cases else None
    told = {"value": value, "values": values_of(step.value, ctx.env())}
    return Push(f"{step.place}.{'else' if case is None else f'cases.{case}'}", told=told)


@does(steps.Each)
def _each(ctx: StepContext, step: steps.Each) -> Outcome:
    env = ctx.env()
    items = []
    for record in members(ctx.store.session, step.list, env):
        inner = Env(record, env.reader, env.graph, this=env.record, variables={**env.variables, "item": record})
        if record.id is not None and (step.filter is None or step.filter.evaluate(inner) is True):
            items.append(Ref(record.entity, record.id))
    return Push(f"{step.place}.steps", items, {"count": len(items)}) if items else Done(None, {"count": 0})


@does(steps.Stop)
def _stop(ctx: StepContext, step: steps.Stop) -> Outcome:
    return Stopped(str(step.text.evaluate(ctx.env()) or ""))
