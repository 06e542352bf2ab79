"""Reports in the background: offered when one takes too long, computed as their reader, kept for them for a day."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import PEOPLE, add_person, app_of, signed_in_client, token_of

from trellis.api.app import add_api
from trellis.automation.clock import moved
from trellis.automation.worker.drain import drain
from trellis.formula.reader import Reader
from trellis.formula.types import Money, Ref
from trellis.identity.api_keys import create_key, revoke_key
from trellis.records.principal import Principal
from trellis.records.reading import patient
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.reports.background import runs
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.web.reports import background

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
---
role: boss
grants: {"*": {read: all, create: true, update: all}}
allow: [admin, reports, api]
---
role: clerk
grants: {"*": {read: all}, sale: {read: own}}
allow: [reports, api]
---
report: slow
label: Slow one
entity: sale
params: {least: {type: decimal}}
filter: amount >= param.least
group: [name]
measures: {amount: sum(amount)}
---
report: rows
label: Rows
type: table
entity: sale
columns: [name, amount]
totals: {amount: sum}
"""
)


class World:
    def __init__(self, catalogue: Catalogue, tenant: Tenant, app: Flask) -> None:
        self.catalogue, self.tenant, self.app = catalogue, tenant, app
        self.store = Store(tenant, Principal.system(Reader(currency="EUR")))
        self.people = {name: add_person(tenant, f"{name}@example.com", name) for name in ("boss", "clerk")}

    def client(self, who: str) -> FlaskClient:
        return signed_in_client(self.app, f"{who}@example.com")

    def post(self, client: FlaskClient, path: str, **form: str) -> Any:
        return client.post(path, data={"csrf_token": token_of(client.get("/reports/slow").text), **form})

    def work(self, ahead: timedelta = timedelta()) -> None:
        with moved(ahead):
            drain(self.catalogue, self.tenant, ahead=ahead)

    def ready(self, who: str, report: str = "slow", state: str = "") -> tuple[FlaskClient, str]:
        """A client, and the address of a report that it has let run."""
        client = self.client(who)
        assert self.post(client, f"/reports/{report}/background", state=state).status_code == 303
        self.work()
        (row,) = [r for r in self.rows() if r.state == "done" and r.user == self.people[who]][-1:]
        return client, str(client.get(f"/reports/background/{row.id}").location)

    def rows(self) -> list[Any]:
        table = self.tenant.tables.platform.report_run
        with self.tenant.begin() as connection:
            return list(connection.execute(sa.select(table).order_by(table.c.asked_at)))


@pytest.fixture(scope="module")
def world(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    tenant = catalogue.create("report-runs", layers_of(YAML, "report-runs"), "test")
    app = app_of(tenant, tmp_path_factory.mktemp("report-runs"))
    add_api(app)
    found = World(catalogue, tenant, app)
    for name, owner, amount in (("Ours", "clerk", 20), ("Theirs", "boss", 50)):
        values = {"name": name, "owner": found.people[owner], "amount": Money(Decimal(amount), "EUR")}
        found.store.create("sale", values)
    yield found
    catalogue.drop("report-runs")


@pytest.fixture(autouse=True)
def nothing_waits(world: World) -> None:
    world.work()
    with world.tenant.begin() as connection:
        connection.execute(sa.delete(world.tenant.tables.platform.report_run))


def test_a_report_that_takes_too_long_offers_to_run_in_the_background(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client("boss")
    assert "Run in the background" not in client.get("/reports/slow").text
    monkeypatch.setattr(patient, "_asked", _too_long)
    page = client.get("/reports/slow?least=30")
    assert page.status_code == 422
    assert "takes longer than 30 seconds" in page.text
    assert "Run in the background" in page.text
    monkeypatch.undo()
    assert "There is nothing" not in world.post(client, "/reports/slow/background", state="least=30").location
    assert "Waiting" in client.get("/reports/background/").text
    world.work()
    assert "Slow one" in client.get("/notices").text
    assert "Ready" in client.get("/reports/background/").text
    (row,) = world.rows()
    found = client.get(f"/reports/background/{row.id}").location
    assert f"ran={row.id.hex}" in found
    assert "least=30" in found
    page = client.get(found).text
    assert "Theirs" in page
    assert "Ours" not in page
    assert "Computed in the background" in page


def _too_long(session: Any, statement: Any) -> Any:
    raise Refused([patient._too_long(session, patient.PATIENCE)])


def test_what_is_shown_later_is_what_was_computed_and_comes_as_files_too(world: World) -> None:
    client, address = world.ready("boss")
    table, where = world.ready("boss", "rows")[0], world.rows()[-1]
    id = world.store.create("sale", {"name": "Later", "amount": Money(Decimal(7), "EUR")}).id
    try:
        assert "Later" not in client.get(address).text
        assert "Later" in client.get("/reports/slow").text
        lines = client.get(address.replace("/reports/slow", "/reports/slow.csv")).text.splitlines()
        assert [line.split(",")[0] for line in lines[1:3]] == ["Ours", "Theirs"]
        shown = table.get(f"/reports/rows.csv?ran={where.id.hex}").text
        assert "Ours" in shown
        assert "Later" not in shown
        sorted_ = client.get(address + "&sort=-amount").text
        assert sorted_.index("Theirs") < sorted_.index("Ours")
    finally:
        world.store.delete("sale", id)


def test_it_runs_with_the_rights_of_its_reader_and_is_theirs_alone(world: World) -> None:
    clerk, address = world.ready("clerk")
    page = clerk.get(address).text
    assert "Ours" in page
    assert "Theirs" not in page
    boss = world.client("boss")
    (row,) = world.rows()
    assert boss.get(address).status_code == 404
    assert boss.get(f"/reports/background/{row.id}").status_code == 404
    assert world.post(boss, f"/reports/background/{row.id}/end").status_code == 404
    assert "Slow one" not in boss.get("/reports/background/").text


def test_other_rights_than_it_was_computed_with_show_nothing(world: World) -> None:
    clerk, address = world.ready("clerk")
    world.store.update("user", world.people["clerk"], {"roles": ["clerk", "boss"]})
    try:
        page = clerk.get(address)
        assert page.status_code == 422
        assert "has changed since" in page.text
        assert "Ours" not in page.text
        assert "Run in the background" in page.text
    finally:
        world.store.update("user", world.people["clerk"], {"roles": ["clerk"]})
    assert "Ours" in clerk.get(address).text
    sale = next(r.id for r in world.store.list("sale", columns=("name",)).rows if r["name"] == "Theirs")
    share = world.store.share("sale", sale, Ref("user", world.people["clerk"]), "read")
    assert clerk.get(address).status_code == 422
    world.store.end_share("sale", sale, share.id)
    assert clerk.get(address).status_code == 200


def test_rights_are_those_of_the_moment_that_it_runs(world: World) -> None:
    clerk = world.client("clerk")
    world.post(clerk, "/reports/slow/background", state="")
    world.store.update("user", world.people["clerk"], {"active": False})
    world.work()
    world.store.update("user", world.people["clerk"], {"active": True})
    (row,) = world.rows()
    assert (row.state, row.rows) == ("failed", None)
    assert "may not read this report" in world.client("clerk").get("/reports/background/").text


def test_it_is_cancelled_while_it_waits_and_while_its_statement_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.client("boss")
    world.post(client, "/reports/slow/background", state="")
    (row,) = world.rows()
    world.post(client, f"/reports/background/{row.id}/end")
    world.work()
    assert [r.state for r in world.rows()] == ["cancelled"]

    world.post(client, "/reports/slow/background", state="")
    row, sleeps = world.rows()[-1], "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND state = 'active'"

    def sleeping(session: Any, statement: Any) -> Any:
        with patient.patience(session):
            return session.connection.exec_driver_sql("SELECT pg_sleep(600.5)").all()

    monkeypatch.setattr(patient, "_asked", sleeping)
    thread = threading.Thread(target=world.work)
    thread.start()
    for _ in range(2000):  # until PostgreSQL has begun; a transaction sees one state of it
        with world.tenant.database.engine.begin() as connection:
            if connection.exec_driver_sql(sleeps, ("SELECT pg_sleep(600.5)",)).scalar():
                break
        time.sleep(0.01)
    monkeypatch.undo()
    world.post(client, f"/reports/background/{row.id}/end")
    thread.join(20)
    assert not thread.is_alive()
    assert (world.rows()[-1].state, world.rows()[-1].rows) == ("cancelled", None)


def test_it_is_forgotten_after_a_day_and_when_its_reader_says_so(world: World) -> None:
    client, address = world.ready("boss")
    (row,) = world.rows()
    world.post(client, f"/reports/background/{row.id}/end")
    assert (client.get(address).status_code, world.rows()) == (404, [])
    client, address = world.ready("boss")
    with moved(runs.KEPT + timedelta(minutes=1)):
        assert client.get(address).status_code in (302, 404)  # the session may be over, too
    world.work(runs.KEPT + timedelta(minutes=1))
    assert world.rows() == []


def test_a_person_has_few_that_wait_and_the_same_one_once(world: World) -> None:
    client = world.client("boss")
    for n in (*range(runs.MOST), 0, 0):
        world.post(client, "/reports/slow/background", state=f"least={n}")
    assert len(world.rows()) == runs.MOST
    world.post(client, "/reports/slow/background", state="least=99")
    assert len(world.rows()) == runs.MOST
    assert "wait already" in client.get("/reports/slow").text


def test_programs_ask_with_202_and_look_where_it_says(world: World) -> None:
    secret = create_key(world.tenant, world.people["boss"], "Night", scopes=["*:read"])[1]
    key, client = {"Authorization": f"Bearer {secret}"}, world.app.test_client()
    asked = client.post("/api/v1/reports/slow/runs?least=30", headers=key)
    assert asked.status_code == 202, asked.text
    where = asked.headers["Location"]
    assert (asked.status_code, asked.json["state"]) == (202, "waiting")
    assert client.get(f"{where}/answer", headers=key).status_code == 409
    world.work()
    told = client.get(where, headers=key).json
    assert told["state"] == "done"
    answer = client.get(told["answer"], headers=key).json
    assert [line["values"][0] for line in answer["data"]] == ["Theirs"]
    assert answer["as_of"]
    assert [r["id"] for r in client.get("/api/v1/report-runs", headers=key).json["data"]] == [told["id"]]
    other = create_key(world.tenant, world.people["boss"], "Other")[1]
    assert client.get(where, headers={"Authorization": f"Bearer {other}"}).status_code == 404
    assert client.delete(where, headers=key).status_code == 204
    assert client.get(where, headers=key).status_code == 404
    assert client.post("/api/v1/reports/slow/runs?most=1", headers=key).status_code == 400


def test_a_key_that_is_revoked_meanwhile_computes_nothing(world: World) -> None:
    made, secret = create_key(world.tenant, world.people["boss"], "Gone")
    client = world.app.test_client()
    client.post("/api/v1/reports/slow/runs", headers={"Authorization": f"Bearer {secret}"})
    revoke_key(world.tenant, UUID(str(made.id)))
    world.work()
    assert [(r.state, r.rows) for r in world.rows()] == [("failed", None)]


def test_an_answer_too_large_to_keep_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from trellis.reports.background import kept

    monkeypatch.setattr(kept, "LARGEST", 10)
    client = world.client("boss")
    world.post(client, "/reports/slow/background", state="")
    world.work()
    assert "too large to keep" in client.get("/reports/background/").text
    assert background.LONGER > patient.PATIENCE
