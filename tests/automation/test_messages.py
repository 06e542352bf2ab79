"""Short messages: through a real gateway on loopback, once, with a log."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
from tests.automation.mail.mailbox import loopback
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML

from trellis.automation.mail import optouts
from trellis.automation.messages.adapters import ADAPTERS
from trellis.automation.worker.drain import drain
from trellis.automation.workflows import engine  # noqa: F401 (does the runs)
from trellis.automation.workflows.acting import system_of
from trellis.model.sign_in import MessageWay
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.secrets import secret_name
from trellis.storage.tenant import Tenant

LEAD = """
---
entity: lead
title: name
fields: {name: {type: text, required: true}, mobile: {type: phone}}
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


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_every_gateway_gets_the_text(name: str) -> None:
    way = MessageWay(name, url="https://gateway.example/x", user="acct", sender="ACME")
    call = ADAPTERS[name](way, "hush", "+491711234567", "你好")
    said = call.body.decode()
    assert call.url == "https://gateway.example/x"
    assert "你好" in said or "%E4%BD%A0%E5%A5%BD" in said
