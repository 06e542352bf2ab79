"""Short messages: through a real gateway on loopback, once, with a log."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from tests.automation.mail.mailbox import loopback
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML

from trellis.automation.clock import now
from trellis.automation.mail import optouts
from trellis.automation.messages.adapters import ADAPTERS
from trellis.automation.messages.receiving import RECEIVERS, Arrived, Delivery
from trellis.automation.messages.taking import Channel, take
from trellis.automation.messages.wishes import wish_of
from trellis.automation.worker.drain import drain
from trellis.automation.workflows import engine  # noqa: F401 (does the runs)
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.incoming import NotSigned
from trellis.model.sign_in import MessageWay
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.secrets import secret_name
from trellis.storage.tenant import Tenant

LEAD = """
---
entity: lead
title: name
fields: {name: {type: text, required: true}, mobile: {type: phone}, no_sms: {type: boolean, default: false}}
---
entity: text_message
title: text
fields:
  about:     {type: any_link, to: "*", inverse: messages}
  text:      {type: long_text, required: true}
  direction: {type: choice, choices: [in, out]}
  state:     {type: choice, choices: [waiting, sent, failed, received]}
  number:    {type: text}
rules: {calm: {check: 'not ends_with(text, "!!")', message: Nobody shouts here.}}
---
workflow: hello
on: {record: lead, created: true}
steps:
  - {send: sms, to: =record, text: "Hello {name}"}
  - {send: chat, to: sales, text: "New: {name}"}
"""


@dataclass
class Gateway:
    """What has arrived; `status`: what it answers."""

    port: int = 0
    status: int = 200
    bodies: list[Any] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    found = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            found.headers.append(dict(self.headers))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_given: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with loopback():
        yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def made(catalogue: Catalogue, gateway: Gateway) -> Iterator[Tenant]:
    url = f"http://127.0.0.1:{gateway.port}/"
    sms = f"{{adapter: http, url: '{url}', secret: {{env: SMS}}, from: ACME}}"
    said = f"messages: {{sms: {sms}, chat: {{adapter: slack, url: '{url}'}}}}\n"
    yield catalogue.create("short", layers_of(YAML + LEAD, "short", profile=said), "test")
    catalogue.drop("short")


@pytest.fixture
def tenant(made: Tenant, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenant]:
    monkeypatch.setenv(secret_name("short", "SMS"), "hush")
    gateway.bodies.clear()
    gateway.headers.clear()
    gateway.status = 200
    yield made
    with made.begin() as connection:
        for name in ("text_message", "lead"):
            connection.execute(sa.delete(made.tables.entity[name]))
        connection.execute(sa.delete(made.tables.platform.mail_received))
        connection.execute(sa.delete(made.tables.platform.mail))
        connection.execute(sa.delete(made.tables.platform.suppressed))


def log(tenant: Tenant) -> list[tuple[str, str, str]]:
    table = tenant.tables.platform.mail
    with tenant.begin() as connection:
        rows = connection.execute(sa.select(table.c.channel, table.c.to, table.c.state).order_by(table.c.id))
        return [(row[0], row[1], row[2]) for row in rows]


def greet(tenant: Tenant, number: str = "0171 1234567") -> None:
    Store(tenant, system_of(tenant)).create("lead", {"name": "Ann", "mobile": number})


def test_messages_go_to_the_gateway_and_into_the_log(tenant: Tenant, gateway: Gateway, catalogue: Catalogue) -> None:
    greet(tenant)
    drain(catalogue, tenant)
    assert {"to": "+491711234567", "from": "ACME", "text": "Hello Ann"} in gateway.bodies
    assert {"text": "New: Ann"} in gateway.bodies
    assert "Bearer hush" in [headers.get("Authorization") for headers in gateway.headers]
    assert log(tenant) == [("sms", "+491711234567", "sent"), ("chat", "sales", "sent")]


def test_a_gateway_that_is_busy_is_tried_again_as_the_same_message(
    tenant: Tenant, gateway: Gateway, catalogue: Catalogue
) -> None:
    gateway.status = 503
    greet(tenant)
    drain(catalogue, tenant)
    assert {state for *_rest, state in log(tenant)} == {"waiting"}
    gateway.status = 200
    drain(catalogue, tenant, ahead=timedelta(hours=1))
    assert {state for *_rest, state in log(tenant)} == {"sent"}
    keys = [h["Idempotency-Key"] for h, b in zip(gateway.headers, gateway.bodies, strict=True) if "to" in b]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_who_has_opted_out_gets_none(tenant: Tenant, gateway: Gateway, catalogue: Catalogue) -> None:
    with tenant.begin() as connection:
        optouts.suppress(connection, tenant, "sms", "+491711234567", "opted_out")
    greet(tenant)
    drain(catalogue, tenant)
    assert [channel for channel, *_rest in log(tenant)] == ["chat"]


def test_never_to_the_inside(
    tenant: Tenant, gateway: Gateway, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRELLIS_OUTGOING_ALLOW")
    greet(tenant)
    drain(catalogue, tenant)
    assert gateway.bodies == []
    assert {state for *_rest, state in log(tenant)} == {"failed"}


def said(store: Store, text: str, sender: str = "+49 171 1234567", channel: Channel = "sms") -> str | None:
    with store.transaction() as connection:
        return take(store, connection, channel, Arrived(str(next(_ids)), sender, text))


_ids = count()


def test_an_answer_stands_with_what_the_message_was_about(
    tenant: Tenant, gateway: Gateway, catalogue: Catalogue
) -> None:
    store = Store(tenant, system_of(tenant))
    first = store.create("lead", {"name": "Ann", "mobile": "0171 1234567"})
    drain(catalogue, tenant)
    store.create("lead", {"name": "Ann again", "mobile": "0171 1234567"})  # whose message has not gone out yet
    assert said(store, "Yes, please") == "reply"
    rows = store.list("text_message", columns=["about", "direction", "state", "number"]).rows
    told = {(row["direction"], row["state"]): row for row in rows if row["number"].startswith("+")}
    assert told["out", "sent"]["about"].id == first.id
    assert told["in", "received"]["about"].id == first.id
    assert said(store, "Who are you?", sender="+49 171 7654321") == "nobody"
    with store.transaction() as connection:
        assert take(store, connection, "sms", Arrived("0", "+49 171 1234567", "Again")) is None


def test_stop_is_heeded_and_start_is_too(tenant: Tenant, gateway: Gateway, catalogue: Catalogue) -> None:
    store = Store(tenant, system_of(tenant))
    ann = store.create("lead", {"name": "Ann", "mobile": "0171 1234567"})
    assert said(store, " Stop. ") == "stop"
    assert store.read("lead", ann.id)["no_sms"] is True
    drain(catalogue, tenant)
    assert "+491711234567" not in [to for _channel, to, _state in log(tenant)]
    told = tenant.tables.platform.run_step
    with tenant.begin() as connection:
        details = connection.execute(sa.select(told.c.detail)).scalars().all()
    assert any("opted out" in str(detail) for detail in details)
    assert said(store, "START") == "start"
    assert store.read("lead", ann.id)["no_sms"] is False
    greet(tenant)
    drain(catalogue, tenant)
    assert "+491711234567" in [to for _channel, to, _state in log(tenant)]


def test_stop_is_heeded_though_the_message_cannot_be_kept(tenant: Tenant, gateway: Gateway) -> None:
    store, number = Store(tenant, system_of(tenant)), "+49 171 7654321"
    lead = store.create("lead", {"name": "Eve", "mobile": number})
    assert (said(store, "Hello!!", number), said(store, "STOP!!", number)) == ("failed", "stop")
    with tenant.begin() as connection:
        assert optouts.suppressed(connection, tenant, "sms", ["+491717654321"])
    assert store.read("lead", lead.id)["no_sms"] is True
    assert not [row for row in store.list("text_message", columns=["text"]).rows if row["text"].endswith("!!")]


def test_what_a_person_has_entered_counts_like_an_answer(
    tenant: Tenant, gateway: Gateway, catalogue: Catalogue
) -> None:
    Store(tenant, system_of(tenant)).create("lead", {"name": "Ann", "mobile": "0171 1234567", "no_sms": True})
    drain(catalogue, tenant)
    assert [channel for channel, *_rest in log(tenant)] == ["chat"]


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        *((word, "stop") for word in ("STOP", "stop.", "Arrêt", "ARRET", "退订", "退订。", "TD", "t", "Stop all")),
        *((word, "start") for word in ("START", "unstop", "恢复订阅")),
        *((word, "") for word in ("Please stop by at noon", "Start at nine?", "T-shirt", "", "不退订")),
    ],
)
def test_only_a_whole_message_is_a_wish(text: str, wish: str) -> None:
    assert wish_of(text) == wish


def test_every_gateway_signs_in_its_way() -> None:
    at = str(int(now().timestamp()))
    slack = b'{"event_id": "e1", "event": {"type": "message", "user": "U1", "text": "T-0001: done"}}'
    sign = "v0=" + hmac.new(b"hush", f"v0:{at}:".encode() + slack, hashlib.sha256).hexdigest()
    heads = {"x-slack-request-timestamp": at, "x-slack-signature": sign}
    assert RECEIVERS["slack"](Delivery("", heads, slack), "hush").text == "T-0001: done"
    form, url = b"From=%2B491711234567&Body=Stop&MessageSid=SM1", "https://crm.example/messages/sms"
    signed = f"{url}BodyStopFrom+491711234567MessageSidSM1".encode()
    mark = base64.b64encode(hmac.new(b"hush", signed, hashlib.sha1).digest()).decode()
    arrived = RECEIVERS["twilio"](Delivery(url, {"x-twilio-signature": mark}, form), "hush")
    assert (arrived.id, arrived.sender, arrived.text) == ("SM1", "+491711234567", "Stop")
    moment = f"{at}000"
    own = base64.b64encode(hmac.new(b"hush", f"{moment}\nhush".encode(), hashlib.sha256).digest()).decode()
    ding = Delivery("", {"timestamp": moment, "sign": own}, b'{"msgId": "m", "text": {"content": "hi"}}')
    assert RECEIVERS["dingtalk"](ding, "hush").text == "hi"
    for name in RECEIVERS:  # what is not signed with the secret says nothing
        for heads_of in (heads, {"x-twilio-signature": mark}, {"timestamp": moment, "sign": own}, {}):
            with pytest.raises(NotSigned):
                RECEIVERS[name](Delivery(url, heads_of, form if name == "twilio" else slack), "another")


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_every_gateway_gets_the_text(name: str) -> None:
    way = MessageWay(name, url="https://gateway.example/x", user="acct", sender="ACME")
    call = ADAPTERS[name](way, "hush", "+491711234567", "你好")
    said = call.body.decode()
    assert call.url == "https://gateway.example/x"
    assert "你好" in said or "%E4%BD%A0%E5%A5%BD" in said
