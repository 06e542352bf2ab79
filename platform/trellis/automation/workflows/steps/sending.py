"""Sending messages: mail goes into the outbox with the step's own transaction, so that it goes once or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from trellis.automation.mail.account import is_set_up
from trellis.automation.mail.attachments import MOST as MOST_FILES
from trellis.automation.mail.attachments import files_in
from trellis.automation.mail.letter import Letter, in_look
from trellis.automation.mail.outbox import post
from trellis.automation.workflows.context import StepContext, StepFailed, refs_of
from trellis.automation.workflows.steps.registry import Done, Outcome, does
from trellis.formula.env import Env
from trellis.formula.types import Ref, Value
from trellis.model.automation import steps
from trellis.model.automation.email import EmailTemplate

_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")
MOST = 100  # addresses of one step


@does(steps.Send)
def _send(ctx: StepContext, step: steps.Send) -> Outcome:
    if step.channel != "email":
        raise StepFailed("No account for {channel} is set up.", channel=step.channel)
    if not is_set_up(ctx.tenant):
        raise StepFailed("No mail server is set up: give `mail:` in tenant.yaml.")
    env = ctx.env()
    template = ctx.tenant.model.emails.get(step.template) if step.template else None
    if template is not None and template.entity is not None and template.entity != ctx.run.entity:
        env = _about(ctx, step, template, env)
    if template is not None and template.consent is not None and template.consent.evaluate(env) is not True:
        return Done(None, {"text": "no consent"})
    to = [address for name in ("to", "cc", "bcc") for address in _addresses(ctx, step, name, env)]
    if not to:
        raise StepFailed("There is no address to send to.")
    letter = _letter(ctx, step, template, env)
    for address in dict.fromkeys(to[:MOST]):
        post(ctx.connection, ctx.tenant, address, letter, f"workflow:{ctx.run.workflow}")
    return Done(None, {"to": list(dict.fromkeys(to)), "text": letter.subject})


def _letter(ctx: StepContext, step: steps.Send, template: EmailTemplate | None, env: Env) -> Letter:
    def text(word: str) -> str:
        given = step.given.get(word)
        if given is not None:
            return str(given.evaluate(env) or "")
        own = getattr(template, word, None) if template is not None else None
        return str(own.evaluate(env) or "") if own is not None else ""

    body = text("body") or text("text")
    made = Letter(
        subject=text("subject"),
        heading="",
        paragraphs=(),
        language=env.reader.language,
        body=body,
        html_body=text("html"),
        reply_to=text("reply_to"),
        attachments=_attached(step, env),
        **in_look(ctx.tenant.profile),
    )
    return made if made.subject else replace(made, subject=body.strip().splitlines()[0][:120] if body.strip() else "")


def _attached(step: steps.Send, env: Env) -> tuple[tuple[str, str], ...]:
    """The files that go along: what `attach:` gives, a paper that a step has made or a field of files."""
    given = step.given.get("attach")
    found = tuple(dict.fromkeys(files_in(given.evaluate(env)))) if given is not None else ()
    if len(found) > MOST_FILES:
        raise StepFailed("At most {most} files go along with a message.", most=MOST_FILES)
    return found


def _addresses(ctx: StepContext, step: steps.Send, word: str, env: Env) -> Iterator[str]:
    given = step.given.get(word)
    if given is not None:
        yield from addresses_of(ctx, given.evaluate(env))


def addresses_of(ctx: StepContext, value: Value) -> Iterator[str]:
    """The e-mail addresses of a text, a record or several."""
    if isinstance(value, str):
        yield from _ADDRESS.findall(value)
        return
    if isinstance(value, (list, tuple)) and not all(isinstance(each, Ref) for each in value):
        for each in value:
            yield from addresses_of(ctx, each)
        return
    for ref in refs_of(value):
        record = ctx.graph.follow(ref)
        for field in record.definition.fields.values() if record is not None else ():
            if field.type.name == "email" and record is not None:
                yield from _ADDRESS.findall(str(record.get(field.key) or ""))
                break


def _about(ctx: StepContext, step: steps.Send, template: EmailTemplate, env: Env) -> Env:
    """The template's own record where it is another than the run's: whom it goes to, or what a step has named."""
    given = step.given.get("to")
    named = [*refs_of(given.evaluate(env))] if given is not None else []
    known = [ref for value in ctx.run.variables.values() for ref in refs_of(value)]
    ref = next((ref for ref in (*named, *known) if ref.entity == template.entity), None)
    record = ctx.graph.follow(ref) if ref is not None else None
    if record is None:
        raise StepFailed(
            "The message {template} is about another entity: {entity}.", template=template.key, entity=template.entity
        )
    return Env(record, env.reader, env.graph, old=record, variables={**env.variables, "record": record})
