"""Streams: every record of a list at once, for whoever may export, as JSON Lines and as CSV."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import sqlalchemy as sa
from tests.api.conftest import Api, Office
from tests.web.frame_tenants import add_person

from trellis.api import streams
from trellis.records.transfer import exporter

LINES = "application/jsonl"


@pytest.fixture(scope="module", autouse=True)
def products(office: Office) -> None:
    program = office.api()
    rows = [{"code": f"ST-{n:03}", "name": f"Streamed {n}", "price": n} for n in range(25)]
    rows.append({"code": "ST-900", "name": "=HYPERLINK(1)"})
    assert program.post("product/bulk", {"operation": "create", "rows": rows}).json["counts"] == {"created": 26}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "PAGE", 10)


def lines_of(answer: Any) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.mimetype) == (200, LINES), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


STREAMED = 'product?filter=starts_with(code, "ST-")&sort=code'


def test_every_record_is_a_line_as_the_api_gives_it(mona: Api) -> None:
    found = lines_of(mona.get(STREAMED, Accept=LINES))
    assert [row["code"] for row in found] == [f"ST-{n:03}" for n in range(25)] + ["ST-900"]
    page = mona.get(f"{STREAMED}&limit=1").json["data"][0]
    assert {name: page[name] for name in ("id", "code", "name", "price")} == {
        name: found[0][name] for name in ("id", "code", "name", "price")
    }
    assert len(lines_of(mona.get(f"{STREAMED}&limit=12&fields=code,name", Accept=LINES))) == 12


def test_csv_is_harmless_in_a_spreadsheet_and_comes_back_as_it_was(mona: Api) -> None:
    answer = mona.get(f"{STREAMED}&fields=code,name", Accept="text/csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename=product.csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 26
    assert rows[-1] == {"code": "ST-900", "name": "'=HYPERLINK(1)"}


def test_the_answer_begins_before_all_is_read(mona: Api, office: Office) -> None:
    with office.app.test_request_context(
        f"/api/v1/{STREAMED}", headers={"Authorization": f"Bearer {mona.secret}", "Accept": LINES}
    ):
        answer = office.app.full_dispatch_request()
        parts = answer.iter_encoded()
        assert next(iter(parts)).count(b"\n") == 10
        answer.close()


def test_a_page_is_what_comes_when_nothing_else_is_asked_for(mona: Api) -> None:
    for accept in ("*/*", "application/json", "text/html", "application/json, text/csv;q=0.5"):
        assert mona.get("product?limit=1", Accept=accept).mimetype == "application/json", accept


def test_who_may_not_export_gets_no_stream(office: Office, carl: Api) -> None:
    reads = office.api(scopes=["product:read"])
    for program in (carl, reads):
        for kind in (LINES, "text/csv"):
            answer = program.get("product", Accept=kind)
            assert (answer.status_code, answer.json["action"]) == (403, "export")
    assert office.api(scopes=["product:read", "product:export"]).get("product", Accept=LINES).status_code == 200


@pytest.mark.parametrize("query", ["cursor=x", "updated_since=2026-01-01", "deleted=true", "count=exact", "limit=0"])
def test_what_only_pages_have_is_refused(mona: Api, query: str) -> None:
    assert mona.get(f"product?{query}", Accept=LINES).status_code == 400


@pytest.mark.parametrize("query", ["filter=nonsense(", "fields=nothing", "fields=token", "sort=nothing"])
def test_what_is_wrong_is_told_before_the_stream_begins(mona: Api, query: str) -> None:
    answer = mona.get(f"order?{query}", Accept=LINES)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_fields_that_may_not_leave_do_not(office: Office, mona: Api) -> None:
    mona.made("order", number="ST-1", name="Streamed", token="hunter2")
    for kind in (LINES, "text/csv"):
        text = mona.get('order?filter=number == "ST-1"', Accept=kind).text
        assert "ST-1" in text
        assert "hunter2" not in text
        assert "internal" not in text


def test_an_export_is_noted_with_its_count(office: Office, mona: Api) -> None:
    mona.get(f"{STREAMED}&limit=3", Accept=LINES)
    table = office.tenant.tables.platform.audit
    with office.tenant.begin() as connection:
        rows = connection.execute(sa.select(table).where(table.c.kind == "data.exported").order_by(table.c.id)).all()
    assert json.loads(rows[-1].details)["count"] == 3


def test_only_asking_for_the_headers_reads_nothing_on(mona: Api) -> None:
    answer = mona.call("HEAD", STREAMED, Accept=LINES)
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"", LINES)


def test_the_level_of_exporting_holds(office: Office) -> None:
    assert streams.LINES[0] == LINES
    person = add_person(office.tenant, "ex@office.example", "exporter")
    program = office.api(person)
    theirs = program.made("account", name="Streamed by me")
    office.api().made("account", name="Streamed by another")
    found = lines_of(program.get('account?filter=starts_with(name, "Streamed by")', Accept=LINES))
    assert [row["id"] for row in found] == [theirs["id"]]
    assert len(program.get('account?filter=starts_with(name, "Streamed by")').json["data"]) == 2
