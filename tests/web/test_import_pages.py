"""Importing a spreadsheet in the browser: columns, trial, refusals in words, outcome."""

from __future__ import annotations

import io
import re
from typing import Any

from flask.testing import FlaskClient
from tests.web.live import system_store

from trellis.storage.tenant import Tenant

FILE = "Name,Amount,Priority,Remark\nFirst of file,12.50,high,a\nSecond of file,much,low,b\n第三,7,normal,c\n"


def token_of(client: FlaskClient) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/e/deal/import").text)
    assert found
    return found[1]


def upload(client: FlaskClient, data: bytes) -> Any:
    sent = {"file": (io.BytesIO(data), "deals.csv"), "csrf_token": token_of(client)}
    return client.post("/e/deal/import", data=sent, content_type="multipart/form-data")


def test_a_file_is_tried_and_then_imported(anna: FlaskClient, shop: Tenant) -> None:
    sent = upload(anna, FILE.encode("gb18030"))
    assert sent.status_code == 303, sent.text
    page = anna.get(sent.location).text
    assert '<option value="name" selected>' in page
    assert "第三" in page
    chosen = {"column-0": "name", "column-1": "amount", "column-2": "priority", "column-3": "", "do": "check"}
    chosen["csrf_token"] = token_of(anna)
    store = system_store(shop)
    before = store.count("deal").n
    assert anna.post(sent.location, data=chosen).status_code == 303
    tried = anna.get(sent.location).text
    assert "This is what would happen" in tried
    assert re.search(r"<td class=.t-num.>3</td><td><bdi>Amount</bdi></td><td>[^<]+much", tried)
    assert store.count("deal").n == before
    assert anna.post(sent.location, data={**chosen, "do": "import"}).status_code == 303
    assert store.count("deal").n == before + 2
    assert "has been imported" in anna.get(sent.location).text
    assert "第三" not in anna.get(f"{sent.location}/outcome.csv").text
    for row in store.list("deal", columns=["name"], where=['name in ("First of file", "第三")']).rows:
        store.delete("deal", row.id)
        store.purge("deal", row.id)


def test_what_is_no_table_is_refused_in_words(anna: FlaskClient) -> None:
    assert "Save it as CSV" in upload(anna, b"PK\x03\x04").text
    assert "no rows" in upload(anna, b"Name,Amount\n").text
    assert upload(anna, b"").status_code == 422
    swallowed = upload(anna, b'Name,Amount\nFirst,1\n"Second,2\nThird,3\n')
    assert swallowed.status_code == 422
    assert "Line 3: the quotation mark before “Second,2” is not closed" in swallowed.text


def test_a_date_that_may_be_two_is_refused_until_the_language_is_said(anna: FlaskClient) -> None:
    at = upload(anna, b"Name,Close date\nTwo days,03/04/2026\n").location
    chosen = {"column-0": "name", "column-1": "close_date", "do": "check", "csrf_token": token_of(anna)}
    anna.post(at, data=chosen)
    assert "may be 2026-04-03 or 2026-03-04" in anna.get(at).text
    anna.post(at, data={**chosen, "format": "own"})
    assert "may be 2026-04-03" not in anna.get(at).text


def test_two_columns_cannot_fill_one_field(anna: FlaskClient) -> None:
    at = upload(anna, FILE.encode()).location
    answer = anna.post(at, data={"column-0": "name", "column-3": "name", "do": "check", "csrf_token": token_of(anna)})
    assert answer.status_code == 422
    assert "Two columns fill the field Name" in answer.text


def test_a_file_is_its_owners_alone(anna: FlaskClient, sam: FlaskClient) -> None:
    at = upload(anna, FILE.encode()).location
    assert sam.get(at).status_code in (302, 403)
