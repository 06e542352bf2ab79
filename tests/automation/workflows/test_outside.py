"""Steps that reach outside: mail over a real server, requests to a real receiver."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.api.webhooks.receiver import Receiver
from tests.automation.mail.mailbox import Mailbox, mail_server
from tests.automation.workflows.test_runs import at, lines, runs, work

import trellis.automation.workflows.engine  # noqa: F401 (takes part in saves and in the queue)
from trellis.storage.catalogue import Catalogue
from trellis.storage.secrets import secret_name

YAML = """
entity: contact
title: name
fields:
  name: {type: text, required: true}
  email: {type: email}
  consent: {type: boolean}
  status: {type: text}
  amount: {type: money}
---
email: welcome
entity: contact
subject: Welcome, {name}
consent: consent
body: |
  Dear **{name}**,

  [come in](https://crm.example)
---
workflow: greet
on: {record: contact, created: true}
when: name != "Hook"
steps:
  - send: email
    template: welcome
    to: =record
    as: sent
---
workflow: hook
on: {record: contact, created: true}
when: name == "Hook"
steps:
  - request: {url: "{status}", body: {id: =id, amount: =amount, tags: [a, =name]}, sign: true, secret: erp}
    as: answer
    on_error: continue
  - set: {status: "{answer.status}"}
"""


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("TRELLIS_OUTGOING_ALLOW", "127.0.0.1")
    made = Receiver(status=201)
    made.start()
    yield made
    made.close()


def test_mail_goes_to_those_who_agree(make_tenant: Any, catalogue: Catalogue, mailbox: Mailbox) -> None:
    tenant = make_tenant(YAML, profile=mailbox.profile)
    store = at(tenant)
    store.create("contact", {"name": "Ann <b>", "email": "ann@x.example", "consent": True})
    store.create("contact", {"name": "No", "email": "no@x.example"})
    work(catalogue, tenant)
    [letter] = mailbox.letters
    assert mailbox.recipients == ["ann@x.example"]
    assert letter["Subject"] == "Welcome, Ann <b>"
    html, text = letter.get_body(("html",)), letter.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert "<strong>Ann &lt;b&gt;</strong>" in html.get_content()
    assert "Dear **Ann <b>**" in text.get_content()
    assert [run.state for run in runs(tenant)] == ["done", "done"]


def test_without_a_mail_server_the_run_fails_and_says_so(make_tenant: Any, catalogue: Catalogue) -> None:
    tenant = make_tenant(YAML)
    at(tenant).create("contact", {"name": "Ann", "email": "ann@x.example", "consent": True})
    work(catalogue, tenant)
    assert "mail server" in runs(tenant)[0].error["text"]


def test_a_request_brings_its_answer_and_is_signed(
    make_tenant: Any, catalogue: Catalogue, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant(YAML)
    monkeypatch.setenv(secret_name(tenant.slug, "erp"), "s3cret")
    contact = at(tenant).create("contact", {"name": "Hook", "status": receiver.url})
    work(catalogue, tenant)
    [heard] = receiver.heard
    assert heard.event == {"id": str(contact.id), "amount": None, "tags": ["a", "Hook"]}
    assert heard.headers["webhook-signature"].startswith("v1,")
    assert "idempotency-key" in heard.headers
    assert at(tenant).read("contact", contact.id)["status"] == "201"


def test_a_request_is_tried_again_and_then_fails(
    make_tenant: Any, catalogue: Catalogue, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant(YAML)
    monkeypatch.setenv(secret_name(tenant.slug, "erp"), "s3cret")
    receiver.status = 503
    at(tenant).create("contact", {"name": "Hook", "status": receiver.url})
    for minutes in (0, 5, 10, 15, 20):
        work(catalogue, tenant, timedelta(minutes=minutes))
    assert len({heard.headers["idempotency-key"] for heard in receiver.heard}) == 1
    assert len(receiver.heard) == 4
    assert ("0", "request", "failed") in lines(tenant)


def test_a_request_to_the_inside_is_refused(
    make_tenant: Any, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = make_tenant(YAML)
    monkeypatch.delenv("TRELLIS_OUTGOING_ALLOW", raising=False)
    monkeypatch.setenv(secret_name(tenant.slug, "erp"), "s3cret")
    at(tenant).create("contact", {"name": "Hook", "status": "http://169.254.169.254/latest"})
    work(catalogue, tenant)
    assert ("0", "request", "failed") in lines(tenant)
