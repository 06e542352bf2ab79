"""Sequences at work: when one leaves somebody alone, and when it ends."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trellis.automation.clock import now
from trellis.formula.env import Env
from trellis.model.automation.sequence import ZONE
from trellis.model.automation.steps import Send, Step
from trellis.model.automation.workflow import Workflow
from trellis.records.graph import LiveRecord

if TYPE_CHECKING:
    from trellis.automation.workflows.context import StepContext
    from trellis.storage.tenant import Tenant


def is_over(workflow: Workflow, ctx: StepContext) -> bool:
    """Whether a run of a sequence ends here: its condition says so, or its record is gone."""
    rules = workflow.sequence
    if rules is None:
        return False
    if ctx.record is None or ctx.record.get("deleted_at") is not None:
        return True
    return rules.stop is not None and ctx.holds(rules.stop)


def would_stop(workflow: Workflow, env: Env) -> bool:
    """Whether it would end as soon as it begins: then it does not begin."""
    rules = workflow.sequence
    return rules is not None and rules.stop is not None and rules.stop.evaluate(env) is True


def quiet_until(workflow: Workflow, ctx: StepContext, step: Step) -> datetime | None:
    """When a message may go out, if that is not now."""
    rules = workflow.sequence
    if rules is None or rules.quiet is None or not isinstance(step, Send):
        return None
    return rules.quiet.until(now(), zone_of(ctx.tenant, ctx.record))


def zone_of(tenant: Tenant, record: LiveRecord | None) -> ZoneInfo:
    """Where somebody lives, as far as their record says; else where the tenant does."""
    said = record.get(ZONE) if record is not None and ZONE in record.definition.fields else None
    try:
        return ZoneInfo(str(said)) if said else ZoneInfo(tenant.profile.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(tenant.profile.time_zone)
