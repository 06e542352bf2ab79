"""The pages about workflows: how they read what they show."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from tests.web.frame_tenants import YAML, add_person, app_of, signed_in_client

from trellis.automation.worker import drain
from trellis.automation.workflows import engine  # noqa: F401 (does the runs)
from trellis.formula.env import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue

STAMP = """
---
entity: order
title: number
fields: {number: {type: text}, stamp: {type: text}}
---
workflow: stamp
on: {record: order, created: true}
steps: [{set: {stamp: done}}]
"""


def test_a_page_of_runs_reads_the_titles_at_once(make_tenant: Any, catalogue: Catalogue, tmp_path: Any) -> None:
    tenant = make_tenant(YAML + STAMP)
    add_person(tenant, "anna@x.example", "admin", name="Anna")
    client = signed_in_client(app_of(tenant, tmp_path), "anna@x.example")
    store, taken = Store(tenant, Principal.system(Reader())), []
    for numbers in (["A-1"], ["B-1", "B-2", "B-3"]):
        made = [store.create("order", {"number": number}) for number in numbers]
        drain(catalogue, tenant)
        statements: list[str] = []

        def note(*args: Any, into: list[str] = statements) -> None:
            into.append(args[2])

        sa.event.listen(tenant.database.engine, "before_cursor_execute", note)
        page = client.get("/admin/workflows/stamp").text
        sa.event.remove(tenant.database.engine, "before_cursor_execute", note)
        assert all(f"<bdi>{number}</bdi>" in page for number in numbers)
        taken.append(len(statements))
    assert taken[0] == taken[1]
    store.delete("order", made[0].id)
    assert "<bdi>B-1</bdi>" in client.get("/admin/workflows/stamp").text


ASSIGNED = """
---
entity: order
title: number
fields:
  number: {type: text}
  level:  {type: choice, choices: [{high: {label: High}}]}
  owner:  {type: user, role: owner}
---
workflow: give
on: {record: order, created: true}
steps:
  - assign: {to: round-robin, among: {role: admin}}
  - set: {level: high}
"""


def test_a_run_names_people_records_and_choices_as_people_do(
    make_tenant: Any, catalogue: Catalogue, tmp_path: Any
) -> None:
    tenant = make_tenant(YAML + ASSIGNED)
    add_person(tenant, "anna@x.example", "admin", name="Anna")
    client = signed_in_client(app_of(tenant, tmp_path), "anna@x.example")
    Store(tenant, Principal.system(Reader())).create("order", {"number": "A-1"})
    drain(catalogue, tenant)
    with tenant.begin() as connection:
        run = connection.execute(sa.select(tenant.tables.platform.run.c.id)).scalar_one()
    page = client.get(f"/admin/runs/{run}").text
    assert "Anna has waited longest" in page
    assert '<span class="t-3rd">Level</span></dt><dd><bdi>High</bdi>' in page.replace("\n", "")
