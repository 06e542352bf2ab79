"""The ways in which CRMs have told people what they may not see, each asked by a clerk who may not."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.security.office import HIDDEN, PHONE, SECRET, Office, open_office

TOLD = re.compile(rf"{SECRET}|7[.,]77|8[.,]77|77[.,]7|{PHONE[3:]}")
"""The values that are kept from the clerk, as they might be written."""
OWN = re.compile(r'name="next" value="[^"]*"|aria-label="[^"]*"')
"""Where a page repeats what was asked for."""
HINT = re.compile(r" \(did you mean '\w+'\?\)")


@pytest.fixture(scope="module")
def office(catalogue: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    opened = open_office(catalogue, tmp_path_factory.mktemp("office"))
    yield opened
    catalogue.drop(opened.tenant.slug)


def told(answer: Any) -> list[str]:
    """What an answer tells of what is kept secret."""
    text = OWN.sub("", answer.text)
    return [text[max(0, m.start() - 60) : m.end() + 30] for m in TOLD.finditer(text)]


# ── fields ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("field", HIDDEN)
def test_a_field_out_of_sight_is_refused_as_if_there_were_none(office: Office, field: str) -> None:
    """By filter, sort and choice of fields; the refusal is that of a field that never was."""
    asked = {
        "filter": [f"{field} != blank", f"count(deals, {field} != blank) > 0", f"is_blank({field})"],
        "sort": [field, f"-{field}"],
        "fields": [field, f"{field}.name"],
    }
    for parameter, values in asked.items():
        for value in values:
            entity = "account" if "deals" in value else "deal"
            answer = office.get(f"{entity}?{parameter}={quote(value)}")
            never = office.get(f"{entity}?{parameter}={quote(value.replace(field, 'zzz'))}")
            assert answer.status_code == never.status_code == 422, (value, answer.text)
            said = [HINT.sub("", a.json["errors"][0]["message"]).replace(field, "zzz") for a in (answer, never)]
            assert said[0] == said[1], value


@pytest.mark.parametrize(
    "what", ["deal", "deal/{deal}", "deal/{deal}/history", "deal/views", "meta/deal", "meta/account"]
)
def test_the_api_tells_nothing_hidden(office: Office, what: str) -> None:
    answer = office.get(what.format(**office.mine))
    assert answer.status_code == 200
    assert told(answer) == []
    names = re.findall(r'"([a-z_]+)"', answer.text)
    assert not set(names) & set(HIDDEN)


def test_the_document_names_nothing_hidden(office: Office) -> None:
    text = office.get("openapi.json").text
    assert not re.search(rf'"({"|".join(HIDDEN)}|brokered|rivalled|code_never)"', text)


@pytest.mark.parametrize("view", ["all", "board", "tiers", "plan", "cheap"])
def test_a_view_with_a_hidden_column_shows_the_others(office: Office, view: str) -> None:
    answer = office.get(f"deal?view={view}")
    assert answer.status_code == 200, answer.text
    assert told(answer) == []
    page = office.page(f"/e/deal/?view={view}")
    assert page.status_code == 200
    assert told(page) == []


@pytest.mark.parametrize("kind", ["application/jsonl", "text/csv"])
def test_an_export_holds_nothing_hidden_or_masked(office: Office, kind: str) -> None:
    for address in ("deal", "account", "badge", "lead"):
        answer = office.get(address, Accept=kind)
        assert told(answer) == [], address
        if answer.status_code == 200 and kind == "text/csv":
            assert not set(answer.text.splitlines()[0].split(",")) & {*HIDDEN, "phone"}
    assert told(office.page("/e/deal/export.csv?columns=name,margin,covert,phone")) == []


def test_search_finds_nothing_by_hidden_words(office: Office) -> None:
    """Neither a record, nor a count, nor a suggestion."""
    for word in (SECRET, PHONE[1:], PHONE[-6:]):
        assert office.get(f"deal?q={word}&count=exact").json["count"]["n"] == 0, word
        for page in (f"/e/deal/rows?q={word}", f"/search?q={word}", f"/e/deal/pick?q={word}"):
            assert "Mine deal" not in office.page(page).text, page


def test_boards_and_groups_tell_no_hidden_values(office: Office) -> None:
    for address in (
        "/e/deal/heads?view=tiers",
        "/e/deal/lane?view=tiers&lane=high",
        "/e/deal/?group=tier",
        "/e/deal/?group=marks",
        "/e/deal/totals?view=all",
        "/e/deal/heads?view=board",
    ):
        answer = office.page(address)
        assert answer.status_code in (200, 404)
        assert told(answer) == [], address
        assert not re.search(r"\bhigh\b", OWN.sub("", answer.text), re.I), address


@pytest.mark.parametrize("part", ["timeline", "history", "peek", "edit", "counts", "deletion", "merge?q=x"])
def test_a_records_pages_tell_nothing_hidden(office: Office, part: str) -> None:
    answer = office.page(f"/e/deal/{office.mine['deal']}/{part}")
    assert answer.status_code in (200, 204), part
    assert told(answer) == []


def test_the_past_tells_nothing_hidden(office: Office) -> None:
    answer = office.get(f"deal/{office.mine['deal']}?as_of=2099-01-01T00:00:00Z")
    assert answer.status_code == 200
    assert told(answer) == []
    assert not set(answer.json) & set(HIDDEN)
    assert not set(answer.json["_unknown"]) & set(HIDDEN)


# ── what is said when something is refused ───────────────────────────────────────────────────────────────────


def test_a_rule_says_that_it_is_broken_and_no_hidden_value(office: Office) -> None:
    office.system.update("deal", office.mine["deal"], {"stage": "new"})
    answer = office.call("POST", f"deal/{office.mine['deal']}/move", {"stage": "won"})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["message"] == "A margin of … by … is too low."


def test_a_stage_that_needs_what_is_hidden_does_not_say_what(office: Office) -> None:
    deal = office.system.create("deal", {"name": "Gate", "owner": office.clerk}).id
    answer = office.call("POST", f"deal/{deal}/move", {"stage": "ready"})
    assert answer.status_code == 422
    assert "margin" not in answer.text.lower()


def test_writing_a_hidden_field_is_refused_as_if_there_were_none(office: Office) -> None:
    for name in ("margin", "zzz"):
        answer = office.call("PATCH", f"deal/{office.mine['deal']}", {name: 1})
        assert answer.json["errors"] == [{"field": name, "code": "unknown", "message": f"There is no field “{name}”."}]


def test_likely_duplicates_are_not_told_by_hidden_values(office: Office) -> None:
    """Two deals share the hidden word; a rule that compares it says nothing to the clerk."""
    answer = office.call(
        "PATCH", f"deal/{office.mine['deal']}?confirm=false", {"amount": {"amount": 5, "currency": "EUR"}}
    )
    assert answer.status_code == 200, answer.text
    page = office.page("/e/deal/duplicates?rule=same")
    assert told(page) == []
    assert "Mine deal" not in page.text


def test_a_likely_duplicate_out_of_reach_has_no_name(office: Office) -> None:
    answer = office.call("POST", "deal?confirm=false", {"name": f"{SECRET} theirs deal"})
    assert answer.status_code == 422
    said = answer.json["errors"][0]
    assert str(office.theirs["deal"]) not in answer.text
    assert "cannot see" in said["message"]


def test_what_holds_a_record_is_named_only_if_it_may_be_seen(office: Office) -> None:
    answer = office.call("DELETE", f"account/{office.mine['account']}")
    assert answer.status_code == 422
    assert told(answer) == []
    page = office.page(f"/e/account/{office.mine['account']}/deletion")
    assert told(page) == []
    assert "broker" not in page.text


def test_an_upsert_does_not_ask_what_is_hidden(office: Office) -> None:
    row = {"code": f"{SECRET}-0", "name": "X"}
    answer = office.call("POST", "account/bulk", {"operation": "upsert", "match": "code", "rows": [row]})
    assert answer.status_code in (400, 403)


# ── links ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["brokered", "rivalled"])
def test_who_may_not_see_a_link_may_not_see_its_other_side(office: Office, name: str) -> None:
    account = office.mine["account"]
    assert office.get(f"account/{account}/links/{name}").status_code == 404
    assert office.get(f"account?filter=count({name}) > 0").status_code == 422
    assert office.page(f"/e/account/{account}/related/{name}").status_code == 404
    assert name not in office.page(f"/e/account/{account}/counts").text


def test_a_title_of_hidden_fields_does_not_name_them(office: Office) -> None:
    rows = {row["id"]: row["_title"] for row in office.get("badge").json["data"]}
    assert rows[str(office.mine["badge"])].split() == ["Mine", "deal", "Badge"]
    assert not any(SECRET in title for title in rows.values())


def test_a_record_that_one_may_not_see_cannot_be_linked(office: Office) -> None:
    never = "00000000-0000-7000-8000-000000000000"
    for id in (str(office.theirs["account"]), never):
        answer = office.call("POST", "deal", {"name": f"Linked to {id}", "account": id})
        assert answer.status_code == 422
        assert [e["field"] for e in answer.json["errors"]] == ["account"]
    both = {
        office.call("POST", "deal", {"name": "L", "account": id}).json["detail"]
        for id in (never, str(office.theirs["account"]))
    }
    assert len(both) == 1, "one that there is not is refused in the same words"


def test_what_a_lead_would_become_shows_nothing_hidden(office: Office) -> None:
    answer = office.get(f"lead/{office.mine['lead']}/convert")
    assert answer.status_code == 200
    assert told(answer) == []
    assert told(office.page(f"/e/lead/{office.mine['lead']}/convert")) == []


# ── records out of reach ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["account", "deal", "note", "lead"])
def test_a_record_out_of_reach_is_the_same_as_none(office: Office, kind: str) -> None:
    never = "00000000-0000-7000-8000-000000000000"
    for path in ("", "/history", "/links/notes", "/convert"):
        known, unknown = (office.get(f"{kind}/{id}{path}") for id in (office.theirs[kind], never))
        assert known.status_code == unknown.status_code, path
        assert known.status_code >= 400
        assert known.json["detail"] == unknown.json["detail"]
    for method in ("PATCH", "DELETE"):
        known, unknown = (office.call(method, f"{kind}/{id}", {}) for id in (office.theirs[kind], never))
        assert (known.status_code, known.json["detail"]) == (unknown.status_code, unknown.json["detail"])


def test_an_uploaded_table_is_its_owners(office: Office, catalogue: Any) -> None:
    from tests.web.frame_tenants import signed_in_client

    sent = {"file": (io.BytesIO(b"name\nTable\n"), "t.csv")}
    place = office.browser.post("/e/note/import", data=sent, content_type="multipart/form-data").headers["Location"]
    assert office.browser.get(place).status_code == 200
    assert signed_in_client(office.app, "admin@x.example").get(place).status_code in (302, 303, 404)
