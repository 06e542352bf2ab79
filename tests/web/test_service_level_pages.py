"""Service levels on pages and through the API: for whoever may see them, and for nobody to write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import add_person, app_of, signed_in_client

import trellis.automation.service_levels.engine
import trellis.automation.workflows.engine  # noqa: F401
from trellis.automation.worker.drain import drain
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.record import Record
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

YAML = """
entity: ticket
title: name
fields:
  name: {type: text}
  waiting: {type: boolean}
  answered: {type: boolean}
views:
  open: {type: list, columns: [name, reply_state, reply_due]}
---
calendar: night
label: Night shift
hours: {mon-thu: ["22:00-06:00"]}
holidays: [{date: "12-24", label: Christmas Eve}]
---
sla: reply
label: First reply
entity: ticket
met_when: answered
pause_when: waiting
targets: {all: {within: 4 hours, warn: 3 hours}}
---
role: agent
grants: {"*": {read: all, create: true, update: all}}
---
role: customer
grants: {ticket: {read: all, fields: {reply_state: hidden}}}
"""


@pytest.fixture(scope="module")
def desk(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("desk", layers_of(YAML, "desk"), "test")
    add_person(tenant, "ada@desk.example", "admin", name="Ada Admin")
    add_person(tenant, "ann@desk.example", "agent", name="Ann Agent")
    add_person(tenant, "cleo@desk.example", "customer", name="Cleo Customer")
    yield tenant
    catalogue.drop("desk")


@pytest.fixture(scope="module")
def app(desk: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return app_of(desk, tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def ann(app: Any) -> FlaskClient:
    return signed_in_client(app, "ann@desk.example")


@pytest.fixture(scope="module")
def cleo(app: Any) -> FlaskClient:
    return signed_in_client(app, "cleo@desk.example")


def ticket(desk: Tenant, hours_ago: float, **values: Any) -> Record:
    store = Store(desk, Principal.system(Reader(now=datetime.now(UTC) - timedelta(hours=hours_ago))))
    return store.create("ticket", {"name": "Printer", **values})


def page_of(client: FlaskClient, path: str) -> str:
    return client.get(path).get_data(as_text=True)


def test_the_record_shows_until_when_and_how_much_is_left(desk: Tenant, ann: FlaskClient) -> None:
    running, paused = ticket(desk, 1.01), ticket(desk, 1.01, waiting=True)
    page = page_of(ann, f"/e/ticket/{running.id}")
    assert "First reply" in page
    assert "Running" in page
    assert "2 hr 59 min left" in page
    page = page_of(ann, f"/e/ticket/{paused.id}")
    assert "Paused" in page
    assert "Since: " in page


def test_what_was_missed_is_told_on_the_page_and_in_the_timeline(
    catalogue: Catalogue, desk: Tenant, ann: FlaskClient
) -> None:
    record = ticket(desk, 6)
    assert "Missed" in page_of(ann, f"/e/ticket/{record.id}"), "also before anybody has looked"
    drain(catalogue, desk)
    page = page_of(ann, f"/e/ticket/{record.id}")
    assert "2 hr over" in page
    timeline = page_of(ann, f"/e/ticket/{record.id}/timeline")
    assert "noted that it was not done in time: First reply" in timeline
    assert "noted that time is running out: First reply" in timeline


def test_who_may_not_see_the_state_finds_no_trace_of_it(catalogue: Catalogue, desk: Tenant, cleo: FlaskClient) -> None:
    record = ticket(desk, 6)
    drain(catalogue, desk)
    for path in ("", "/timeline", "/history"):
        page = page_of(cleo, f"/e/ticket/{record.id}{path}")
        assert "Printer" in page or path
        assert "First reply" not in page.replace("First reply due", "")
        assert "not done in time" not in page


def test_lists_show_it_and_the_api_reads_but_never_writes_it(desk: Tenant, ann: FlaskClient) -> None:
    record = ticket(desk, 1)
    assert "Running" in page_of(ann, "/e/ticket/?view=open")
    person = Principal(Reader(roles=frozenset({"agent"})), roles=frozenset({"agent"}))
    with pytest.raises(Refused, match="reply_due"):
        Store(desk, person).update("ticket", record.id, {"reply_due": "2030-01-01T00:00:00Z"}, means="api")


def test_administrators_see_what_is_agreed_and_how_it_is_kept(app: Any, desk: Tenant, ann: FlaskClient) -> None:
    ticket(desk, 1)
    page = page_of(signed_in_client(app, "ada@desk.example"), "/admin/service-levels")
    for said in ("First reply", "4 hr", "Every hour counts", "Night shift", "22:00–06:00", "closed"):
        assert said in page
    assert ann.get("/admin/service-levels").status_code == 403
