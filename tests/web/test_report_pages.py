"""The pages of reports over HTTP: the list, a report with its params, files, the way to the records and back."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from tests.conftest import layers_of
from tests.web.frame_tenants import PEOPLE, add_person, app_of, signed_in_client

from trellis.automation.clock import moved
from trellis.automation.worker.drain import drain
from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.model.compile import compile_layers
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.web import reading_log

YAML = (
    PEOPLE
    + """
entity: sale
label: Sale
plural: Sales
fields:
  name:   {type: text, required: true}
  stage:  {type: choice, choices: [{new: {label: New}}, {won: {label: Won}}]}
  amount: {type: money}
  margin: {type: money}
  day:    {type: date}
  secret: {type: money, hidden: [export]}
  buyer:  {type: text, personal: true}
  at:     {type: datetime}
---
role: boss
grants: {"*": {read: all, create: true, update: all}}
allow: [admin, reports]
---
role: clerk
grants: {"*": {read: all}, sale: {read: all, fields: {margin: hidden}}}
allow: [reports]
---
role: guest
grants: {"*": {read: all}}
---
report: by-stage
label: Sales by stage
description: What is sold.
entity: sale
filter: day >= param.from
params: {from: {type: date, label: From}}
group: {stage: stage, month: month(day)}
measures:
  sales:  {formula: count(), label: Number}
  amount: {formula: sum(amount), label: Amount}
  margin: {formula: sum(margin), label: Margin}
  secret: {formula: sum(secret), label: Secret}
chart: {type: bar, x: stage, y: amount}
---
report: by-margin
label: Sales by margin
entity: sale
group: [margin]
---
report: rows
label: Rows of sales
type: table
entity: sale
columns: [stage, amount, day]
totals: {amount: sum}
sort: [name]
---
role: narrow
grants: {"*": {read: all}, sale: {read: own}}
allow: [reports]
---
report: kept
label: Kept sales
entity: sale
group: [stage]
measures: {sales: {formula: count(), label: Number}, amount: {formula: sum(amount), label: Amount}}
snapshot: daily
---
report: kept-margin
label: Kept margins
entity: sale
group: [stage]
measures: {margin: sum(margin), sales: count()}
snapshot: daily
---
report: moments
label: Moments
type: list
entity: sale
filter: not is_blank(at)
columns: [at]
---
menu: main
groups:
  work: {label: Work, items: [sale, {report: by-stage}, {report: by-margin}]}
"""
)
MOMENT = datetime(2026, 1, 6, 0, 30, tzinfo=UTC)
SALES: list[tuple[str, str | None, int, date | None]] = [
    ("=1+1", "new", 100, date(2026, 1, 5)),
    ("B", "won", 50, date(2026, 1, 20)),
    ("C", "won", 25, date(2026, 3, 1)),
    ("D", None, 5, None),
]


@pytest.fixture(scope="module")
def app(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    tenant: Tenant = catalogue.create("report-pages", layers_of(YAML, "report-pages"), "test")
    store = Store(tenant, Principal.system(Reader(currency="EUR")))
    for role in ("boss", "clerk", "guest", "narrow"):
        add_person(tenant, f"{role}@example.com", role)
    add_person(tenant, "tokyo@example.com", "boss", time_zone="Asia/Tokyo")
    for name, stage, amount, day in SALES:
        money = Money(Decimal(amount), "EUR")
        at = MOMENT if name == "B" else None
        store.create("sale", {"name": name, "stage": stage, "amount": money, "margin": money, "day": day, "at": at})
    try:
        yield app_of(tenant, tmp_path_factory.mktemp("report-pages"))
    finally:
        catalogue.drop("report-pages")


@pytest.fixture(scope="module")
def boss(app: Flask) -> FlaskClient:
    return signed_in_client(app, "boss@example.com")


@pytest.fixture(scope="module")
def clerk(app: Flask) -> FlaskClient:
    return signed_in_client(app, "clerk@example.com")


def chart_of(text: str) -> Any:
    found = re.search(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def cells(text: str) -> list[list[str]]:
    """The body and foot of the table as texts."""
    body = text[text.index("<tbody>") : text.index("</table>")]
    rows = re.findall(r"<tr.*?</tr>", body, re.DOTALL)
    return [
        [unescape(re.sub(r"<[^>]+>", "", c)).strip() for c in re.findall(r"<t[dh].*?</t[dh]>", r, re.DOTALL)]
        for r in rows
    ]


def test_the_list_has_what_one_may_see_and_finds_by_words(boss: FlaskClient, clerk: FlaskClient) -> None:
    assert "Sales by margin" in boss.get("/reports/").text
    assert "Sales by margin" not in clerk.get("/reports/").text
    found = boss.get("/reports/?q=stage").text
    assert "Sales by stage" in found
    assert "Rows of sales" not in found
    assert "No report has these words" in boss.get("/reports/?q=unicorns").text


def test_without_the_right_there_are_no_reports(app: Flask) -> None:
    guest = signed_in_client(app, "guest@example.com")
    assert guest.get("/reports/").status_code == 403
    assert guest.get("/reports/by-stage").status_code == 403
    assert guest.get("/reports/by-stage.csv").status_code == 403
    assert "/reports/" not in guest.get("/").text


def test_a_report_shows_its_table_with_subtotals_and_a_total(boss: FlaskClient) -> None:
    rows = cells(boss.get("/reports/by-stage").text)
    assert rows[0] == ["New", "", "1", "€100", "€100", "€0"]
    assert rows[1] == ["", "Jan 2026", "1", "€100", "€100", "€0"]
    assert [r[0] for r in rows if r[0]] == ["New", "Won", "Not given", "Total"]
    assert rows[-1] == ["Total", "", "4", "€180", "€180", "€0"]


def test_a_report_is_drawn_and_can_be_drawn_otherwise(boss: FlaskClient) -> None:
    chart = chart_of(boss.get("/reports/by-stage").text)
    assert (chart["type"], chart["categories"]) == ("bar", ["New", "Won", "Not given"])
    assert chart["series"][0]["values"] == [100, 75, 5]
    assert chart_of(boss.get("/reports/by-stage?chart=donut").text)["type"] == "donut"
    assert "data-chart" not in boss.get("/reports/by-stage?chart=none").text
    assert chart_of(boss.get("/reports/by-stage?chart=nonsense").text)["type"] == "bar"


def test_a_number_leads_to_its_records_and_back(boss: FlaskClient) -> None:
    text = boss.get("/reports/by-stage?from=2026-01-01").text
    links = [unescape(a) for a in re.findall(r'class="t-rt-go" href="([^"]+)"', text)]
    won = next(a for a in links if "won" in a and "month" not in a)
    listed = boss.get(won)
    assert listed.status_code == 200
    back = parse_qs(urlsplit(won).query)["report"][0]
    assert back == "/reports/by-stage?from=2026-01-01"
    assert "Back to the report" in listed.text
    assert ">B<" in listed.text
    assert ">D<" not in listed.text
    assert "Back to the report" not in boss.get("/e/sale/?report=https://evil.example/reports/").text


def test_what_is_no_value_is_said_at_the_param_and_stays_there(boss: FlaskClient) -> None:
    answer = boss.get("/reports/by-stage?from=%3Cb%3Esoon")
    assert answer.status_code == 422
    assert 'value="&lt;b&gt;soon"' in answer.text
    assert "is not a date" in answer.text
    assert "<b>soon" not in answer.text


def test_an_order_and_columns_are_in_the_address(boss: FlaskClient) -> None:
    rows = cells(boss.get("/reports/by-stage?sort=amount&cols=sales").text)
    assert [r[0] for r in rows if r[0]] == ["New", "Won", "Not given", "Total"]  # by what is not shown: not at all
    rows = cells(boss.get("/reports/by-stage?sort=amount&cols=sales&cols=amount").text)
    assert [r[0] for r in rows if r[0]] == ["Not given", "Won", "New", "Total"]
    assert "no column" in boss.get("/reports/by-stage?sort=nothing").text


def test_nothing_to_show_says_so_and_leads_back(boss: FlaskClient) -> None:
    text = boss.get("/reports/by-stage?from=2999-01-01").text
    assert "Nothing to show" in text
    assert "Back to the usual settings" in text


def test_hidden_fields_leave_no_trace(clerk: FlaskClient) -> None:
    text = clerk.get("/reports/by-stage").text
    assert "Margin" not in text
    assert clerk.get("/reports/by-margin").status_code == 404
    assert clerk.get("/reports/by-margin.csv").status_code == 404
    assert "Margin" not in clerk.get("/reports/by-stage.csv?cols=margin").text
    menu = clerk.get("/").text
    assert "/reports/by-stage" in menu
    assert "/reports/by-margin" not in menu


def test_a_csv_has_exact_numbers_and_what_a_group_is_called(boss: FlaskClient) -> None:
    answer = boss.get("/reports/by-stage.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''Sales%20by%20stage.csv"
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0] == ["Stage", "Day", "Number", "Amount", "Margin"]  # the hidden one is not for files
    assert rows[2] == ["New", "Jan 2026", "1", "100.00", "100.00"]
    assert rows[-1] == ["Total", "", "4", "180.00", "180.00"]


def test_a_workbook_has_typed_cells_and_runs_nothing(boss: FlaskClient) -> None:
    sheet: Any = load_workbook(io.BytesIO(boss.get("/reports/rows.xlsx").data)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("Sale", "Stage", "Amount", "Day")
    assert rows[1][0] == "'=1+1"
    assert (rows[1][2], rows[1][3].date()) == (100, date(2026, 1, 5))
    assert rows[-1][2] == 180
    assert (sheet["C2"].number_format, sheet["D2"].number_format) == ('"€"#,##0.00', "yyyy-mm-dd")


def test_files_say_the_same_hour_as_the_page(app: Flask) -> None:
    tokyo = signed_in_client(app, "tokyo@example.com")
    assert "9:30" in tokyo.get("/reports/moments").text
    sheet: Any = load_workbook(io.BytesIO(tokyo.get("/reports/moments.xlsx").data)).active
    assert sheet["B2"].value == datetime(2026, 1, 6, 9, 30)
    assert "2026-01-06T09:30:00+09:00" in tokyo.get("/reports/moments.csv").text


def test_records_that_a_report_shows_are_readings_of_persons(app: Flask, boss: FlaskClient) -> None:
    tenant = app.extensions["trellis"].tenant
    access = tenant.tables.platform.access
    reading_log.flush()
    with tenant.begin() as connection:
        connection.execute(sa.delete(access))
    for address in ("rows", "moments", "moments.xlsx", "by-stage", "by-stage.csv"):
        assert boss.get(f"/reports/{address}").status_code == 200
    reading_log.flush()
    with tenant.begin() as connection:
        told = connection.execute(sa.select(access.c.how, access.c.count, access.c.filter).order_by(access.c.id)).all()
    assert [tuple(line) for line in told] == [
        ("list", 4, "report=rows"),
        ("list", 1, "report=moments"),
        ("export", 1, "report=moments"),
    ]


def test_rows_lead_to_their_records(boss: FlaskClient) -> None:
    text = boss.get("/reports/rows").text
    assert len(re.findall(r'<a class="t-rt-go" href="/e/sale/[0-9a-f-]{36}"', text)) == 4


def test_the_palette_finds_reports(boss: FlaskClient) -> None:
    assert "/reports/rows" in boss.get("/search?q=rows").text


def test_a_file_that_leaves_stands_in_the_audit_log(app: Flask, boss: FlaskClient) -> None:
    boss.get("/reports/by-stage.xlsx")
    tenant = app.extensions["trellis"].tenant
    audit = tenant.tables.platform.audit
    with tenant.begin() as connection:
        told = connection.execute(sa.select(audit.c.details).where(audit.c.kind == "data.exported")).scalars().all()
    assert any('"report":"by-stage"' in details for details in told)


def test_how_a_report_stood_is_shown_to_those_who_would_have_seen_all_of_it(
    app: Flask, catalogue: Catalogue, boss: FlaskClient, clerk: FlaskClient
) -> None:
    tenant = app.extensions["trellis"].tenant
    assert "is kept each night" in boss.get("/reports/kept").text
    store = Store(tenant, Principal.system(Reader(currency="EUR")))
    drained = timedelta(days=1)
    with moved(drained):
        drain(catalogue, tenant, ahead=drained)
    later = store.create("sale", {"name": "Later", "stage": "won", "amount": Money(Decimal(1000), "EUR")})
    with moved(drained * 2):
        drain(catalogue, tenant, ahead=drained * 2)
    page = boss.get("/reports/kept").text
    days = re.findall(r'<option value="(\d{4}-\d\d-\d\d)"', page)
    assert len(days) == 2
    assert "€1,180" in page
    past = boss.get(f"/reports/kept?stood={days[-1]}").text
    assert cells(past)[-1] == ["Total", "4", "€180"]
    assert "t-rt-go" not in past  # the records have changed since
    over = json.loads(re.findall(r'<script type="application/json">(.*?)</script>', past, re.DOTALL)[-1])
    assert over["series"][0]["values"] == [4, 5]
    narrow = signed_in_client(app, "narrow@example.com")
    for who, report in ((narrow, "kept"), (clerk, "kept-margin")):
        text = who.get(f"/reports/{report}?stood={days[-1]}").text
        assert "rep-stood" not in text
        assert "€180" not in text
    assert "rep-stood" in clerk.get("/reports/kept").text
    store.delete("sale", later.id)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("type: table\nentity: sale\ncolumns: [name]", "a table report has no snapshots"),
        ("entity: sale\nfilter: created_by == me", "a snapshot is kept once for all"),
    ],
)
def test_what_cannot_be_kept_is_said(text: str, words: str) -> None:
    found = compile_layers(layers_of(f"{YAML}\n---\nreport: wrong\n{text}\nsnapshot: daily", "wrong"))
    assert any(words in p.message for p in found.problems)
