"""Sending short messages: SMS to the numbers of a text or a record, chat into the room that is set up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import phonenumbers
from uuid_utils.compat import uuid7

from trellis.automation.clock import now
from trellis.automation.mail import optouts
from trellis.automation.mail.sending import CONTACT
from trellis.automation.messages import kept
from trellis.automation.messages.outbox import post, way_of
from trellis.automation.workflows.context import StepContext, StepFailed, in_words, refs_of
from trellis.automation.workflows.steps.registry import Done, Outcome
from trellis.automation.workflows.steps.sending import (
    CHANNELS,
    LEFT,
    MOST,
    NOT_AGREED,
    SEQUENCE,
    Eyes,
    about_of,
    prepared,
    text_of,
)
from trellis.formula.types import Value
from trellis.model.automation import steps
from trellis.model.automation.email import EmailTemplate

LONGEST = 1000


def _sms(ctx: StepContext, step: steps.Send) -> Outcome:
    eyes, template, agreed = prepared(ctx, step)
    if not agreed:
        return Done(None, in_words([NOT_AGREED]))
    given = step.given.get("to")
    to = list(dict.fromkeys(numbers_of(ctx, given.evaluate(eyes.step)) if given is not None else ()))[:MOST]
    if not to:
        raise StepFailed("There is no number to send to.")
    return _post(ctx, step, "sms", to, _text(step, template, eyes), eyes)


def _chat(ctx: StepContext, step: steps.Send) -> Outcome:
    eyes, template, agreed = prepared(ctx, step)
    if not agreed:
        return Done(None, in_words([NOT_AGREED]))
    given = step.given.get("to")
    room = str(given.evaluate(eyes.step) or "") if given is not None else ""
    return _post(ctx, step, "chat", [room], _text(step, template, eyes), eyes)


def _text(step: steps.Send, template: EmailTemplate | None, eyes: Eyes) -> str:
    text = text_of(step, template, "text", eyes) or text_of(step, template, "body", eyes)
    if not text.strip():
        raise StepFailed("The message is empty.")
    return text.strip()[:LONGEST]


def _post(
    ctx: StepContext, step: steps.Send, channel: optouts.Channel, to: list[str], text: str, eyes: Eyes
) -> Outcome:
    if way_of(ctx.tenant, channel) is None:
        raise StepFailed("No way for {channel} is set up: give `messages:` in tenant.yaml.", channel=channel)
    closed = optouts.suppressed(ctx.connection, ctx.tenant, channel, to)
    sent, left = [], []
    for address in to:
        if closed.get(address) or (channel == "sms" and optouts.wants_none(ctx.store, channel, address)):
            left.append(f"{address}: {LEFT['opted_out']}")
            continue
        place = f"{ctx.run.workflow}:{step.place}:{optouts.hash_of(address)}"
        once = place if ctx.run.workflow.startswith(SEQUENCE) else None
        kind = f"workflow:{ctx.run.workflow}"
        id = uuid7() if kept.is_kept(ctx.tenant.model) else None
        if post(ctx.connection, ctx.tenant, channel, address, text, kind, once, message=id) is None:
            left.append(f"{address}: {LEFT['had']}")
            continue
        sent.append(address)
        if id is not None:
            _keep(ctx, id, channel, address, text, eyes)
    return Done(None, {"to": [one for one in sent if one], "text": text[:120], **({"left": left} if left else {})})


def _keep(ctx: StepContext, id: UUID, channel: str, address: str, text: str, eyes: Eyes) -> None:
    """On the timeline of what the message is about."""
    about = about_of(ctx, eyes)
    values: dict[str, Any] = {"about": about, "text": text, "direction": "out", "state": "waiting", "channel": channel}
    values |= {"number": address, "at": now()}
    if about is not None and about.entity == CONTACT:
        values["contact"] = about
    kept.keep(ctx.store, values, id)


def numbers_of(ctx: StepContext, value: Value) -> Iterator[str]:
    """The telephone numbers of a text, a record or several, as the world dials them."""
    if isinstance(value, str):
        for found in phonenumbers.PhoneNumberMatcher(value, ctx.tenant.profile.region):
            yield phonenumbers.format_number(found.number, phonenumbers.PhoneNumberFormat.E164)
        return
    refs = list(refs_of(value))
    if isinstance(value, (list, tuple)) and not refs:
        for each in value:
            yield from numbers_of(ctx, each)
        return
    for ref in refs:
        record = ctx.graph.follow(ref)
        names = record.definition.fields.values() if record is not None else ()
        numbers = sorted((f.key for f in names if f.type.name == "phone"), key=lambda key: key != "mobile")
        held = next((str(record.get(key)) for key in numbers if record is not None and record.get(key)), "")
        yield from numbers_of(ctx, held) if held else ()


CHANNELS |= {"sms": _sms, "chat": _chat}
