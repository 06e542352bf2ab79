"""The official SDK's client talks to `/mcp` over real HTTP, by the revision of today and by those with a handshake."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx2
import pytest
import sqlalchemy as sa
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.api.conftest import Office
from werkzeug.serving import make_server

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store


@pytest.fixture(scope="module")
def address(office: Office) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mcp"
    server.shutdown()
    thread.join(5)


def ask(address: str, key: str, mode: str, *calls: tuple[str, dict[str, Any]]) -> list[Any]:
    """What an assistant gets for some calls of tools; first the names of the tools that it is offered."""

    async def talk() -> list[Any]:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
            Client(streamable_http_client(address, http_client=http), mode=mode) as client,
        ):
            found: list[Any] = [sorted(t.name for t in (await client.list_tools()).tools)]
            for name, arguments in calls:
                answer = await client.call_tool(name, arguments)
                text = answer.content[0].text
                found.append(text if answer.is_error else answer.structured_content)
                assert answer.is_error or json.loads(text) == answer.structured_content
            return found

    # in a thread of its own: a browser of another test may have a loop in this one
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(anyio.run, talk).result()


@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
def test_an_assistant_learns_reads_and_writes(office: Office, address: str, mode: str) -> None:
    name = f"Acme {mode}"
    tools, entities, about, made, found, listed = ask(
        address,
        office.key(),
        mode,
        ("list_entities", {}),
        ("describe_entity", {"entity": "order"}),
        ("create_record", {"entity": "account", "values": {"name": name}}),
        ("search", {"query": name}),
        ("list_records", {"entity": "account", "filter": f'name == "{name}"', "count": True}),
    )
    assert {"list_entities", "read_record", "create_record", "move_stage"} <= set(tools)
    assert "order" in [e["key"] for e in entities["entities"]]
    assert [s["key"] for s in about["pipelines"][0]["stages"]] == ["draft", "placed", "done", "off"]
    assert found["found"][0]["title"] == name
    assert found["found"][0]["url"].endswith(f"/e/account/{made['id']}")
    assert (listed["records"][0]["id"], listed["count"]) == (made["id"], {"n": 1, "capped": False})
    history = Store(office.tenant, Principal.system(Reader())).history("account", made["id"])
    assert (history[0].means, history[0].by_name) == ("assistant", "Mona Manager")
    audit = office.tenant.tables.platform.audit
    with office.tenant.begin() as connection:
        entry = connection.execute(
            sa.select(audit).where(audit.c.kind == "assistant.wrote").order_by(audit.c.id.desc())
        )
        row = entry.first()
    assert row is not None
    assert (row.entity, str(row.record), row.means, row.by) == ("account", made["id"], "assistant", office.mona)
    assert json.loads(row.details)["tool"] == "create_record"
