"""Letters from a record's page, sequences by hand, and the link that opts out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from standardwebhooks.webhooks import Webhook
from tests.automation.mail.mailbox import Mailbox
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person, app_of, outcome, signed_in_client, token_of

from trellis.automation.clock import moved, now
from trellis.automation.mail import optouts
from trellis.automation.worker.drain import drain
from trellis.automation.workflows import engine  # noqa: F401 (does the runs)
from trellis.automation.workflows.acting import system_of
from trellis.model import sealing
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.secrets import secret_name
from trellis.storage.tenant import Tenant

DESK = """
---
entity: contact
title: name
fields:
  name:     {type: text, required: true}
  email:    {type: email}
  no_email: {type: boolean, default: false}
  papers:   {type: file, multiple: true}
---
entity: email_message
title: subject
fields:
  subject:   {type: text, required: true}
  about:     {type: any_link, to: "*", inverse: emails}
  direction: {type: choice, choices: [in, out]}
  state:     {type: choice, choices: [waiting, sent, failed, bounced, received]}
  sender:    {type: text}
  recipients: {type: text}
  text:      {type: long_text}
  message_id: {type: text}
  in_reply_to: {type: text}
  opens:     {type: integer, readonly: true}
  owner:     {type: user, role: owner}
---
email: offer
entity: contact
subject: "An offer for {name}"
body: "Dear {name}, [buy](https://shop.example/x?y=1) now."
unsubscribe: true
track: true
---
sequence: steps
entity: contact
label: Step by step
steps:
  - {send: email, template: offer, to: =email}
  - wait: 2 days
---
role: writer
label: Writer
grants: {contact: {read: all, update: own}, email_message: {read: all, create: true}, user: {read: all}}
"""


GATEWAY = "messages: {sms: {adapter: http, url: 'https://sms.example/', incoming: {secret: {env: SMS_IN}}}}\n"


@pytest.fixture(scope="module", autouse=True)
def key() -> Iterator[None]:
    before = list(sealing._keys)
    sealing.use_keys(Fernet.generate_key())
    yield
    sealing._keys[:] = before


@pytest.fixture(scope="module")
def made(catalogue: Catalogue, smtp: Mailbox) -> Iterator[Tenant]:
    made = catalogue.create("letters", layers_of(YAML + DESK, "letters", profile=smtp.profile + GATEWAY), "test")
    add_person(made, "ada@x.example", "admin", name="Ada")
    add_person(made, "wim@x.example", "writer")
    yield made
    catalogue.drop("letters")


@pytest.fixture(scope="module")
def app(made: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(made, tmp_path_factory.mktemp("letters"))


@pytest.fixture(scope="module")
def ada(app: Flask) -> FlaskClient:
    return signed_in_client(app, "ada@x.example")


@pytest.fixture
def tenant(made: Tenant, smtp: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenant]:
    smtp.letters.clear()
    monkeypatch.setattr("trellis.automation.mail.places._where", [lambda slug: f"https://crm.example/t/{slug}"])
    yield made
    platform = made.tables.platform
    with made.begin() as connection:
        for table in (made.tables.entity["email_message"], made.tables.entity["contact"], platform.suppressed):
            connection.execute(sa.delete(table))
        for table in (platform.mail, platform.run):
            connection.execute(sa.delete(table))


@pytest.fixture
def ann(tenant: Tenant) -> Any:
    return Store(tenant, system_of(tenant)).create("contact", {"name": "Ann", "email": "ann@x.example"})


def post(client: FlaskClient, address: str, **form: Any) -> Any:
    token = token_of(client.get("/notices").text)
    return client.post(address, data={"csrf_token": token, **form}, headers={"HX-Request": "true"})


def letters(tenant: Tenant) -> list[Any]:
    with tenant.begin() as connection:
        return list(connection.execute(sa.select(tenant.tables.entity["email_message"])).all())


def test_a_letter_is_sent_in_ones_name_and_kept(
    tenant: Tenant, ada: FlaskClient, ann: Any, catalogue: Catalogue, smtp: Mailbox
) -> None:
    address = f"/e/contact/{ann.id}/mail"
    assert 'value="ann@x.example"' in ada.get(address).text
    answer = post(ada, address, to="Ann <ann@x.example>", subject="Hello", body="Dear *Ann*")
    assert answer.headers["HX-Redirect"].endswith(str(ann.id))
    drain(catalogue, tenant)
    (sent,), (kept,) = smtp.letters, letters(tenant)
    assert (sent["From"], sent["Reply-To"], sent["Auto-Submitted"]) == (
        "Ada <crm@acme.example>",
        "help@acme.example",
        None,
    )
    assert (kept.about, kept.state, kept.message_id) == (ann.id, "sent", sent["Message-ID"])
    again = ada.get(f"{address}?reply={kept.id}").text
    assert 'value="Re: Hello"' in again
    post(ada, address, to="ann@x.example", subject="Re: Hello", body="And", reply=str(kept.id))
    drain(catalogue, tenant)
    assert smtp.letters[-1]["In-Reply-To"] == sent["Message-ID"]


def test_what_is_wrong_is_said_and_kept(tenant: Tenant, ada: FlaskClient, ann: Any) -> None:
    page = post(ada, f"/e/contact/{ann.id}/mail", to="nobody", subject="", body="Words that stay")
    assert outcome(page) == 422
    assert all(f'id="letter-{name}-e"' in page.text for name in ("to", "subject"))
    assert "Words that stay" in page.text
    assert letters(tenant) == []


def test_a_template_is_filled_in(tenant: Tenant, ada: FlaskClient, ann: Any) -> None:
    page = post(ada, f"/e/contact/{ann.id}/mail", template="offer", to="ann@x.example", _draw="1")
    assert "An offer for Ann" in page.text


@pytest.mark.parametrize(
    ("reason", "template", "status"),
    [("bounced", "", 422), ("opted_out", "offer", 422), ("opted_out", "", 200)],
)
def test_who_gets_no_letters(
    tenant: Tenant, ada: FlaskClient, ann: Any, reason: Any, template: str, status: int
) -> None:
    with tenant.begin() as connection:
        optouts.suppress(connection, tenant, "email", "ann@x.example", reason)
    form = {"to": "ann@x.example", "subject": "S", "body": "B", "template": template}
    assert outcome(post(ada, f"/e/contact/{ann.id}/mail", **form)) == status


def test_who_wants_no_mail_is_not_written_to(tenant: Tenant, ada: FlaskClient, ann: Any) -> None:
    Store(tenant, system_of(tenant)).update("contact", ann.id, {"no_email": True})
    form = {"to": "ann@x.example", "subject": "S", "body": "B"}
    assert outcome(post(ada, f"/e/contact/{ann.id}/mail", **form)) == 422


def test_one_click_opts_out_and_another_comes_back(
    tenant: Tenant, ada: FlaskClient, ann: Any, app: Flask, catalogue: Catalogue, smtp: Mailbox
) -> None:
    form = {"to": "ann@x.example", "subject": "S", "body": "B", "template": "offer"}
    post(ada, f"/e/contact/{ann.id}/mail", **form)
    drain(catalogue, tenant)
    (sent,) = smtp.letters
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    found = re.search(r"<https://crm.example/t/letters(/unsubscribe/[^>]+)>", sent["List-Unsubscribe"])
    assert found
    nobody, store = app.test_client(), Store(tenant, system_of(tenant))
    assert nobody.get(found[1]).status_code == 200
    assert store.read("contact", ann.id)["no_email"] is False
    assert nobody.post(found[1], data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert store.read("contact", ann.id)["no_email"] is True
    nobody.post(found[1], data={"back": "1"})
    with tenant.begin() as connection:
        assert optouts.suppressed(connection, tenant, "email", ["ann@x.example"]) == {}
    assert store.read("contact", ann.id)["no_email"] is False
    assert nobody.get("/unsubscribe/forged").status_code == 410


def test_reading_a_letter_is_noted_and_its_links_lead_on(
    tenant: Tenant, ada: FlaskClient, ann: Any, app: Flask, catalogue: Catalogue, smtp: Mailbox
) -> None:
    post(
        ada,
        f"/e/contact/{ann.id}/mail",
        to="ann@x.example",
        subject="S",
        body="[B](https://b.example)",
        template="offer",
    )
    drain(catalogue, tenant)
    html = smtp.letters[0].get_body(("html",)).get_content()  # type: ignore[union-attr]
    picture, link = re.findall(r"https://crm\.example/t/letters(/m/[0-9a-f]+(?:\.gif|/0))", html)[::-1]
    nobody = app.test_client()
    with moved(timedelta(minutes=1)):
        seen = nobody.get(picture, headers={"User-Agent": "Mozilla/5.0 (X11) Thunderbird/128.0"})
        assert (seen.status_code, seen.mimetype, seen.headers["Cross-Origin-Resource-Policy"]) == (
            200,
            "image/gif",
            "cross-origin",
        )
        nobody.get(picture, headers={"User-Agent": "Mozilla/5.0 (X11) Thunderbird/128.0", "DNT": "1"})
        assert nobody.get(link, headers={"User-Agent": "curl/8"}).location == "https://b.example"
    assert nobody.get(f"{link}?to=https://evil.example").location == "https://b.example"
    assert nobody.get(f"{link[:-1]}7").status_code == 410
    assert nobody.get(f"/m/{'0' * 32}.gif").status_code == 200  # tells nobody which letters there are
    page = ada.get(f"/e/contact/{ann.id}/timeline").text
    assert "Opened" in page
    assert "Link followed" not in page
    assert letters(tenant)[0].opens == 1


def test_a_gateway_has_to_sign_what_it_delivers(tenant: Tenant, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, body, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"from": "+491711234567", "text": "STOP"}', now()
    monkeypatch.setenv(secret_name("letters", "SMS_IN"), secret)
    nobody = app.test_client()
    heads = {"webhook-id": "m1", "webhook-timestamp": str(int(at.timestamp()))}
    assert nobody.post("/messages/sms", data=body, headers=heads).status_code == 401
    assert nobody.post("/messages/chat", data=body).status_code == 404
    heads["webhook-signature"] = Webhook(secret).sign("m1", at, body)
    assert nobody.post("/messages/sms", data=body, headers=heads).status_code == 200
    with tenant.begin() as connection:
        assert optouts.suppressed(connection, tenant, "sms", ["+491711234567"])


def test_sequences_by_hand_for_who_may_change_the_record(
    tenant: Tenant, ada: FlaskClient, ann: Any, app: Flask, catalogue: Catalogue
) -> None:
    address = f"/e/contact/{ann.id}/sequences"
    assert "Step by step" in ada.get(address).text
    assert outcome(post(ada, address, do="enrol", sequence="sequence:steps")) == 200
    drain(catalogue, tenant)
    assert "1 steps done" in ada.get(address).text
    assert outcome(post(ada, address, do="enrol", sequence="sequence:steps")) == 422
    assert "1 done, 0 left out" in ada.get("/admin/workflows/sequence:steps").text
    assert outcome(post(ada, address, do="leave", sequence="sequence:steps")) == 200
    assert outcome(post(ada, address, do="enrol", sequence="none")) == 400
    writer = signed_in_client(app, "wim@x.example")
    assert outcome(post(writer, address, do="enrol", sequence="sequence:steps")) in (403, 404)
