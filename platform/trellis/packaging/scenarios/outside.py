"""What reaches a scenario from outside: webhooks, letters, public forms."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from uuid_utils.compat import uuid7

from trellis.automation.clock import now
from trellis.automation.forms.entries import SOURCES, Sent, confirm
from trellis.automation.forms.entries import take as take_form
from trellis.automation.forms.form import forms_of
from trellis.automation.forms.form import read as read_form
from trellis.automation.mail.incoming.parsing import understood
from trellis.automation.mail.incoming.taking import take as take_letter
from trellis.automation.messages.receiving import Arrived
from trellis.automation.messages.taking import take as take_message
from trellis.automation.workflows import incoming
from trellis.automation.workflows.acting import system_of
from trellis.formula.types import Ref, Value
from trellis.packaging.provision import system_store
from trellis.packaging.scenarios.acting import act, values_of
from trellis.packaging.scenarios.findings import Failed, Finding
from trellis.packaging.scenarios.numbers import number_in
from trellis.records.refusal import Refused
from trellis.records.store import Store

if TYPE_CHECKING:
    from trellis.model.scenario import Action
    from trellis.packaging.scenarios.play import Play


@act("receive")
def _receive(play: Play, action: Action) -> Value:
    given = values_of(play, action, None)
    for word, receive in RECEIVES.items():
        if word in given:
            return receive(play, action, given)
    raise Failed(Finding(action.mark, "nothing is received", f"one of {', '.join(RECEIVES)}", ", ".join(given)))


Receive = Callable[["Play", "Action", dict[str, Any]], Value]
RECEIVES: dict[str, Receive] = {}


def receives(word: str) -> Callable[[Receive], Receive]:
    """Register how something comes from outside."""

    def register(done: Receive) -> Receive:
        RECEIVES[word] = done
        return done

    return register


@receives("webhook")
def _webhook(play: Play, action: Action, given: dict[str, Any]) -> Value:
    key = str(given["webhook"])
    if not incoming.hooks(play.tenant.model, key):
        raise Failed(Finding(action.mark, f"no workflow listens to the webhook {key}"))
    id = str(given.get("id") or uuid7())
    with play.tenant.begin() as connection:
        incoming.receive(connection, play.tenant, key, id, given.get("payload", {}))
    return None


@receives("email")
def _email(play: Play, action: Action, given: dict[str, Any]) -> Value:
    """A letter comes in; `answers: true` lets it answer the last one that went to its sender."""
    sender, to = str(given.get("from") or "somebody@scenario.invalid"), str(given["email"])
    message = EmailMessage()
    message["From"], message["Subject"] = sender, str(given.get("subject") or "")
    message["To"] = to if "@" in to else f"{to}@scenario.invalid"
    message["Date"], message["Message-ID"] = now(), f"<{uuid7()}@scenario.invalid>"
    last = next((one for one in reversed(play.letters) if one.to.lower() == sender.lower()), None)
    if given.get("answers") is True:
        if last is None:
            raise Failed(Finding(action.mark, "there is no letter to answer", f"one to {sender}", "none"))
        message["In-Reply-To"] = last.message_id
    message.set_content(str(given.get("text") or ""))
    store = Store(play.tenant, system_of(play.tenant))
    with store.transaction() as connection:
        take_letter(store, connection, "" if "@" in to else to, understood(message.as_bytes()))
    return None


@receives("sms")
def _sms(play: Play, action: Action, given: dict[str, Any]) -> Value:
    """A text message comes in: {sms: the number that it comes from, text: …}."""
    with play.reading() as (system, _env):
        number = number_in(system, given["sms"])
    store = Store(play.tenant, system_of(play.tenant))
    with store.transaction() as connection:
        take_message(store, connection, "sms", Arrived(str(uuid7()), number, str(given.get("text") or "")))
    return None


@act("submit")
def _submit(play: Play, action: Action) -> Value:
    """Send a public form in, as a stranger does; where it asks for a confirmation, that comes too."""
    forms = forms_of(play.tenant.model)
    form = forms.get(action.word) or next((f for f in forms.values() if f.workflow.key == action.word), None)
    if form is None:
        raise Failed(Finding(action.mark, f"there is no form {action.word}", ", ".join(forms), "none"))
    secrets: list[str] = []

    def link_of(secret: str) -> str:
        secrets.append(secret)
        return f"https://scenario.invalid/{secret}"

    raw = {key: value for key, value in values_of(play, action, None).items() if value is not None}
    values, wrong = read_form(form, raw, system_store(play.tenant).session.reader)
    if wrong:
        raise Refused(wrong)
    came = {name: raw[name] for name in SOURCES if name in raw and name not in form.trigger.fields}
    source = {name: str(value.id) if isinstance(value, Ref) else str(value) for name, value in came.items()}
    take_form(play.tenant, form, Sent(uuid7(), values, play.tenant.profile.language, source=source), link_of)
    for secret in secrets:
        confirm(play.tenant, forms, secret)
    return None
