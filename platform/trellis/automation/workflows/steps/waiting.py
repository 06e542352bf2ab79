"""Waiting: for a time, for a moment, until something holds."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from trellis.automation.clock import now
from trellis.automation.workflows.context import StepContext
from trellis.automation.workflows.explaining import records_of, values_of
from trellis.automation.workflows.steps.registry import Done, Outcome, Suspended, does
from trellis.model.automation import steps

LOOK_AGAIN = timedelta(hours=1)  # at what may hold because time passes


@does(steps.Wait)
def _wait(ctx: StepContext, step: steps.Wait) -> Outcome:
    kept = ctx.run.waiting
    moment = now()
    if step.until is not None and ctx.holds(step.until):
        return Done("held", {"values": values_of(step.until, ctx.env())})
    if kept is None:
        kept = {"until": _end(ctx, step, moment)}
    end = kept["until"]
    if end is not None and end <= moment:
        return Done("late" if step.until is not None else "over")
    if step.until is None:
        return Suspended(kept, end, told={"until": end})
    depends = {"now", "today"} & set(step.until.uses)
    wake_at = min(filter(None, (end, moment + LOOK_AGAIN if depends else None)), default=None)
    watched = frozenset(records_of(step.until, ctx.env()))
    return Suspended(kept, wake_at, watched, {"until": end, "values": values_of(step.until, ctx.env())})


def _end(ctx: StepContext, step: steps.Wait, moment: datetime) -> datetime | None:
    """When the wait is over at the latest; None: never by itself."""
    if step.span is not None:
        return step.span.after(moment)
    if step.at is not None:
        return _moment(ctx, step.at.evaluate(ctx.env())) or moment  # a blank moment has come
    return step.at_most.after(moment) if step.at_most is not None else None


def _moment(ctx: StepContext, value: object) -> datetime | None:
    """A date is its first moment in the run's time zone."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), ctx.store.session.reader.time_zone)
    return None
