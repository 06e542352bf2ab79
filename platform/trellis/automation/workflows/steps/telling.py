"""Steps that leave a line."""

from __future__ import annotations

from trellis.automation.workflows.context import StepContext
from trellis.automation.workflows.steps.registry import Done, Outcome, does
from trellis.model.automation import steps


@does(steps.Log)
def _log(ctx: StepContext, step: steps.Log) -> Outcome:
    return Done(None, {"text": str(step.text.evaluate(ctx.env()) or "")})
