"""Reports by mail: to everybody with their own rights, in their language, and to nobody who may not or will not."""

from __future__ import annotations

import io
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask
from openpyxl import load_workbook
from tests.conftest import layers_of
from tests.web.frame_tenants import PEOPLE, add_person, app_of, signed_in_client, token_of

from trellis.automation.clock import moved, now
from trellis.automation.jobs import defer
from trellis.automation.mail.account import Account
from trellis.automation.mail.attachments import attached_to
from trellis.automation.mail.letter import Letter
from trellis.automation.worker.drain import drain
from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.model import sealing
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.reports.schedule.timers import AGAIN, Timer, next_after
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.web.reports import mailing

YAML = (
    PEOPLE
    + """
entity: sale
label: Sale
plural: Sales
fields:
  name:   {type: text, required: true}
  owner:  {type: user, role: owner}
  amount: {type: money}
  margin: {type: money}
---
role: boss
grants: {"*": {read: all, create: true, update: all}}
allow: [admin, reports]
---
role: clerk
grants: {"*": {read: all}, sale: {read: own, fields: {margin: hidden}}}
allow: [reports]
---
role: late
grants: {"*": {read: all}, sale: {read: own, fields: {margin: hidden}}}
allow: [reports]
---
role: guest
grants: {"*": {read: all}}
---
report: weekly
label: Sales of the week
entity: sale
group: [name]
measures: {amount: {formula: sum(amount), label: Amount}, margin: {formula: sum(margin), label: Margin}}
mail: {cron: "0 7 * * 1", to: [{role: boss}, {role: clerk}, {role: guest}, nobody@example.com]}
---
dashboard: desk
label: The desk
filters: {owner: {type: user, label: Owner}}
widgets:
  total:  {number: weekly, measure: amount, label: Sold}
  margin: {number: weekly, measure: margin, label: Earned}
  lines:  {table: weekly, label: Lines}
  sales:  {list: sale, label: Records}
mail: {cron: "0 7 * * 2", to: {role: late}}
"""
)
I18N = {"i18n/zh-Hans.yaml": "report.weekly.label: 每周销售\n"}
DAYS = timedelta(days=8)
weeks: list[timedelta] = []
Sent = list[tuple[str, Letter]]


@pytest.fixture(scope="module", autouse=True)
def key() -> Iterator[None]:
    before = list(sealing._keys)
    sealing.use_keys(Fernet.generate_key())
    yield
    sealing._keys[:] = before


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("report-mail", layers_of({"schemas/test.yaml": YAML, **I18N}, "report-mail"), "test")
    store = Store(tenant, Principal.system(Reader(currency="EUR")))
    people = {
        "boss": add_person(tenant, "boss@example.com", "boss"),
        "clerk": add_person(tenant, "clerk@example.com", "clerk", language="zh-Hans"),
        "guest": add_person(tenant, "guest@example.com", "guest"),
    }
    for name, owner, amount in (("Ours", "clerk", 20), ("<b>Theirs</b>", "boss", 50)):
        money = Money(Decimal(amount), "EUR")
        store.create("sale", {"name": name, "owner": people[owner], "amount": money, "margin": money})
    yield tenant
    catalogue.drop("report-mail")


@pytest.fixture(scope="module")
def app(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(tenant, tmp_path_factory.mktemp("report-mail"))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Who was posted what."""
    found: Sent = []

    def post(connection: Any, tenant: Tenant, to: str, letter: Letter, kind: str, **more: Any) -> None:
        assert more["once"]
        found.append((to, Letter.of_data(letter.as_data())))

    monkeypatch.setattr(mailing, "post", post)
    monkeypatch.setattr(mailing, "address_of", lambda tenant: "https://crm.example/t/report-mail")
    return found


def a_week_later(catalogue: Catalogue, tenant: Tenant) -> None:
    """Let everything that comes due in a week happen: each time the next week."""
    weeks.append(DAYS)
    ahead = sum(weeks, timedelta())
    with moved(ahead):
        drain(catalogue, tenant, ahead=ahead)


def submit(app: Flask, who: str, **form: str) -> None:
    client = signed_in_client(app, f"{who}@example.com")
    token = token_of(client.get("/reports/weekly").text)
    assert client.post("/reports/weekly/mail", data={"csrf_token": token, **form}).status_code == 303


def test_everybody_gets_what_they_may_see_in_their_language(catalogue: Catalogue, tenant: Tenant, sent: Sent) -> None:
    a_week_later(catalogue, tenant)
    letters = dict(sent)
    assert sorted(letters) == ["boss@example.com", "clerk@example.com"]  # the guest may read no reports
    boss, clerk = letters["boss@example.com"], letters["clerk@example.com"]
    assert boss.grid is not None
    assert clerk.grid is not None
    assert [name for name, _ in boss.grid["heads"]] == ["Name", "Amount", "Margin"]
    assert [name for name, _ in clerk.grid["heads"]] == ["Name", "Amount"]
    assert [cells[0] for _, cells in clerk.grid["lines"]] == ["Ours", "合计"]
    assert boss.grid["lines"][-1] == ["total", ["Total", "€70", "€70"]]
    assert clerk.heading == "每周销售"
    assert "&lt;b&gt;Theirs&lt;/b&gt;" in boss.html
    assert "Theirs" not in clerk.html + clerk.text
    name, kind, content = clerk.files[0]
    assert name == "每周销售.xlsx"
    rows = list(load_workbook(io.BytesIO(b64decode(content))).active.iter_rows(values_only=True))
    assert rows[1][:2] == ("Ours", 20)
    assert len(rows[0]) == 2
    account = Account("localhost", 25, "none", "crm@example.com")
    message = clerk.message(account, "clerk@example.com", UUID(int=1), attached_to(tenant, clerk))
    assert [part.get_filename() for part in message.iter_attachments()] == [name]
    assert kind == message.get_payload()[1].get_content_type()
    assert "List-Unsubscribe-Post" in message


def test_a_letter_ends_its_mailing_without_a_sign_in(
    catalogue: Catalogue, tenant: Tenant, app: Flask, sent: Sent
) -> None:
    a_week_later(catalogue, tenant)
    clerk = dict(sent)["clerk@example.com"]
    path = clerk.unsubscribe.removeprefix("https://crm.example/t/report-mail")
    stranger = app.test_client()
    assert "Send me this report no more" in stranger.get(path, headers={"Accept-Language": "en"}).text
    assert stranger.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert stranger.get("/reports/stop/forged").status_code == 404
    sent.clear()
    a_week_later(catalogue, tenant)
    assert sorted(to for to, _ in sent) == ["boss@example.com"]
    submit(app, "clerk", do="resume")
    sent.clear()
    a_week_later(catalogue, tenant)
    assert sorted(to for to, _ in sent) == ["boss@example.com", "clerk@example.com"]


def test_a_person_asks_for_a_report_as_they_look_at_it(
    catalogue: Catalogue, tenant: Tenant, app: Flask, sent: Sent
) -> None:
    submit(app, "clerk", do="subscribe", when="daily", hour="9", state="cols=amount&sort=-amount")
    page = signed_in_client(app, "clerk@example.com").get("/reports/weekly").text
    assert '<option value="daily" selected>' in page
    a_week_later(catalogue, tenant)
    assert sorted(to for to, _ in sent) == [
        "boss@example.com",
        "clerk@example.com",
    ]  # each once
    letter = dict(sent)["clerk@example.com"]
    assert letter.button is not None
    assert "sort=-amount" in letter.button[1]
    submit(app, "clerk", do="stop")
    sent.clear()
    a_week_later(catalogue, tenant)
    assert sorted(to for to, _ in sent) == ["boss@example.com"]
    submit(app, "clerk", do="resume")


def test_who_may_no_longer_read_it_gets_it_no_more(
    catalogue: Catalogue, tenant: Tenant, app: Flask, sent: Sent
) -> None:
    submit(app, "clerk", do="subscribe", when="daily", hour="9")
    user = tenant.tables.entity["user"]
    with tenant.begin() as connection:
        connection.execute(sa.update(user).where(user.c.email == "clerk@example.com").values(roles=["guest"]))
    a_week_later(catalogue, tenant)
    assert sorted(to for to, _ in sent) == ["boss@example.com"]
    with tenant.begin() as connection:
        connection.execute(sa.update(user).where(user.c.email == "clerk@example.com").values(roles=["clerk"]))
    submit(app, "clerk", do="stop")


def test_times_are_the_companys() -> None:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    at = next_after("0 7 * * mon", datetime(2026, 3, 27, 12, tzinfo=UTC), ZoneInfo("Europe/Berlin"))
    assert at == datetime(2026, 3, 30, 5, tzinfo=UTC)  # summer time since Sunday
    assert Timer("mine:x:y", "").what == ("mine", "x:y")


def test_a_dashboard_comes_with_the_numbers_of_each_who_gets_it(
    catalogue: Catalogue, tenant: Tenant, app: Flask, sent: Sent
) -> None:
    late = add_person(tenant, "late@example.com", "late", language="zh-Hans")
    store = Store(tenant, Principal.system(Reader(currency="EUR")))
    store.create("sale", {"name": "Late one", "owner": late, "amount": Money(Decimal(5), "EUR")})
    boss = signed_in_client(app, "boss@example.com")
    form = boss.get("/dashboards/desk/mail/form?owner=me").text
    assert 'name="owner" value="me"' in form
    asked = {"csrf_token": token_of(boss.get("/reports/weekly").text), "when": "weekly", "hour": "6"}
    assert boss.post("/dashboards/desk/mail/set", data=asked).status_code == 303
    a_week_later(catalogue, tenant)
    letters = {to: letter for to, letter in sent if letter.heading == "The desk"}
    assert sorted(letters) == ["boss@example.com", "late@example.com"]
    theirs, mine = letters["boss@example.com"], letters["late@example.com"]
    assert [f[:2] for f in theirs.sections[0]["figures"]] == [["Sold", "€75"], ["Earned", "€70"]]
    assert [f[:2] for f in mine.sections[0]["figures"]] == [["Sold", "€5"]]  # who may not see a margin has none
    assert [cells[0] for _, cells in mine.sections[1]["lines"]] == ["Late one", "合计"]
    assert "Theirs" not in mine.html + mine.text
    assert "&lt;b&gt;Theirs&lt;/b&gt;" in theirs.html
    assert "Sold: €75" in theirs.text
    path = mine.unsubscribe.removeprefix("https://crm.example/t/report-mail")
    assert app.test_client().post(path).status_code == 200
    sent.clear()
    a_week_later(catalogue, tenant)
    assert [to for to, letter in sent if letter.heading == "The desk"] == ["boss@example.com"]
    gone = {"csrf_token": asked["csrf_token"], "do": "stop"}
    assert boss.post("/dashboards/desk/mail/set", data=gone).status_code == 303
    sent.clear()
    a_week_later(catalogue, tenant)
    assert [to for to, letter in sent if letter.heading == "The desk"] == []


def test_mails_go_on_when_the_databases_clock_is_set_back(tenant: Tenant, catalogue: Catalogue) -> None:
    table = tenant.tables.platform.report_timer
    with tenant.begin() as connection:
        connection.execute(sa.update(table).values(next_at=now() + timedelta(days=100)))
        defer(connection, AGAIN)
    drain(catalogue, tenant)
    with tenant.begin() as connection:
        due = set(connection.execute(sa.select(table.c.next_at)).scalars())
    assert due
    assert max(due) < now() + DAYS
