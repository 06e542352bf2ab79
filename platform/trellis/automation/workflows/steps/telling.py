"""Steps that leave a line, or tell people."""

from __future__ import annotations

from dataclasses import replace

from trellis.automation import notices
from trellis.automation.channels import Recipient
from trellis.automation.workflows.context import StepContext, in_words, refs_of
from trellis.automation.workflows.people import name_of, people_of
from trellis.automation.workflows.steps.registry import Done, Outcome, does
from trellis.model.automation import steps
from trellis.records.refusal import Fault


@does(steps.Log)
def _log(ctx: StepContext, step: steps.Log) -> Outcome:
    return Done(None, {"text": str(step.text.evaluate(ctx.env()) or "")})


@does(steps.Notify)
def _notify(ctx: StepContext, step: steps.Notify) -> Outcome:
    env = ctx.env()
    people = people_of(ctx.store.session, step.to.evaluate(env))
    if not people:  # no fault of the run's: what comes after it is done all the same
        return Done(None, in_words([Fault("nobody", "There is nobody to tell.")]))

    def said(person: Recipient | None = None) -> str:
        """What somebody is told, in their language as far as the YAML is translated."""
        theirs = env if person is None else replace(env, reader=person.reads(env.reader))
        return str(step.text.evaluate(theirs) or "")

    linked = step.link.evaluate(env)
    about = next(refs_of(linked), None) or ctx.run.ref
    address = linked if isinstance(linked, str) else None
    notices.tell(ctx.connection, ctx.tenant, people, said, kind=step.kind, about=about, address=address, via=step.via)
    return Done(None, {"to": [name_of(ctx.store.session, user) for user in people], "text": said()})
