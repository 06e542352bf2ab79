"""Dashboards over HTTP: home, widgets and what they may show, filters in the address, arrangements, the palette."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import PEOPLE, add_person, app_of, signed_in_client, token_of

from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue

YAML = (
    PEOPLE
    + """
entity: sale
label: Sale
plural: Sales
title: name
fields:
  name:   {type: text, required: true}
  stage:  {type: choice, choices: [{new: {label: New}}, {won: {label: Won}}]}
  amount: {type: money}
  margin: {type: money}
  day:    {type: date}
  owner:  {type: user, role: owner}
views:
  all: {type: list, columns: [name, stage, amount, margin], sort: [name]}
  plan: {type: calendar, start: day}
---
role: boss
grants: {"*": {read: all, create: true, update: all}}
allow: [admin, reports]
---
role: clerk
grants: {"*": {read: all}, sale: {read: own, fields: {margin: hidden}}}
allow: [reports]
---
role: guest
grants: {"*": {read: all}}
---
role: stranger
label: Stranger
---
report: by-stage
label: Sales by stage
entity: sale
date: day
group: [stage]
measures: {sales: count(), amount: {formula: sum(amount), label: Amount}}
chart: {type: bar, x: stage, y: amount}
---
report: margins
label: Margins
entity: sale
group: [owner]
measures: {margin: sum(margin)}
---
dashboard: work
label: Work of clerks
roles: [clerk, boss]
filters: {owner: {type: user}, period: {type: date_range, default: '2026-01-01..2026-01-31'}}
widgets:
  amount:  {number: by-stage, measure: amount, label: Sold, compare: previous_period, at: [0, 0, 3, 2]}
  chart:   {chart: by-stage, at: [3, 0, 6, 4]}
  table:   {table: by-stage, at: [0, 4, 6, 4]}
  margin:  {leaders: margins, label: Best margins, at: [6, 4, 6, 4]}
  list:    {list: sale.all, label: The sales, filter: amount > 20, at: [0, 8, 6, 4]}
  boss:    {text: "Only *you*, boss", roles: [boss], at: [6, 8, 6, 2]}
  site:    {page: "https://maps.example/here", at: [6, 10, 6, 3]}
---
dashboard: more
label: More to see
widgets: {sales: {feed: sale}, days: {calendar: sale.plan}}
---
menu: main
groups:
  work: {label: Work, items: [sale, {dashboard: work}]}
"""
)
SALES: list[tuple[str, str, int, date, str]] = [
    ("Alpha <b>", "new", 100, date(2026, 1, 5), "boss"),
    ("Beta", "won", 50, date(2026, 1, 20), "clerk"),
    ("Gamma", "won", 75, date(2025, 12, 10), "boss"),
    ("Delta", "won", 10, date(2026, 3, 1), "clerk"),
]


@pytest.fixture(scope="module")
def app(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    tenant = catalogue.create("dashboard-pages", layers_of(YAML, "dashboard-pages"), "test")
    store = Store(tenant, Principal.system(Reader(currency="EUR")))
    roles = ("boss", "clerk", "guest", "stranger")
    people = {role: add_person(tenant, f"{role}@example.com", role) for role in roles}
    for name, stage, amount, day, who in SALES:
        money = Money(Decimal(amount), "EUR")
        values = {"name": name, "stage": stage, "amount": money, "margin": money, "day": day, "owner": people[who]}
        store.create("sale", values)
    try:
        yield app_of(tenant, tmp_path_factory.mktemp("dashboard-pages"))
    finally:
        catalogue.drop("dashboard-pages")


@pytest.fixture(scope="module")
def boss(app: Flask) -> FlaskClient:
    return signed_in_client(app, "boss@example.com")


@pytest.fixture(scope="module")
def clerk(app: Flask) -> FlaskClient:
    return signed_in_client(app, "clerk@example.com")


@pytest.fixture(scope="module")
def guest(app: Flask) -> FlaskClient:
    return signed_in_client(app, "guest@example.com")


def said(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page))).strip()


def places(page: str) -> dict[str, str]:
    found = re.findall(r'gs-id="(\w+)" gs-x="(\d+)" gs-y="(\d+)" gs-w="(\d+)" gs-h="(\d+)"', page)
    return {key: " ".join(at) for key, *at in found}


def post(client: FlaskClient, path: str, data: Any = None, body: Any = None) -> int:
    headers = {"X-CSRFToken": token_of(client.get("/dashboards/").text)}
    return client.post(path, data=data, json=body, headers=headers).status_code


def arrange(client: FlaskClient, **given: Any) -> int:
    return post(client, "/dashboards/work/arrange", body=given)


def test_home_is_the_dashboard_of_ones_role_and_the_days_work_stays_near(
    clerk: FlaskClient, guest: FlaskClient
) -> None:
    home = clerk.get("/").text
    assert "<title>Work of clerks" in home
    assert 'hx-get="/dashboards/work/amount"' in home
    assert "Good " in clerk.get("/today").text
    assert "Good " in guest.get("/").text


def test_what_one_begins_with_is_chosen(guest: FlaskClient) -> None:
    assert post(guest, "/dashboards/home", data={"key": "more"}) == 303
    assert "<title>More to see" in guest.get("/").text
    assert post(guest, "/dashboards/home", data={"key": "today"}) == 303
    assert "Good " in guest.get("/").text
    assert post(guest, "/dashboards/home", data={"key": "nowhere"}) == 404


def test_a_number_is_of_the_period_with_the_one_before_and_leads_to_its_report(boss: FlaskClient) -> None:
    card = boss.get("/dashboards/work/amount").text
    assert "€150" in said(card)
    assert "100%" in said(card)  # twice as much as in December
    href = unescape(re.findall(r'href="([^"]+)"', card)[0])
    assert href.startswith("/reports/by-stage?filter=")
    assert "€150" in said(boss.get(href).text)
    before = unescape(re.findall(r'href="([^"]+)"', card)[1])
    assert "€75" in said(boss.get(before).text)
    assert "€10" in said(boss.get("/dashboards/work/amount?period=2026-03-01..").text)
    assert "€235" in said(boss.get("/dashboards/work/amount?period=all").text)


def test_two_days_of_the_form_make_a_period(boss: FlaskClient) -> None:
    page = boss.get("/dashboards/work?period.from=2025-12-01&period.to=2025-12-31").text
    assert "period=2025-12-01..2025-12-31" in unescape(page)
    assert "€75" in said(boss.get("/dashboards/work/amount?period.from=2025-12-01&period.to=2025-12-31").text)


def test_a_chart_table_and_list_show_what_fits(boss: FlaskClient) -> None:
    chart = json.loads(boss.get("/dashboards/work/chart").text.partition('json">')[2].partition("</script>")[0])
    assert (chart["categories"], chart["series"][0]["values"]) == (["New", "Won"], [100, 50])
    table = said(boss.get("/dashboards/work/table").text)
    assert "New 1 €100" in table
    assert "Total 2 €150" in table
    listed = boss.get("/dashboards/work/list").text
    assert "Alpha &lt;b&gt;" in listed
    assert "Delta" not in listed


def test_a_reader_sees_their_own_and_no_hidden_field(boss: FlaskClient, clerk: FlaskClient) -> None:
    assert "€50" in said(clerk.get("/dashboards/work/amount").text)
    assert "not for your role" in said(clerk.get("/dashboards/work/margin").text)
    assert "€" in said(boss.get("/dashboards/work/margin").text)
    listed = clerk.get("/dashboards/work/list").text
    assert "Beta" in listed
    assert "Alpha" not in listed
    assert "Margin" not in listed


def test_what_a_widget_may_not_show_is_a_plain_word_and_nothing_else(guest: FlaskClient) -> None:
    page = guest.get("/dashboards/work/amount")
    assert page.status_code == 200
    assert said(page.text) == "Sold This is not for your role."


def test_a_widget_for_other_roles_is_not_there(boss: FlaskClient, clerk: FlaskClient) -> None:
    assert "<em>you</em>" in boss.get("/dashboards/work/boss").text
    assert clerk.get("/dashboards/work/boss").status_code == 404
    assert "Only" not in clerk.get("/dashboards/work").text
    assert boss.get("/dashboards/work/nothing").status_code == 404


def test_who_sees_nothing_of_a_dashboard_does_not_know_of_it(app: Flask) -> None:
    stranger = signed_in_client(app, "stranger@example.com")
    assert stranger.get("/dashboards/work").status_code == 404
    assert stranger.get("/dashboards/work/amount").status_code == 404
    assert "Work of clerks" not in stranger.get("/dashboards/").text
    assert "/dashboards/" not in stranger.get("/").text


def test_a_wrong_period_is_told_and_takes_nothing_else_along(boss: FlaskClient) -> None:
    page = boss.get("/dashboards/work?period=sometime")
    assert page.status_code == 200
    assert "“sometime” is no period." in said(page.text)
    assert "“sometime” is no period." in said(boss.get("/dashboards/work/amount?period=sometime").text)


def test_only_the_sites_that_a_dashboard_names_are_framed(boss: FlaskClient) -> None:
    policy = boss.get("/dashboards/work").headers["Content-Security-Policy"]
    assert policy.endswith("; frame-src https://maps.example")
    assert "frame-src" not in boss.get("/dashboards/more").headers["Content-Security-Policy"]
    assert 'sandbox="' in boss.get("/dashboards/work/site").text


def test_an_arrangement_is_ones_own_until_an_administrator_makes_it_everybodys(
    boss: FlaskClient, clerk: FlaskClient
) -> None:
    written = places(clerk.get("/dashboards/work").text)
    assert arrange(clerk, widgets={"amount": [0, 3, 4, 2]}, hidden=["chart", "nonsense"]) == 204
    mine = places(clerk.get("/dashboards/work").text)
    assert mine["amount"] == "0 3 4 2"
    assert "chart" not in mine
    assert places(boss.get("/dashboards/work").text)["amount"] == written["amount"]
    assert arrange(clerk, widgets={"amount": [0, 0, 12, 2]}, **{"for": "all"}) == 403
    assert arrange(boss, widgets={"amount": [0, 0, 12, 2]}, **{"for": "all"}) == 204
    assert places(clerk.get("/dashboards/work").text)["amount"] == "0 3 4 2"
    assert post(clerk, "/dashboards/work/reset") == 303
    assert places(clerk.get("/dashboards/work").text)["amount"] == "0 0 12 2"
    assert post(clerk, "/dashboards/work/reset", data={"for": "all"}) == 403
    assert post(boss, "/dashboards/work/reset", data={"for": "all"}) == 303
    assert places(clerk.get("/dashboards/work").text) == written


@pytest.mark.parametrize(
    "widgets",
    [
        None,
        [],
        {"amount": [0, 0, 13, 2]},
        {"amount": [-1, 0, 3, 2]},
        {"amount": [0, 0, 3, 200]},
        {"amount": [0, 9999, 3, 2]},
        {"amount": ["0", 0, 3, 2]},
        {"amount": [0, 0, 3]},
        {"amount": [0, 0, 6, 4], "chart": [5, 3, 6, 4]},
    ],
)
def test_what_is_no_arrangement_is_refused(clerk: FlaskClient, widgets: Any) -> None:
    before = clerk.get("/dashboards/work").text
    assert arrange(clerk, widgets=widgets) == 422
    assert places(clerk.get("/dashboards/work").text) == places(before)


def test_the_menu_and_the_palette_find_dashboards(boss: FlaskClient) -> None:
    page = boss.get("/dashboards/work").text
    assert re.search(r'href="/dashboards/work" aria-current="page"[^>]*title="Work of clerks"', page)
    found = boss.get("/search?q=clerks").text
    assert 'href="/dashboards/work"' in found
    listed = said(boss.get("/dashboards/").text)
    assert listed.index("Work of clerks", listed.index("For my role")) < listed.index("More to see")


def test_a_feed_and_a_calendar_show_records(boss: FlaskClient) -> None:
    assert "Delta" in said(boss.get("/dashboards/more/sales").text)
    assert "Nothing on the next days." in said(boss.get("/dashboards/more/days").text)


def test_a_report_says_in_words_what_a_dashboard_has_narrowed_it_by(boss: FlaskClient) -> None:
    href = unescape(re.findall(r'href="([^"]+)"', boss.get("/dashboards/work/amount?owner=me").text)[0])
    page = boss.get(href).text
    told = said(page[page.index('class="t-rep-narrowed"') : page.index("Show all", page.index("t-rep-narrowed"))])
    assert "Jan 1, 2026" in told
    assert "Owner = " in told
    assert "t-rep-narrowed" not in boss.get("/reports/by-stage").text
