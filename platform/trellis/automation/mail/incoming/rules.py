"""Which workflows a message sets off, and the record that one makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trellis.automation.mail.incoming.parsing import Received
from trellis.automation.workflows.values import evaluated
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.automation.triggers import OnMail
from trellis.model.automation.workflow import Workflow
from trellis.records.graph import StoreGraph

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.records.store import Store

TEXTS = ("description", "text", "need", "body")  # fields that what was written goes into


@dataclass(frozen=True)
class Rule:
    """A workflow that waits for mail."""

    workflow: Workflow
    trigger: OnMail


def rules_for(model: Model, account: str, received: Received) -> list[Rule]:
    """The active workflows that wait for a message: by the account that it came in by, or its address."""
    addresses = {a.lower() for a in (*received.to, *received.cc)}
    names = {account.lower() or "default", *addresses, *(a.partition("@")[0].partition("+")[0] for a in addresses)}
    return [
        Rule(workflow, trigger)
        for workflow in model.workflows.values()
        for trigger in workflow.triggers
        if workflow.active and isinstance(trigger, OnMail) and trigger.to.lower() in names
    ]


def made_by(store: Store, rule: Rule, received: Received, said: Mapping[str, Any], who: Ref | None) -> Ref | None:
    """The record that a workflow makes of a message; None when it makes none. Raises Refused."""
    entity = rule.trigger.entity
    if entity is None:
        return None
    env = Env(None, store.session.reader, StoreGraph(store.session), variables={"message": dict(said)})
    given = evaluated(store.session, entity, rule.trigger.values, env)
    values = {**_usual(store.tenant.model, entity, received, said, who), **given}
    return store.create(entity, values, means="mail").ref


def _usual(model: Model, entity: str, received: Received, said: Mapping[str, Any], who: Ref | None) -> dict[str, Any]:
    """What goes without saying: subject, text and sender, in the fields that are called so."""
    fields = model.entities[entity].fields
    found: dict[str, Any] = {"subject": received.subject or "–", "email": received.sender, "name": said["name"]}
    text = next((name for name in TEXTS if name in fields and fields[name].type.name == "long_text"), None)
    if text is not None:
        found[text] = received.text
    if who is not None:
        found |= {who.entity: who, "account": said["account"]}
    if "channel" in fields and fields["channel"].type.name == "choice":
        found["channel"] = "email"
    fitting = {}
    for name, value in found.items():
        field = fields.get(name)
        if field is None or not field.is_writable or value in (None, ""):
            continue
        if isinstance(value, Ref):
            if value.entity not in field.type.formula_type().entities:
                continue
        elif name == "channel":
            if value not in {choice.key for choice in getattr(field.type, "options", tuple)()}:
                continue
        elif field.type.formula_type().kind not in ("text", "any") and field.type.name not in ("name", "email"):
            continue
        longest = getattr(field.type, "max_length", None)
        fitting[name] = value[:longest] if isinstance(value, str) and longest else value
    return fitting
