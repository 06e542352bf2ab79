"""A workflow makes a paper, keeps it with the record, and sends it along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.automation.mail.mailbox import Mailbox, mail_server

import trellis.automation.workflows.engine  # noqa: F401 (takes part in saves and in the queue)
from trellis.automation.worker import drain
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store

YAML = """
entity: offer
title: number
fields:
  number: {type: text, required: true}
  papers: {type: file, multiple: true}
---
document: offer-pdf
entity: offer
name: "Offer {{ number }}"
body: "# Offer {{ number }}"
---
workflow: send-offer
on: {record: offer, created: true}
steps:
  - document: offer-pdf
    as: pdf
  - send: email
    to: ann@x.example
    subject: "Your offer {number}"
    body: Here it is.
    attach: [=pdf]
"""


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    monkeypatch.setenv("TRELLIS_OUTGOING_ALLOW", "127.0.0.1")
    with mail_server() as mailbox:
        yield mailbox


def test_a_paper_is_kept_and_goes_along_with_a_letter(make_tenant: Any, catalogue: Any, mailbox: Mailbox) -> None:
    tenant = make_tenant(YAML, profile=mailbox.profile)
    store = Store(tenant, Principal.system(Reader()))
    id = store.create("offer", {"number": "A-7"}).id
    drain(catalogue)
    [held] = store.read("offer", id, fields=["papers"])["papers"]
    assert held["name"] == "Offer A-7.pdf"
    [letter] = mailbox.letters
    [attached] = letter.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("Offer A-7.pdf", "application/pdf")
    assert attached.get_content().startswith(b"%PDF")
    assert len(attached.get_content()) == held["size"]
