"""What changes several records at once: conversion and merging; and the past of one."""

from __future__ import annotations

from io import BytesIO
from urllib.parse import quote

from tests.api.conftest import Api


def test_a_record_is_converted_once_into_what_is_chosen(mona: Api) -> None:
    known = mona.made("account", name="Lindqvist AB")
    lead = mona.made("lead", name="Lars Lindqvist", company="Lindqvist AB")
    [account, contact] = mona.get(f"lead/{lead['id']}/convert").json["data"]
    assert (account["target"], account["values"]["name"]) == ("account", "Lindqvist AB")
    assert [m["record"]["id"] for m in account["matches"]] == [known["id"]]
    assert contact["optional"] is True
    done = mona.post(f"lead/{lead['id']}/convert", {"account": {"existing": known["id"]}, "contact": "new"})
    assert done.json["became"]["account"]["id"] == known["id"]
    assert done.json["created"] == ["contact"]
    again = mona.post(f"lead/{lead['id']}/convert", {})
    assert (again.status_code, again.json["errors"][0]["code"]) == (422, "converted")


def test_records_are_merged_and_the_losers_address_names_the_winner(mona: Api) -> None:
    stays, goes = mona.made("contact", name="Jo Doe"), mona.made("contact", name="Jo Do", email="jo@doe.example")
    merged = mona.post(f"contact/{stays['id']}/merge", {"losers": [goes["id"]], "take": {"name": stays["id"]}})
    assert (merged.status_code, merged.json["name"], merged.json["email"]) == (200, "Jo Doe", "jo@doe.example")
    lost = mona.get(f"contact/{goes['id']}")
    assert (lost.status_code, lost.json["merged_into"]) == (404, stays["id"])
    assert mona.post(f"contact/{stays['id']}/merge", {"losers": []}).status_code == 400


def test_who_may_not_merge_is_refused(mona: Api, carl: Api) -> None:
    one, other = mona.made("contact", name="A"), mona.made("contact", name="B")
    assert carl.post(f"contact/{one['id']}/merge", {"losers": [other["id"]]}).status_code == 403


def test_a_record_is_read_as_it_was(mona: Api) -> None:
    contact = mona.made("contact", name="Before")
    moment = quote(contact["updated_at"])
    mona.patch(f"contact/{contact['id']}", {"name": "After"})
    assert mona.get(f"contact/{contact['id']}?as_of={moment}").json["name"] == "Before"
    assert mona.get(f"contact/{contact['id']}?as_of=2001-01-01").status_code == 404


def test_files_of_merged_records_go_along_whoever_sent_them(mona: Api, carl: Api) -> None:
    made = []
    for number, program in (("MF-1", mona), ("MF-2", carl)):
        form = {"file": (BytesIO(f"%PDF-1.7 {number}".encode()), f"{number}.pdf")}
        headers = {"Authorization": f"Bearer {program.secret}"}
        sent = program.client.post("/api/v1/order/files/paper", data=form, headers=headers).json
        made.append(program.made("order", number=number, name=number, paper=[{"id": sent["id"]}]))
    merged = mona.post(f"order/{made[0]['id']}/merge", {"losers": [made[1]["id"]]})
    assert merged.status_code == 200, merged.text
    assert [file["name"] for file in merged.json["paper"]] == ["MF-1.pdf", "MF-2.pdf"]
    last = merged.json["paper"][1]["id"]
    with mona.get(f"order/{made[0]['id']}/files/paper/{last}") as fetched:
        assert fetched.data == b"%PDF-1.7 MF-2"
