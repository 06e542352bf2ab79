"""Sending messages: mail goes into the outbox with the step's own transaction, so that it goes once or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import parseaddr

from trellis.automation.mail.account import Account, is_set_up
from trellis.automation.mail.attachments import MOST as MOST_FILES
from trellis.automation.mail.attachments import files_in
from trellis.automation.mail.letter import Letter, in_look
from trellis.automation.mail.sending import NoAccount, Outgoing, account_named, send_out
from trellis.automation.workflows.context import StepContext, StepFailed, in_words, refs_of
from trellis.automation.workflows.steps.registry import Done, Outcome, Stopped, does
from trellis.formula.env import Env
from trellis.formula.types import Ref, Value
from trellis.model.automation import steps
from trellis.model.automation.email import EmailTemplate
from trellis.model.tracking import Tracking
from trellis.records.refusal import Fault

_ADDRESS = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+")
MOST = 100  # addresses of one step
SEQUENCE = "sequence:"  # what the workflows of sequences are called
NOT_AGREED = Fault("consent", "The record has not agreed to this letter.")
LEFT = {"opted_out": "opted out", "bounced": "nothing reaches it", "had": "has had it"}


@dataclass(frozen=True)
class Eyes:
    """What a message's formulas see: those of the step, and those of its template, which may be of another record."""

    step: Env
    template: Env


@does(steps.Send)
def _send(ctx: StepContext, step: steps.Send) -> Outcome:
    return CHANNELS[step.channel](ctx, step)


def _mail(ctx: StepContext, step: steps.Send) -> Outcome:
    if not is_set_up(ctx.tenant):
        raise StepFailed("No mail server is set up: give `mail:` in tenant.yaml.")
    eyes, template, agreed = prepared(ctx, step)
    if not agreed:
        return Done(None, in_words([NOT_AGREED]))
    to, cc, bcc = ([*_addresses(ctx, step, word, eyes.step)][:MOST] for word in ("to", "cc", "bcc"))
    if not (to or cc or bcc):
        raise StepFailed("There is no address to send to.")
    account = _account(ctx, step, template, eyes)
    letter = _letter(ctx, step, template, eyes)
    sequence = ctx.run.workflow.startswith(SEQUENCE)
    out = Outgoing(
        letter,
        to,
        cc,
        bcc,
        about=about_of(ctx, eyes),
        kind=f"workflow:{ctx.run.workflow}",
        marketing=sequence or (template is not None and template.unsubscribe),
        once=f"{ctx.run.workflow}:{step.place}" if sequence else "",
        track=_track(ctx, template),
        workflow=ctx.run.workflow,
        place=step.place,
    )
    sent = send_out(ctx.store, ctx.connection, out, account)
    if sequence and not sent.to and any(why == "opted_out" for _address, why in sent.left):
        return Stopped("opted out")
    left = [f"{address}: {LEFT[why]}" for address, why in sent.left]
    return Done(sent.message, {"to": list(sent.to), "text": letter.subject, **({"left": left} if left else {})})


def prepared(ctx: StepContext, step: steps.Send) -> tuple[Eyes, EmailTemplate | None, bool]:
    """What a message's formulas see, its template, and whether it may go to this record at all."""
    own = ctx.env()
    language = step.given.get("language")
    if language is not None and (said := language.evaluate(own)):
        own = replace(own, reader=replace(own.reader, language=str(said)))
    template = ctx.tenant.model.emails.get(step.template) if step.template else None
    env = own
    if template is not None and template.entity is not None and template.entity != ctx.run.entity:
        env = _about(ctx, step, template, own)
    agreed = template is None or template.consent is None or template.consent.evaluate(env) is True
    return Eyes(own, env), template, agreed


def about_of(ctx: StepContext, eyes: Eyes) -> Ref | None:
    """Whose timeline the message belongs to: the record that set the run off, else the one that it speaks of."""
    if ctx.run.ref is not None:
        return ctx.run.ref
    record = eyes.template.record
    return Ref(record.entity, record.id) if record is not None and record.id is not None else None


def _account(ctx: StepContext, step: steps.Send, template: EmailTemplate | None, eyes: Eyes) -> Account:
    given, env = step.given.get("from"), eyes.step
    if given is None and template is not None:
        given, env = template.sender, eyes.template
    named = str(given.evaluate(env) or "") if given is not None else ""
    try:
        return account_named(ctx.tenant, parseaddr(named)[1] or named)
    except NoAccount as error:
        raise StepFailed("There is no mail account “{name}”.", name=named) from error


def _track(ctx: StepContext, template: EmailTemplate | None) -> Tracking | None:
    """Whether opening is noted: what the template says, else its sequence; None where neither says it."""
    if template is not None and template.track is not None:
        return template.track
    workflow = ctx.tenant.model.workflows.get(ctx.run.workflow)
    return workflow.sequence.track if workflow is not None and workflow.sequence is not None else None


def text_of(step: steps.Send, template: EmailTemplate | None, word: str, eyes: Eyes) -> str:
    """A text of the step, else of its template."""
    given = step.given.get(word)
    if given is not None:
        return str(given.evaluate(eyes.step) or "")
    own = getattr(template, word, None) if template is not None else None
    return str(own.evaluate(eyes.template) or "") if own is not None else ""


def _letter(ctx: StepContext, step: steps.Send, template: EmailTemplate | None, eyes: Eyes) -> Letter:
    body = text_of(step, template, "body", eyes) or text_of(step, template, "text", eyes)
    made = Letter(
        subject=text_of(step, template, "subject", eyes),
        heading="",
        paragraphs=(),
        language=eyes.step.reader.language,
        body=body,
        html_body=text_of(step, template, "html", eyes),
        reply_to=text_of(step, template, "reply_to", eyes),
        attachments=_attached(step, eyes.step),
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


Sender = Callable[[StepContext, steps.Send], Outcome]
CHANNELS: dict[str, Sender] = {"email": _mail}
