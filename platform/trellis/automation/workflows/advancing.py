"""Taking a run further: steps one after the other, all that need nobody else in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.clock import now
from trellis.automation.jobs import Work, defer_many, kind
from trellis.automation.workflows import health, sequences
from trellis.automation.workflows.acting import Nobody, principal_of, system_of
from trellis.automation.workflows.codec import freeze
from trellis.automation.workflows.context import StepContext, StepFailed, in_words, verb_of
from trellis.automation.workflows.explaining import values_of
from trellis.automation.workflows.run import Frame, Run, read_run, write_run
from trellis.automation.workflows.starting import ADVANCE, job_of
from trellis.automation.workflows.steps import DOES, Done, Push, Stopped, Suspended
from trellis.automation.workflows.versions import Gone, workflow_of
from trellis.formula.types import Ref
from trellis.model.automation.steps import Retry, Step, Steps
from trellis.model.automation.workflow import Body, Workflow
from trellis.model.fields.base import Invalid
from trellis.records.principal import Principal
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.store import Store

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

JUDGED_HERE = frozenset({"schedule", "webhook", "button", "run", "email", "form"})
AT_ONCE = 200  # steps in one transaction; then the run takes its turn again
# what a step may fall over: it is the step's failure, which its `on_error` speaks of, and the run's log tells
FAILURES = (Refused, Missing, Forbidden, StepFailed, Invalid, ArithmeticError, ValueError, LookupError, TypeError)


def _buried(work: Work, reason: str) -> None:
    """A run that cannot be taken further at all has failed: people see it, and nothing waits for it for good."""
    with work.tenant.begin() as connection:
        run = read_run(connection, work.tenant, UUID(work.payload["run"]), lock=True)
        if run is not None and not run.is_over:
            end(connection, work.tenant, run, "failed", {"kind": "failed", "text": reason, "faults": []})
            write_run(connection, work.tenant, run)


@kind(ADVANCE, on_death=_buried)
def advance(work: Work) -> None:
    """Take a run as far as it goes by itself, in the transaction that also ends the job."""
    tenant = work.tenant
    timer = datetime.fromisoformat(work.payload["at"]) if "at" in work.payload else None
    with work.finishing() as connection:
        run = read_run(connection, tenant, UUID(work.payload["run"]), lock=True)
        if run is None or run.is_over or run.state == "paused" or timer not in (None, run.wake_at):
            return  # it was ended meanwhile, or waits for another moment by now
        try:
            workflow = workflow_of(work.catalogue, tenant, run)
            store = Store(tenant, _principal(connection, tenant, workflow, run))
        except Gone as error:
            _end_without(connection, tenant, run, error)
        except Nobody as error:
            said = "{name} may not sign in any more, and it runs with their rights."
            _end_without(connection, tenant, run, StepFailed(said, name=str(error)))
        else:
            with store.session.within(connection):
                Machine(store, connection, workflow, run, asked=run.wake_at if timer is None else None).go()


def _principal(connection: sa.Connection, tenant: Tenant, workflow: Workflow, run: Run) -> Principal:
    if workflow.run_as == "system":
        return system_of(tenant, run.by, run.by_name)
    return principal_of(connection, tenant, run.by, run.by_name)


def _end_without(connection: sa.Connection, tenant: Tenant, run: Run, reason: Exception) -> None:
    end(connection, tenant, run, "failed", {"kind": "failed", **told_of(reason)})
    write_run(connection, tenant, run)


def end(
    connection: sa.Connection, tenant: Tenant, run: Run, state: str, error: Mapping[str, Any] | None = None
) -> None:
    """Let a run be over, and wake the one that waits for it."""
    run.state, run.error, run.ended_at = state, error, now()
    run.waiting, run.wake_at, run.tries = None, None, 0
    unwatch(connection, tenant, run)
    health.ended(connection, tenant, run)
    if run.parent is not None:
        parent = read_run(connection, tenant, run.parent)
        if parent is not None and not parent.is_over:
            defer_many(connection, [job_of(parent)])


def unwatch(connection: sa.Connection, tenant: Tenant, run: Run) -> None:
    """The run waits for no record any more."""
    table = tenant.tables.platform.run_watch
    connection.execute(sa.delete(table).where(table.c.run == run.id))


def block_at(steps: Steps, place: str) -> Steps:
    """The steps of a block: "" is the workflow's own, `2.then` those inside its third step."""
    if not place:
        return steps
    for step in steps:
        if place == step.place or not place.startswith(f"{step.place}."):
            continue
        rest = place[len(step.place) + 1 :]
        for word, block in step.blocks.items():
            if rest == word:
                return block
            if rest.startswith(f"{word}."):
                found = block_at(block, place)
                if found:
                    return found
    return ()


class Machine:
    """One run at work in one transaction."""

    def __init__(
        self,
        store: Store,
        connection: sa.Connection,
        workflow: Workflow,
        run: Run,
        *,
        asked: datetime | None = None,
    ) -> None:
        self.store = store
        self.connection = connection
        self.tenant = store.tenant
        self.workflow = workflow
        self.run = run
        self.body: Body = workflow.bodies[run.entity if run.entity in workflow.bodies else None]
        self.asked = asked  # the moment for which a job is in the queue already
        self.watches = run.waiting is not None  # whether there may be records that it waits for
        self.is_trial = False  # all of it is taken back: no job is asked for, and the run has no row
        store.session.cause = StepContext(run, store, connection).cause()

    def go(self) -> None:
        """Do steps until the run is over, waits, or has had its turn."""
        run, before = self.run, self.run.steps
        run.state, run.wake_at = "ready", None
        if run.steps == 0 and run.waiting is None and run.trigger in JUDGED_HERE:
            self._judge()
        while run.state == "ready" and run.steps - before < AT_ONCE:
            step = self._next()
            if step is not None and sequences.is_over(self.workflow, StepContext(run, self.store, self.connection)):
                self._log(step, "stopped", {})
                end(self.connection, self.tenant, run, "stopped", {"kind": "stopped", "text": ""})
            elif step is None:
                end(self.connection, self.tenant, run, "done")
            else:
                self._do(step)
        if self.is_trial:
            return
        if run.state == "ready":
            defer_many(self.connection, [job_of(run)])
        write_run(self.connection, self.tenant, run)

    def _judge(self) -> None:
        """End a run whose workflow's condition does not hold; changes of records are judged before there is a run."""
        ctx = StepContext(self.run, self.store, self.connection)
        condition = self.body.when
        if not ctx.holds(condition):
            source = condition.source if condition else ""
            fault = Fault("condition", "Its condition does not hold: {formula}.", None, {"formula": source})
            end(self.connection, self.tenant, self.run, "stopped", {"kind": "stopped", **in_words([fault])})

    def _next(self) -> Step | None:
        """The step at hand; None when there is none left. Blocks that are done are left, items gone through."""
        run = self.run
        while run.position:
            frame = run.position[-1]
            block = block_at(self.body.steps, frame.block)
            if frame.next < len(block):
                return block[frame.next]
            if frame.items is not None and frame.at + 1 < len(frame.items):
                frame.at, frame.next = frame.at + 1, 0
                run.variables["item"] = frame.items[frame.at]
                continue
            run.position.pop()
            if frame.items is not None:
                run.variables["item"] = frame.outer
        return None

    def _do(self, step: Step) -> None:
        run = self.run
        ctx = StepContext(run, self.store, self.connection, step.place)
        if self._is_quiet(step, ctx):
            return
        try:
            if run.waiting is None and step.when is not None and not ctx.holds(step.when):
                self._log(step, "skipped", {"values": values_of(step.when, ctx.env())})
                self._forward()
                return
            with self.connection.begin_nested():
                if type(step) not in DOES:
                    raise StepFailed("This version does not do “{step}”.", step=verb_of(step))
                outcome = DOES[type(step)](ctx, step)
        except FAILURES as error:
            self._failed(step, error)
            return
        told: dict[str, Any] = {**outcome.told} if not isinstance(outcome, Stopped) else {"text": outcome.reason}
        if step.when is not None:
            told.setdefault("values", values_of(step.when, ctx.env()))
        if isinstance(outcome, Suspended):
            self._suspend(step, outcome, told)
            return
        run.waiting, run.tries = None, 0
        self._unwatch()
        if isinstance(outcome, Stopped):
            self._log(step, "stopped", told)
            end(self.connection, self.tenant, run, "stopped", {"kind": "stopped", "text": outcome.reason})
            return
        self._log(step, "done", told)
        self._forward()
        if isinstance(outcome, Push):
            self._push(outcome)
        elif step.name and isinstance(outcome, Done):
            run.variables[step.name] = outcome.result

    def _is_quiet(self, step: Step, ctx: StepContext) -> bool:
        """Whether a message waits for the end of the quiet hours."""
        until = sequences.quiet_until(self.workflow, ctx, step)
        if until is not None:
            self._suspend(step, Suspended({"quiet": True}, until), {"until": until})
        elif self.run.waiting is not None and "quiet" in self.run.waiting:
            self.run.waiting = None  # it begins only now
        return until is not None

    def _forward(self) -> None:
        self.run.position[-1].next += 1
        self.run.steps += 1

    def _push(self, outcome: Push) -> None:
        run = self.run
        frame = Frame(outcome.block)
        if outcome.items is not None:
            frame.items, frame.outer = list(outcome.items), run.variables.get("item")
            run.variables["item"] = frame.items[0]
        run.position.append(frame)

    def _suspend(self, step: Step, outcome: Suspended, told: Mapping[str, Any]) -> None:
        run = self.run
        is_new = run.waiting is None
        run.waiting, run.state, run.wake_at = dict(outcome.kept), "waiting", outcome.wake_at
        if is_new:
            self._log(step, "waiting", told)
        watched = outcome.watched
        if self.workflow.sequence is not None and run.ref is not None:
            watched |= {run.ref}  # every save may end it
        self._watch(watched)
        if outcome.wake_at is not None and outcome.wake_at != self.asked:
            defer_many(self.connection, [job_of(run, outcome.wake_at)])
        if is_new and watched:
            # what changes until this is committed finds nobody who watches: it is looked at once more afterwards
            defer_many(self.connection, [job_of(run)])

    def _unwatch(self) -> None:
        if self.watches:
            unwatch(self.connection, self.tenant, self.run)
            self.watches = False

    def _watch(self, watched: frozenset[Ref]) -> None:
        self._unwatch()
        rows = [{"run": self.run.id, "entity": ref.entity, "record": ref.id} for ref in watched]
        if rows:
            self.connection.execute(sa.insert(self.tenant.tables.platform.run_watch), rows)
            self.watches = True

    def _failed(self, step: Step, error: Exception) -> None:
        run, told = self.run, told_of(error)
        run.waiting = None
        self._unwatch()
        if isinstance(step.on_error, Retry) and run.tries < step.on_error.times:
            run.tries += 1
            at: datetime = now()
            for _ in range(2 ** (run.tries - 1)):
                at = step.on_error.backoff.after(at)
            self._log(step, "retried", {**told, "at": at})
            run.state, run.wake_at = "waiting", at
            defer_many(self.connection, [job_of(run, at)])
            return
        self._log(step, "failed", told)
        run.tries = 0
        if step.on_error == "continue":
            self._forward()
            return
        end(self.connection, self.tenant, run, "failed", {"kind": "failed", "place": step.place, **told})

    def _log(self, step: Step, outcome: str, detail: Mapping[str, Any]) -> None:
        line = {
            "run": self.run.id,
            "at": now(),
            "place": step.place,
            "verb": verb_of(step),
            "outcome": outcome,
            "detail": freeze(detail),
        }
        self.run.logged.append(line)


def told_of(error: Exception) -> dict[str, Any]:
    """An error for the run's log: a text, and the faults that it can be said by in every language."""
    if isinstance(error, Refused):
        faults = list(error.faults)
    elif isinstance(error, StepFailed):
        faults = [error.fault]
    elif isinstance(error, Missing):
        faults = [Fault("missing", "The record is not there any more, or out of reach.")]
    elif isinstance(error, Forbidden):
        faults = [Fault("forbidden", "Not allowed: {action} {entity}.", None, vars(error))]
    else:
        return {"text": str(error), "faults": []}
    return in_words(faults) | ({"text": str(error)} if isinstance(error, Refused) else {})
