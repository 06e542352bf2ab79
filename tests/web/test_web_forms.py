"""Public forms: who is nobody may send one in, once, and nothing but what it asks."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from tests.automation.mail.mailbox import Mailbox, mail_server
from tests.web.frame_tenants import YAML, add_person, app_of, signed_in_client

from trellis.automation import clock
from trellis.automation.forms import looking
from trellis.automation.worker import drain
from trellis.automation.workflows import engine  # noqa: F401 (does the runs)
from trellis.model import sealing
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

FORMS = """
---
entity: lead
title: name
fields:
  name:    {type: name, required: true}
  email:   {type: email, unique: true}
  phone:   {type: phone}
  need:    {type: long_text}
  topics:  {type: choices, choices: [crm, erp]}
  people:  {type: integer, min: 1}
  consent: {type: boolean}
  source:  {type: choice, choices: [website, fair]}
  rating:  {type: integer}
  paper:   {type: file, max_size: 1 KB, accept: [.txt]}
  utm_campaign: {type: text, max_length: 12}
  note:    {type: text}
---
workflow: contact
on:
  form:
    entity: lead
    fields: [name, email, phone, need, topics, people, consent, paper]
    required: [email, consent]
    set: {source: website}
    label: Talk to us
    thanks: We will call you.
    embed: [https://www.acme.example]
when: is_blank(rating)
steps:
  - set: {note: "from {form.utm_source}, {form.language}"}
---
workflow: newsletter
on: {form: {entity: lead, fields: [name, email], confirm: email}}
steps: [{set: {note: "{form.confirmed_at}"}}]
"""


@pytest.fixture(scope="module", autouse=True)
def key() -> Iterator[None]:
    before = list(sealing._keys)
    sealing.use_keys(Fernet.generate_key())
    yield
    sealing._keys[:] = before


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue, mailbox: Mailbox) -> Iterator[Tenant]:
    from tests.conftest import layers_of

    yield catalogue.create("web-forms", layers_of(YAML + FORMS, "web-forms", profile=mailbox.profile), "test")
    catalogue.drop("web-forms")


@pytest.fixture(scope="module")
def app(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(tenant, tmp_path_factory.mktemp("web-forms"))


@pytest.fixture
def nobody(app: Flask, tenant: Tenant) -> Iterator[FlaskClient]:
    yield app.test_client()
    tables = tenant.tables
    with tenant.begin() as connection:
        for table in (tables.entity["lead"], tables.platform.form_entry, tables.platform.mail):
            connection.execute(sa.delete(table))


GOOD = {"name": "Ann Lee", "email": "ann@x.example", "consent": "true"}


def ticket_of(client: FlaskClient, form: str = "contact", query: str = "", **more: Any) -> str:
    page = client.get(f"/forms/{form}{query}", **more).get_data(as_text=True)
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found, page
    return found[1]


def send(client: FlaskClient, values: dict[str, Any], form: str = "contact", seconds: int = 20, **more: Any) -> Any:
    ticket = more.pop("ticket", None) or ticket_of(client, form, more.pop("query", ""))
    with clock.moved(timedelta(seconds=seconds)):
        return client.post(f"/forms/{form}", data={**values, "ticket": ticket}, **more)


def leads(tenant: Tenant) -> list[Any]:
    with tenant.begin() as connection:
        return list(connection.execute(sa.select(tenant.tables.entity["lead"])).all())


def states(tenant: Tenant) -> list[str]:
    with tenant.begin() as connection:
        return list(connection.execute(sa.select(tenant.tables.platform.form_entry.c.state)).scalars())


def test_what_a_stranger_sends_becomes_a_record_and_sets_the_workflow_off(
    tenant: Tenant, nobody: FlaskClient, catalogue: Catalogue
) -> None:
    values = {**GOOD, "topics": ["crm", "erp"], "people": "12", "phone": "+49 30 1234567"}
    answer = send(nobody, values, query="?utm_source=news&utm_campaign=spring-of-2026-at-last")
    assert answer.status_code == 303
    assert "We will call you." in nobody.get(answer.location).get_data(as_text=True)
    drain(catalogue, tenant)
    (lead,) = leads(tenant)
    assert (lead.email, lead.source, lead.people, lead.topics) == ("ann@x.example", "website", 12, ["crm", "erp"])
    assert (lead.utm_campaign, lead.note) == ("spring-of-20", "from news, en")
    assert "Set-Cookie" not in answer.headers


def test_what_the_form_does_not_ask_for_cannot_be_set(tenant: Tenant, nobody: FlaskClient) -> None:
    send(nobody, {**GOOD, "rating": "99", "source": "fair", "note": "mine", "id": "1", "owner": "x"})
    (lead,) = leads(tenant)
    assert (lead.rating, lead.source, lead.note) == (None, "website", None)


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(tenant: Tenant, nobody: FlaskClient) -> None:
    paper = (io.BytesIO(b"hello"), "hello.txt")
    wrong = {"name": "", "email": "ann@", "people": "0", "need": "A <b>CRM</b>", "topics": "erp", "paper": paper}
    answer = send(nobody, wrong, content_type="multipart/form-data")
    page = answer.get_data(as_text=True)
    assert (answer.status_code, leads(tenant), states(tenant)) == (422, [], [])
    for name in ("name", "email", "people", "consent"):
        assert f'id="f-{name}-e"' in page
    assert 'value="ann@"' in page
    assert "A &lt;b&gt;CRM&lt;/b&gt;" in page
    assert re.search(r'value="erp" checked', page)
    kept = re.search(r'name="paper.kept" value="([^"]+)"', page)
    assert kept
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)
    assert ticket
    again = send(nobody, {**GOOD, "paper.kept": kept[1]}, ticket=ticket[1])
    assert again.status_code == 303
    assert leads(tenant)[0].paper[0]["name"] == "hello.txt"


@pytest.mark.parametrize(("name", "body"), [("hello.exe", b"MZ"), ("hello.txt", b"x" * 2000)])
def test_files_that_are_not_asked_for_are_refused(tenant: Tenant, nobody: FlaskClient, name: str, body: bytes) -> None:
    answer = send(nobody, {**GOOD, "paper": (io.BytesIO(body), name)}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert 'id="f-paper-e"' in answer.get_data(as_text=True)
    send(nobody, {**GOOD, "need": (io.BytesIO(b"x"), "need.txt")}, content_type="multipart/form-data")
    assert [lead.need for lead in leads(tenant)] == [None]


def test_a_page_counts_once(tenant: Tenant, nobody: FlaskClient) -> None:
    ticket = ticket_of(nobody)
    for _ in range(3):
        assert send(nobody, GOOD, ticket=ticket).status_code == 303
    assert len(leads(tenant)) == 1


@pytest.mark.parametrize("how", [{"values": {"extra_note": "buy"}}, {"seconds": 1}])
def test_machines_are_thanked_and_laid_aside(tenant: Tenant, nobody: FlaskClient, how: dict[str, Any]) -> None:
    answer = send(nobody, {**GOOD, **how.get("values", {})}, seconds=how.get("seconds", 20))
    assert (answer.status_code, leads(tenant), states(tenant)) == (303, [], ["spam"])


def test_an_old_or_foreign_page_is_drawn_anew_with_what_was_typed(tenant: Tenant, nobody: FlaskClient) -> None:
    for how in ({"seconds": 90_000}, {"ticket": "forged"}, {"ticket": ticket_of(nobody, "newsletter")}):
        answer = send(nobody, GOOD, **how)  # type: ignore[arg-type]
        assert answer.status_code == 422
        assert 'value="ann@x.example"' in answer.get_data(as_text=True)
    assert leads(tenant) == []


def test_one_network_sends_in_so_much_at_a_time(
    tenant: Tenant, nobody: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST", 2)
    answers = [send(nobody, {**GOOD, "email": f"a{n}@x.example"}).status_code for n in range(3)]
    assert answers == [303, 303, 429]
    other = send(nobody, {**GOOD, "email": "b@x.example"}, environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert other.status_code == 303


def test_nobody_learns_that_an_address_is_known(tenant: Tenant, nobody: FlaskClient, app: Flask) -> None:
    send(nobody, GOOD)
    answer = send(nobody, {**GOOD, "need": "once more"})
    assert (answer.status_code, len(leads(tenant)), sorted(states(tenant))) == (303, 1, ["held", "made"])
    add_person(tenant, "admin@x.example", "admin")
    admin = signed_in_client(app, "admin@x.example")
    page = admin.get("/admin/workflows/contact").get_data(as_text=True)
    assert "once more" in page
    entry = re.search(r"/admin/workflows/contact/entries/([0-9a-f-]{36})/drop", page)
    assert entry
    token = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert token
    refused = admin.post(f"/admin/workflows/contact/entries/{entry[1]}/accept", data={"csrf_token": token[1]})
    assert refused.status_code == 303  # it is known still, which the page says
    admin.post(f"/admin/workflows/contact/entries/{entry[1]}/drop", data={"csrf_token": token[1]})
    assert states(tenant) == ["made"]


def test_an_address_is_confirmed_by_a_link_that_works_once(
    tenant: Tenant, nobody: FlaskClient, catalogue: Catalogue, mailbox: Mailbox
) -> None:
    answer = send(nobody, {"name": "Bo", "email": "bo@x.example"}, form="newsletter")
    assert "mailbox" in nobody.get(answer.location).get_data(as_text=True)
    drain(catalogue, tenant)
    assert (leads(tenant), states(tenant)) == ([], ["waiting"])
    assert "bo@x.example" in mailbox.recipients
    link = mailbox.link().partition("localhost")[2]
    assert nobody.get(link).status_code == 200
    assert leads(tenant) == []  # looking at it is not enough
    assert nobody.post(link).status_code == 200
    assert nobody.post(link).status_code == 410
    drain(catalogue, tenant)
    (lead,) = leads(tenant)
    assert lead.note.startswith("20")


def test_what_nobody_confirms_is_forgotten(tenant: Tenant, nobody: FlaskClient) -> None:
    send(nobody, {"name": "Bo", "email": "bo@x.example"}, form="newsletter")
    with tenant.begin() as connection, clock.moved(timedelta(days=8)):
        looking.purge(connection, tenant)
    table = tenant.tables.platform.form_entry
    with tenant.begin() as connection:
        row = connection.execute(sa.select(table)).one()
    assert (row.state, row._mapping["values"], row.secret, row.sender) == ("expired", None, None, None)


def test_only_the_sites_that_are_named_may_show_it(nobody: FlaskClient) -> None:
    shown = nobody.get("/forms/contact").headers
    assert "frame-ancestors 'self' https://www.acme.example" in shown["Content-Security-Policy"]
    assert "X-Frame-Options" not in shown
    closed = nobody.get("/forms/newsletter").headers
    assert "frame-ancestors 'none'" in closed["Content-Security-Policy"]
    assert closed["X-Frame-Options"] == "DENY"
    assert nobody.get("/forms/none").status_code == 404


def test_in_the_visitors_language(nobody: FlaskClient) -> None:
    assert 'lang="zh-Hans"' in nobody.get("/forms/contact", headers={"Accept-Language": "zh-CN"}).text
    assert 'lang="zh-Hans"' in nobody.get("/forms/contact?lang=zh-Hans").text


def test_for_programs(tenant: Tenant, nobody: FlaskClient) -> None:
    origin = {"Origin": "https://www.acme.example"}
    said = nobody.get("/forms/contact/fields", headers=origin)
    assert said.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert (
        "Access-Control-Allow-Origin"
        not in nobody.get("/forms/contact/fields", headers={"Origin": "https://e.x"}).headers
    )
    ticket = said.get_json()["ticket"]
    assert {"name": "email", "label": "Email", "type": "email", "required": True} in said.get_json()["fields"]
    with clock.moved(timedelta(seconds=20)):
        wrong = nobody.post("/forms/contact/entries", json={"ticket": ticket, "values": {"email": 7, "people": []}})
        assert (wrong.status_code, wrong.mimetype) == (422, "application/problem+json")
        assert {e["field"] for e in wrong.get_json()["errors"]} >= {"name", "email", "consent"}
        right = {"ticket": ticket, "values": {**GOOD, "consent": True, "rating": 9}}
        assert nobody.post("/forms/contact/entries", json=right).status_code == 201
        assert nobody.post("/forms/contact/entries", json={"values": GOOD}).status_code == 422
        assert nobody.post("/forms/contact/entries", data="{").status_code == 400
    (lead,) = leads(tenant)
    assert (lead.email, lead.rating) == ("ann@x.example", None)
