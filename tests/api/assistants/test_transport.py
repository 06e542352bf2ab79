"""The transport: who is let in, and what is no message of the protocol."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.api.conftest import Office

from trellis.api.assistants.protocol import CAPABILITIES_KEY, VERSION_KEY

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
NOW = "2026-07-28"


def post(office: Office, body: Any = PING, *, key: str | None = "", **headers: str) -> Any:
    given = {"Accept": "application/json, text/event-stream"} | {k.replace("_", "-"): v for k, v in headers.items()}
    if key is not None:
        given["Authorization"] = f"Bearer {key or office.key()}"
    how = {"data": body, "content_type": "application/json"} if isinstance(body, (str, bytes)) else {"json": body}
    return office.app.test_client().post("/mcp", headers=given, **how)


def modern(method: str, **params: Any) -> dict[str, Any]:
    meta = {VERSION_KEY: NOW, CAPABILITIES_KEY: {}}
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}


def test_a_key_is_asked_for_and_a_session_is_worth_nothing(office: Office) -> None:
    nobody = post(office, key=None)
    assert (nobody.status_code, nobody.headers["WWW-Authenticate"]) == (401, 'Bearer realm="trellis"')
    assert post(office, key="trellis_wrong").status_code == 401
    assert post(office).json == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert "RateLimit" in post(office).headers


def test_who_may_not_use_the_api_is_told_so(office: Office) -> None:
    from tests.web.frame_tenants import add_person

    outsider = add_person(office.tenant, "no-assistant@office.example", "outsider")
    assert post(office, key=office.key(outsider)).status_code == 403


def test_pages_of_other_sites_are_not_answered(office: Office) -> None:
    assert post(office, Origin="https://evil.example").status_code == 403
    assert post(office, Origin="null").status_code == 403
    assert post(office, Origin="http://localhost").status_code == 200


def test_there_is_no_stream_and_no_session(office: Office) -> None:
    headers = {"Authorization": f"Bearer {office.key()}"}
    for method in ("get", "delete"):
        answer = getattr(office.app.test_client(), method)("/mcp", headers=headers)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    begun = post(office, {**PING, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}})
    assert begun.json["result"]["protocolVersion"] == "2025-06-18"
    assert "Mcp-Session-Id" not in begun.headers
    unknown = post(office, {**PING, "method": "initialize", "params": {"protocolVersion": "1999-01-01"}})
    assert unknown.json["result"]["protocolVersion"] == "2025-11-25"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, -32700),
        ("[]", 400, -32600),
        ("5", 400, -32600),
        ({"id": 1, "method": "ping"}, 400, -32600),
        ({**PING, "id": None}, 400, -32600),
        ({**PING, "id": True}, 400, -32600),
        ({**PING, "method": 5}, 400, -32600),
        ({**PING, "params": []}, 400, -32602),
        ({**PING, "method": "no/such"}, 200, -32601),
        ({**PING, "method": "tools/call", "params": {"name": 5}}, 200, -32602),
        ({**PING, "method": "tools/call", "params": {"name": "drop_everything"}}, 200, -32602),
        ({**PING, "method": "server/discover"}, 200, -32601),
    ],
)
def test_what_is_no_message_is_told_by_its_code(office: Office, body: Any, status: int, code: int) -> None:
    answer = post(office, body)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)


def test_what_is_only_told_is_taken(office: Office) -> None:
    answer = post(office, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (answer.status_code, answer.data) == (202, b"")


def test_several_messages_at_once_belong_to_one_revision(office: Office) -> None:
    several = [PING, {"jsonrpc": "2.0", "method": "notifications/initialized"}, {**PING, "id": "b"}]
    assert [a["id"] for a in post(office, several, MCP_Protocol_Version="2025-03-26").json] == [1, "b"]
    assert post(office, several, MCP_Protocol_Version="2025-11-25").json["error"]["code"] == -32600


def test_what_is_sent_and_wanted_is_json(office: Office) -> None:
    headers = {"Authorization": f"Bearer {office.key()}"}
    client = office.app.test_client()
    assert client.post("/mcp", data="x", headers=headers, content_type="text/plain").status_code == 415
    assert post(office, Accept="text/html").status_code == 406


def test_todays_revision_says_in_headers_what_it_says_in_the_body(office: Office) -> None:
    listing = {"MCP_Protocol_Version": NOW, "Mcp_Method": "tools/list"}
    good = post(office, modern("tools/list"), **listing)
    assert good.json["result"]["resultType"] == "complete"
    assert post(office, modern("tools/call", name="x"), **listing).json["error"]["code"] == -32020
    no_envelope = post(office, {**PING, "method": "tools/list"}, **listing)
    assert (no_envelope.status_code, no_envelope.json["error"]["code"]) == (400, -32602)
    name = "=?base64?" + base64.b64encode(b"list_entities").decode() + "?="
    call = post(
        office,
        modern("tools/call", name="list_entities", arguments={}),
        MCP_Protocol_Version=NOW,
        Mcp_Method="tools/call",
        Mcp_Name=name,
    )
    assert call.json["result"]["isError"] is False
    for wrong in ("", "=?base64?%%?=", "other"):
        headers = {"MCP_Protocol_Version": NOW, "Mcp_Method": "tools/call", "Mcp_Name": wrong}
        assert post(office, modern("tools/call", name="search"), **headers).json["error"]["code"] == -32020


def test_an_unknown_revision_is_told_which_there_are(office: Office) -> None:
    body = modern("tools/list")
    body["params"]["_meta"][VERSION_KEY] = "2031-01-01"
    answer = post(office, body, MCP_Protocol_Version="2031-01-01", Mcp_Method="tools/list")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, -32022)
    assert NOW in answer.json["error"]["data"]["supported"]
    unknown = post(office, modern("no/such"), MCP_Protocol_Version=NOW, Mcp_Method="no/such")
    assert (unknown.status_code, unknown.json["error"]["code"]) == (404, -32601)
