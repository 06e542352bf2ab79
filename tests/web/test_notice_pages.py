"""What people are told and asked: notices, mentions, approvals on the page and from a letter; papers of a record."""

from __future__ import annotations

import io
from collections.abc import Iterator
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from tests.conftest import layers_of
from tests.web.frame_tenants import PEOPLE, add_person, app_of, outcome, signed_in_client, token_of

import trellis.automation.workflows.engine
import trellis.identity.automating  # noqa: F401 (knows people as principals)
from trellis.automation import notices
from trellis.automation.live import hub_of
from trellis.automation.worker import drain
from trellis.automation.workflows import approvals
from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.web import streams

YAML = """
entity: order
label: Order
title: name
fields:
  name: {type: text, required: true}
  owner: {type: user, role: owner}
  state: {type: choice, choices: [draft, approved, rejected], default: draft}
  limit: {type: percent}
  secret: {type: text, label: Secret}
  papers: {type: file, multiple: true}
---
document: order-pdf
label: Order as PDF
entity: order
name: "Order {{ name }}"
body: "# Order {{ name }} {{ secret }}"
---
workflow: check
on: {record: order, created: true}
steps:
  - approve:
      by: {role: boss}
      need: any
      label: "Check {name}"
      form: {limit: {type: percent, max: 50, required: true}}
    as: decision
  - set: {state: =decision.outcome, limit: =decision.limit}
    when: decision.outcome != "returned"
---
workflow: look
on: {record: order, changed: [limit]}
steps:
  - approve: {by: {role: boss}, need: any, label: "Look at {name}"}
---
role: boss
grants: {"*": {read: all, update: all}}
---
role: rep
grants: {"*": {read: all}, order: {read: own, create: true, fields: {secret: hidden}}}
"""


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    made = catalogue.create("notices", layers_of(f"{PEOPLE}---{YAML}", "notices"), "test")
    add_person(made, "boss@x.example", "boss", name="Ada Boss")
    add_person(made, "rep@x.example", "rep", name="Rita Rep")
    add_person(made, "other@x.example", "rep", name="Otto Rep")
    yield made
    catalogue.drop("notices")


@pytest.fixture(scope="module")
def app(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(tenant, tmp_path_factory.mktemp("notices"))


@pytest.fixture(scope="module")
def boss(app: Flask) -> FlaskClient:
    return signed_in_client(app, "boss@x.example")


@pytest.fixture(scope="module")
def rep(app: Flask) -> FlaskClient:
    return signed_in_client(app, "rep@x.example")


def user(tenant: Tenant, email: str) -> UUID:
    table = tenant.tables.entity["user"]
    with tenant.begin() as connection:
        return connection.execute(sa.select(table.c.id).where(table.c.email == f"{email}@x.example")).scalar_one()


def order(catalogue: Catalogue, tenant: Tenant, name: str) -> UUID:
    """An order of Rita's, which the boss is asked about."""
    rita = user(tenant, "rep")
    store = Store(
        tenant, Principal(Reader(me=Ref("user", rita), roles=frozenset({"rep"})), rita, "Rita Rep", frozenset({"rep"}))
    )
    id = store.create("order", {"name": name, "owner": Ref("user", rita)}).id
    drain(catalogue, tenant)
    return id


def asked(tenant: Tenant, record: UUID) -> UUID:
    table = tenant.tables.platform.approval
    with tenant.begin() as connection:
        still = table.c.record == record, table.c.state == "pending"
        return connection.execute(sa.select(table.c.id).where(*still)).scalar_one()


def post(client: FlaskClient, address: str, **form: str) -> int:
    form["csrf_token"] = token_of(client.get("/approvals").text)
    return outcome(client.post(address, data=form))


def test_answers_of_an_approval_are_checked_and_nothing_typed_is_lost(
    catalogue: Catalogue, tenant: Tenant, boss: FlaskClient
) -> None:
    id = order(catalogue, tenant, "A-1")
    page, mine = boss.get("/approvals").text, asked(tenant, id)
    assert "Check A-1" in page
    assert "asked by Rita Rep" in page
    form = {"csrf_token": token_of(page), "_outcome": "approved", "_comment": "kept", "limit": "80"}
    refused = boss.post(f"/approvals/{mine}", data=form)
    assert outcome(refused) == 422
    assert 'value="80"' in refused.text
    assert ">kept</textarea>" in refused.text
    assert boss.post(f"/approvals/{mine}", data={**form, "limit": "20"}).status_code == 303
    drain(catalogue, tenant)
    row = Store(tenant, Principal.system(Reader())).read("order", id)
    assert (row["state"], str(row["limit"])) == ("approved", "20")


def test_it_is_sent_back_with_a_reason_and_handed_over_to_somebody_who_can(
    catalogue: Catalogue, tenant: Tenant, boss: FlaskClient, rep: FlaskClient
) -> None:
    mine = asked(tenant, order(catalogue, tenant, "A-2"))
    address = f"/approvals/{mine}"
    assert post(boss, address, _outcome="returned") == 422
    for to in ("", str(user(tenant, "boss")), str(user(tenant, "rep")), str(UUID(int=5))):
        assert post(boss, address, _outcome="delegated", _to=to) == 422
    assert post(rep, address, _outcome="approved") == 409
    assert post(boss, address, _outcome="nonsense") == 400
    assert post(boss, address, _outcome="returned", _comment="Which one?") == 303
    assert "Ada Boss sends it back: Check A-2. Which one?" in rep.get("/notices").text


def test_a_letters_link_shows_what_is_asked_and_only_its_buttons_decide(
    catalogue: Catalogue, tenant: Tenant, app: Flask
) -> None:
    id = order(catalogue, tenant, "A-3")
    Store(tenant, Principal.system(Reader())).update("order", id, {"limit": 5})
    drain(catalogue, tenant)
    table = tenant.tables.platform.approval
    with tenant.begin() as connection:
        mine = sa.update(table).where(table.c.record == id, table.c.title == "Look at A-3")
        connection.execute(mine.values(token=approvals.digest("letter")))
    anybody, address = app.test_client(), "/approvals/by-mail/letter"
    page = anybody.get(address)
    assert "Look at A-3" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert anybody.get(address).status_code == 200  # looking decides nothing
    form = {"csrf_token": token_of(page.text), "_outcome": "rejected", "_comment": "No"}
    assert "Rejected" in anybody.post(address, data=form).text
    assert outcome(anybody.post(address, data=form)) == 409
    assert outcome(anybody.get(address)) == 404
    with tenant.begin() as connection:
        row = connection.execute(sa.select(table).where(table.c.record == id, table.c.title == "Look at A-3")).one()
    assert (row.state, row.comment, row.decided_by) == ("rejected", "No", user(tenant, "boss"))


def test_one_chooses_how_one_hears_of_what(tenant: Tenant, rep: FlaskClient) -> None:
    form = {
        "csrf_token": token_of(rep.get("/profile").text),
        "app-workflow": "1",
        "mail-workflow": "daily",
        "hour": "17",
    }
    assert rep.post("/profile/notices", data=form).status_code == 302
    page = rep.get("/profile").text
    assert '<option value="17" selected>' in page
    with tenant.begin() as connection:
        me = user(tenant, "rep")
        for kind in ("workflow", "mention"):
            notices.tell(connection, tenant, [me], f"of kind {kind}", kind=kind)
    page = rep.get("/notices").text
    assert "of kind workflow" in page
    assert "of kind mention" not in page


def test_only_people_who_may_read_the_record_are_offered(
    catalogue: Catalogue, tenant: Tenant, boss: FlaskClient
) -> None:
    id = order(catalogue, tenant, "A-4")
    found = boss.get(f"/e/order/{id}/mention?q=r").json["people"]
    assert [one["name"] for one in found] == ["Rita Rep"]  # Otto sees only what is his


def test_a_paper_is_shown_and_kept_by_whoever_may(
    catalogue: Catalogue, tenant: Tenant, boss: FlaskClient, rep: FlaskClient
) -> None:
    id = order(catalogue, tenant, "A-5")
    Store(tenant, Principal.system(Reader())).update("order", id, {"secret": "hush"})
    address = f"/e/order/{id}/document/order-pdf"
    for client, words in ((boss, "Order A-5 hush"), (rep, "Order A-5")):
        answer = client.get(f"{address}.pdf?download=1")
        assert answer.mimetype == "application/pdf"
        assert "attachment" in answer.headers["Content-Disposition"]
        text = PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()
        assert " ".join(text.split()).removesuffix(" 1 / 1") == words
    assert "Keep with the record" in boss.get(address).text
    assert "Keep with the record" not in rep.get(address).text
    assert post(boss, f"{address}/keep") == 303
    [held] = Store(tenant, Principal.system(Reader())).read("order", id)["papers"]
    assert held["name"] == "Order A-5.pdf"
    assert outcome(boss.get(f"/e/order/{id}/document/other")) == 404


def test_nobody_listens_and_no_page_is_sent_instead(app: Flask) -> None:
    answer = app.test_client().get("/notices/stream")
    assert (answer.status_code, answer.data) == (204, b"")


def test_pages_listen_where_there_is_a_place_and_are_told(tenant: Tenant, boss: FlaskClient) -> None:
    assert boss.get("/notices/stream").status_code == 204
    streams.places.most = 1
    try:
        answer = boss.get("/notices/stream")
        assert answer.mimetype == "text/event-stream"
        heard = iter(answer.response)
        assert next(heard).startswith(b"retry:")
        assert boss.get("/notices/stream").status_code == 204  # the only place is taken
        with tenant.begin() as connection:
            notices.tell(connection, tenant, [user(tenant, "boss")], "New", kind="workflow")
        assert next(heard) == b"event: notices\ndata: {}\n\n"
        answer.close()
        again = boss.get("/notices/stream")
        assert again.status_code == 200
        again.close()
    finally:
        streams.places.most = 0
        hub_of(tenant.database).close()
