"""Tools do what the person of the key may do, and say in words how to mend what they refuse."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from tests.api.conftest import Office

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store


class Assistant:
    """Calls tools by the revision of 2025-11-25."""

    def __init__(self, office: Office, user: UUID | None = None, **limits: Any) -> None:
        self.client = office.app.test_client()
        self.headers = {
            "Authorization": f"Bearer {office.key(user, **limits)}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2025-11-25",
        }

    def send(self, method: str, params: dict[str, Any] | None = None) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        return self.client.post("/mcp", json=body, headers=self.headers)

    def tools(self) -> set[str]:
        return {tool["name"] for tool in self.send("tools/list").json["result"]["tools"]}

    def call(self, name: str, **arguments: Any) -> Any:
        """What the tool gives."""
        result = self.send("tools/call", {"name": name, "arguments": arguments}).json["result"]
        assert not result["isError"], result
        return result["structuredContent"]

    def refused(self, name: str, **arguments: Any) -> str:
        """Why it does not."""
        result = self.send("tools/call", {"name": name, "arguments": arguments}).json["result"]
        assert result["isError"], result
        return str(result["content"][0]["text"])


@pytest.fixture
def mona(office: Office) -> Assistant:
    return Assistant(office)


@pytest.fixture
def carl(office: Office) -> Assistant:
    return Assistant(office, office.carl)


@pytest.fixture
def system(office: Office) -> Store:
    return Store(office.tenant, Principal.system(Reader()))


def test_every_field_of_a_record_and_its_lines(mona: Assistant) -> None:
    made = mona.call(
        "create_record",
        entity="order",
        values={"number": "M-1", "name": "Desks", "lines": [{"quantity": 2, "price": 120}]},
    )
    read = mona.call("read_record", entity="order", id=made["id"])
    assert (read["name"], read["lines"][0]["quantity"], read["amount"]["amount"]) == ("Desks", 2, 240)
    changed = mona.call("update_record", entity="order", id=made["id"], values={"discount": 5}, version=made["version"])
    assert changed["discount"] == 5
    again = mona.refused(
        "update_record", entity="order", id=made["id"], values={"discount": 6}, version=made["version"]
    )
    assert "Read the record again" in again
    history = mona.call("read_history", entity="order", id=made["id"])
    assert history["changes"][0]["means"] == "assistant"


def test_a_stage_says_what_it_asks_for(mona: Assistant) -> None:
    made = mona.call("create_record", entity="order", values={"number": "M-2", "name": "Chairs"})
    refused = mona.refused("move_stage", entity="order", id=made["id"], stage="placed")
    assert "due" in refused
    moved = mona.call(
        "move_stage",
        entity="order",
        id=made["id"],
        stage="placed",
        values={"due": "2030-01-01"},
        checklist=["checked"],
    )
    assert moved["stage"] == "placed"
    assert "no stages" in mona.refused("move_stage", entity="account", id=made["id"], stage="x")


def test_a_link_is_given_by_name_and_an_unclear_one_is_asked_about(mona: Assistant, system: Store) -> None:
    one = system.create("account", {"name": "Linden"})
    made = mona.call("create_record", entity="contact", values={"name": "Lia", "account": "linden"})
    assert made["account"]["id"] == str(one.id)
    other = system.create("account", {"name": "Linden"})
    refused = mona.refused("create_record", entity="contact", values={"name": "Lu", "account": "Linden"})
    assert str(one.id) in refused
    assert str(other.id) in refused
    assert "Search account" in mona.refused(
        "create_record", entity="contact", values={"name": "Lu", "account": "Nowhere at all"}
    )


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("describe_entity", {"entity": "ordr"}, "did you mean 'order'"),
        ("describe_entity", {"entity": "diary"}, "There is no entity"),
        ("describe_entity", {}, "'entity' is a required property"),
        ("read_record", {"entity": "order", "id": "7"}, "no id of a record"),
        ("read_record", {"entity": "order", "id": str(UUID(int=5))}, "no such record"),
        ("list_records", {"entity": "order", "filter": "stge == 1"}, "did you mean 'stage'"),
        ("list_records", {"entity": "order", "limit": 1000}, "limit"),
        ("list_records", {"entity": "order", "fields": ["internal"]}, "internal"),
        ("list_records", {"entity": "order", "cursor": "x"}, "cursor"),
        ("create_record", {"entity": "order", "values": {"nme": "x"}}, "did you mean 'name'"),
        ("create_record", {"entity": "order", "values": {"number": "K", "name": "K", "kind": "slow"}}, "standard, exp"),
        ("create_record", {"entity": "order", "values": {}}, "describe_entity"),
        ("create_record", {"entity": "order", "values": {"token": 5, "internal": "x"}}, "internal"),
        ("update_record", {"entity": "order", "id": str(UUID(int=5)), "values": {}, "more": 1}, "more"),
    ],
)
def test_what_is_wrong_is_told_in_words(mona: Assistant, name: str, arguments: dict[str, Any], words: str) -> None:
    assert words in mona.refused(name, **arguments)


def test_the_caller_has_his_own_rights_and_no_more(mona: Assistant, carl: Assistant, system: Store) -> None:
    hers = mona.call("create_record", entity="order", values={"number": "M-9", "name": "Hers", "margin": 7})
    assert "no such record" in carl.refused("read_record", entity="order", id=hers["id"])
    assert carl.call("list_records", entity="order", filter='name == "Hers"')["records"] == []
    assert "margin" not in [f["key"] for f in carl.call("describe_entity", entity="order")["fields"]]
    assert "margin" in carl.refused("list_records", entity="order", filter="margin > 1")
    assert "'margin'" not in carl.refused("list_records", entity="order", filter="margn > 1").replace("'margn'", "")
    values = {"number": "L", "name": "L", "margn": 1}
    refused = carl.refused("create_record", entity="order", values=values)
    assert "margin" not in refused
    assert "()" not in refused
    assert "payslip" not in [e["key"] for e in carl.call("list_entities")["entities"]]
    assert "not allow" in carl.refused("create_record", entity="account", values={"name": "No"})
    assert system.count("account", where=['name == "No"']).n == 0


def test_what_is_closed_to_people_is_closed_to_their_assistants(
    office: Office, carl: Assistant, mona: Assistant, system: Store
) -> None:
    mine = carl.call("create_record", entity="order", values={"number": "C-1", "name": "Mine"})
    change = {"entity": "order", "id": mine["id"]}
    assert "not allowed to change" in carl.refused("update_record", **change, values={"discount": 50})
    assert "not allowed to change" in carl.refused("update_record", **change, values={"phone": "+49 30 901820"})
    paper = {"id": str(UUID(int=7)), "name": "theirs.pdf", "size": 1, "type": "application/pdf"}
    assert "Send the file again" in carl.refused("update_record", **change, values={"paper": [paper]})
    record = system.read("order", mine["id"])
    assert (record["discount"], record["phone"], record["paper"]) == (None, None, None)


def test_scopes_of_the_key_bind_too(office: Office) -> None:
    reads = Assistant(office, scopes=["account:read"])
    assert [e["key"] for e in reads.call("list_entities")["entities"] if "read" in e["actions"]] == ["account"]
    assert "create_record" not in reads.tools()
    refused = reads.send("tools/call", {"name": "create_record", "arguments": {}}).json
    assert refused["error"]["code"] == -32602


def test_a_trial_of_duplicates(office: Office, mona: Assistant) -> None:
    del office
    made = [mona.call("create_record", entity="product", values={"code": "P-77", "name": "Lamp"})]
    refused = mona.refused("create_record", entity="product", values={"code": "P-77", "name": "Lamp"})
    assert "code" in refused
    assert len(made) == 1


def test_a_report_is_run_and_its_rows_lead_to_records(mona: Assistant, carl: Assistant) -> None:
    [report] = [r for r in mona.call("list_reports")["reports"] if r["key"] == "orders-by-month"]
    assert report["entity"] == "order"
    mona.call("create_record", entity="order", values={"number": "REPORTED-1", "name": "Reported"})
    answer = mona.call("run_report", report="orders-by-month")
    row = answer["data"][0]
    assert row["values"]
    listed = mona.call("list_records", entity="order", filter=row["filter"])
    assert listed["records"]
    assert "did you mean 'orders-by-month'" in mona.refused("run_report", report="orders-by-moth")
    assert "no param" in mona.refused("run_report", report="orders-by-month", params={"colour": "red"})
    assert "run_report" not in carl.tools()
