"""The gate: the board and the record page ask for the same, in the same dialog, and refuse by the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person, app_of, signed_in_client
from tests.web.live import system_store

from trellis.records.record import Record
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

JOBS = """
---
entity: tool
label: Tool
title: name
fields: {name: {type: text, required: true, search: true}}
---
entity: job
label: Job
plural: Jobs
title: name
fields:
  name:   {type: text, required: true}
  price:  {type: money, min: 0}
  kind:   {type: choice, choices: [indoor, outdoor]}
  tool:   {type: link, to: tool}
  tools:  {type: links, to: tool}
  thanks: {type: text, visible_when: 'stage_type == "won"'}
rules:
  cap: {check: price <= 1000, message: Nobody pays that much., field: price}
views:
  board: {type: kanban, group: stage, card: [price], hide: [lost]}
---
entity: job_line
part_of: job
label: Line
title: what
fields: {what: {type: text, required: true}}
---
pipeline: repair
entity: job
default: true
label: Repair
stages:
  asked:  {label: Asked, rot_after: 1 day}
  priced:
    label: Priced
    require: [price, kind, tool, tools]
    checklist: {seen: Seen by a craftsman, parts: Parts ordered}
  packed: {label: Packed, require: [lines]}
  done:   {label: Done, type: won, ask: [thanks]}
  lost:   {label: Lost, type: lost}
moves:
  - {from: asked, to: [priced, lost]}
  - {from: priced, to: [packed, done, asked]}
  - {from: packed, to: done, when: price > 0, roles: [admin]}
---
pipeline: rental
entity: job
label: Rental
stages:
  booked: {label: Booked}
  done:   {label: Returned, type: won}
---
role: seller
label: Seller
grants: {job: {read: all, create: true, update: all}, tool: {read: all}}
"""
Poster = Callable[..., Any]


@pytest.fixture(scope="module")
def workshop(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("workshop", layers_of(YAML + JOBS, "workshop"), "test")
    add_person(tenant, "ada@office.example", "admin", name="Ada Admin")
    add_person(tenant, "sam@office.example", "seller", name="Sam Seller")
    yield tenant
    catalogue.drop("workshop")


@pytest.fixture(scope="module")
def app(workshop: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return app_of(workshop, tmp_path_factory.mktemp("workshop"))


@pytest.fixture(scope="module")
def ada(app: Any) -> FlaskClient:
    return signed_in_client(app, "ada@office.example")


@pytest.fixture(scope="module")
def sam(app: Any) -> FlaskClient:
    return signed_in_client(app, "sam@office.example")


@pytest.fixture
def store(workshop: Tenant) -> Store:
    return system_store(workshop)


@pytest.fixture
def job(store: Store) -> Record:
    return store.create("job", {"name": "Roof"})


@pytest.fixture(params=["board", "record"])
def move(request: pytest.FixtureRequest, job: Record) -> Poster:
    """Moves the job as the board does, and as the record page does."""
    way = "put?view=board" if request.param == "board" else "move/stage"

    def post(client: FlaskClient, to: str, **more: Any) -> Any:
        token = client.get("/e/job/new").text.split('name="csrf-token" content="')[1].split('"')[0]
        headers = {"X-CSRFToken": token}  # as a program asks: with the refusal as the status
        return client.post(f"/e/job/{job.id}/{way}", data={"to": to, **more}, headers=headers)

    return post


def ready(store: Store, job: Record, stage: str) -> None:
    """Bring the job into a stage, with what that needs."""
    tool = store.create("tool", {"name": "Saw"}).id
    given = {"price": 10, "kind": "indoor", "tool": tool, "tools": [tool]}
    store.update("job", job.id, {**given, "stage": "priced"})
    if stage == "packed":
        ticks = ["priced.seen", "priced.parts"]
        store.update("job", job.id, {"stage": "packed", "lines": [{"what": "Tile"}], "checklist": ticks})


def test_it_asks_for_what_is_missing_by_real_controls_and_saves_all_at_once(
    ada: FlaskClient, move: Poster, store: Store, job: Record
) -> None:
    asked = move(ada, "priced")
    assert asked.status_code == 422
    assert [f'data-field="{name}"' in asked.text for name in ("price", "kind", "tool", "tools", "thanks", "lines")] == [
        *[True] * 4,
        *[False] * 2,
    ]
    assert "needs 4 more things" in asked.text
    assert 'class="t-wrong"' not in asked.text  # nobody has done anything wrong yet
    tool = str(store.create("tool", {"name": "Drill"}).id)
    given = {
        "_has": ["price", "kind", "tool", "tools"],
        "price.amount": "12",
        "kind": "indoor",
        "tool": tool,
        "tools": [tool],
    }
    moved = move(ada, "priced", **given, _asked="1")
    assert moved.status_code == 200, moved.text
    record = store.read("job", job.id)
    assert (record["stage"], str(record["price"].amount), record["tool"].title) == ("priced", "12.00", "Drill")
    assert record.version == job.version + 1


def test_what_is_typed_wrong_stays_with_what_is_wrong(
    ada: FlaskClient, move: Poster, store: Store, job: Record
) -> None:
    ready(store, job, "priced")
    store.update("job", job.id, {"stage": "asked", "price": None})
    again = move(ada, "priced", _has="price", **{"price.amount": "99999", "_asked": "1"})
    assert again.status_code == 422
    assert 'value="99999' in again.text.replace("99,999", "99999")
    assert "Nobody pays that much." in again.text
    assert store.read("job", job.id)["stage"] == "asked"


def test_a_checklist_is_asked_for_by_its_boxes(ada: FlaskClient, move: Poster, store: Store, job: Record) -> None:
    ready(store, job, "priced")
    store.update("job", job.id, {"checklist": ["priced.seen"], "lines": [{"what": "Tile"}]})
    asked = move(ada, "packed")
    assert asked.status_code == 422
    assert 'value="priced.parts"' in asked.text
    assert 'value="priced.seen"' not in asked.text
    assert "must be ticked" not in asked.text
    left = move(ada, "packed", _asked="1")
    assert "“Parts ordered” must be ticked before “Priced” is left." in left.text
    assert move(ada, "packed", _asked="1", _tick="priced.parts").status_code == 200
    assert store.read("job", job.id)["checklist"] == ("priced.parts", "priced.seen")[::-1]


def test_lines_that_are_missing_are_asked_for_as_a_grid(
    ada: FlaskClient, move: Poster, store: Store, job: Record
) -> None:
    ready(store, job, "priced")
    store.update("job", job.id, {"checklist": ["priced.seen", "priced.parts"]})
    asked = move(ada, "packed")
    assert 'name="lines.0.what"' in asked.text
    given = {"_has": ["lines", "lines.0.what"], "lines.0.what": "Tile", "_asked": "1"}
    assert move(ada, "packed", **given).status_code == 200


def test_what_may_stay_blank_is_offered_once(ada: FlaskClient, move: Poster, store: Store, job: Record) -> None:
    ready(store, job, "packed")
    offered = move(ada, "done")
    assert offered.status_code == 422
    assert 'data-field="thanks"' in offered.text
    assert store.read("job", job.id)["stage"] == "packed"
    assert move(ada, "done", _asked="1", _has="thanks", thanks="").status_code == 200


def test_who_may_is_said_without_a_dialog(sam: FlaskClient, move: Poster, store: Store, job: Record) -> None:
    ready(store, job, "packed")
    refused = move(sam, "done")
    assert refused.status_code == 409
    assert refused.json["message"] == "Only Administrator may move this from “Packed” to “Done”."


def test_a_condition_asks_for_the_fields_it_looks_at(ada: FlaskClient, move: Poster, store: Store, job: Record) -> None:
    ready(store, job, "packed")
    store.update("job", job.id, {"price": None})
    asked = move(ada, "done")
    assert asked.status_code == 422
    assert 'data-field="price"' in asked.text
    assert "It looks at: Price." in asked.text
    assert move(ada, "done", _asked="1", _has="price", **{"price.amount": "5"}).status_code == 200


def test_who_was_faster_is_told(ada: FlaskClient, sam: FlaskClient, move: Poster, store: Store, job: Record) -> None:
    assert move(sam, "lost", **{"from": "asked"}).status_code == 200
    late = move(ada, "priced", **{"from": "asked"})
    assert late.status_code == 409
    assert late.json["message"] == "Sam Seller moved this to “Lost” in the meantime."
    assert store.read("job", job.id)["stage"] == "lost"


def test_a_record_goes_to_another_pipeline_and_its_page_tells_the_stays(
    ada: FlaskClient, store: Store, job: Record
) -> None:
    page = ada.get(f"/e/job/{job.id}").text
    assert 'data-pipeline="rental"' in page
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    data = {"to": "booked", "pipeline": "rental", "from": "asked", "csrf_token": token}
    assert ada.post(f"/e/job/{job.id}/move/stage", data=data).status_code == 200
    stays = ada.get(f"/e/job/{job.id}/stays/stage").text
    assert [word in stays for word in ("Booked", "Rental", "Asked", "Repair", "Ada Admin", "&lt; 1 h")] == [True] * 6


def test_a_stuck_record_says_since_when(ada: FlaskClient, store: Store) -> None:
    old = store.create("job", {"name": "Old", "stage_since": "2020-01-02T10:00:00Z"}, means="import")
    page = ada.get(f"/e/job/{old.id}").text
    assert "Stuck: here since" in page
    assert "2020" in page.split("Stuck: here since")[1][:200]
    assert 'class="t-meta is-stuck"' in ada.get("/e/job/?view=board").text
    store.create("job", {"name": "Fresh"})
    listed = ada.get("/e/job/?view=all&where=is_stuck").text
    assert ("Old" in listed, "Fresh" in listed) == (True, False)


def test_a_new_record_is_asked_for_its_pipeline_and_a_stage_of_it(ada: FlaskClient, store: Store) -> None:
    form = ada.get("/e/job/new?stage=booked&pipeline=rental").text
    assert 'name="pipeline"' in form
    token = form.split('name="csrf-token" content="')[1].split('"')[0]
    headers = {"X-CSRFToken": token, "X-Requested-With": "fetch"}
    told = ada.post(
        "/e/job/form-state", data={"_has": "pipeline", "pipeline": "rental", "_touched": "pipeline"}, headers=headers
    )
    assert told.json["fields"]["stage"]["choices"] == ["booked", "done"]
    given = {"_has": ["name", "pipeline", "stage"], "name": "Van", "pipeline": "rental", "stage": "booked"}
    made = ada.post("/e/job/new", data=given, headers=headers)
    record = store.read("job", made.json["ref"]["id"])
    assert (record["pipeline"], record["stage"]) == ("rental", "booked")
