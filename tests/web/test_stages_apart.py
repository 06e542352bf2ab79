"""Stages whose key several pipelines use for different things, in lists."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.web.live import system_store
from werkzeug.datastructures import MultiDict

from trellis.records.store import Store
from trellis.storage.tenant import Tenant
from trellis.web.cells.options import options_of
from trellis.web.lists.grid import make_grid
from trellis.web.lists.state import read_state

JOBS = """
entity: job
title: name
label: Job
fields:
  name: {type: text, required: true}
---
pipeline: sale
entity: job
default: true
stages: {first: {label: Offer}, last: {label: Signed, type: won}}
---
pipeline: repair
entity: job
stages: {first: {label: Broken}, last: {label: Signed, type: won}}
"""


@pytest.fixture
def store(make_tenant: Callable[..., Tenant]) -> Store:
    return system_store(make_tenant(JOBS))


def test_a_stage_is_called_as_in_the_records_own_pipeline(store: Store) -> None:
    store.create("job", {"name": "A", "pipeline": "sale"})
    store.create("job", {"name": "B", "pipeline": "repair"})
    model = store.tenant.model
    state = read_state(model, model.entities["job"], MultiDict({"cols": "name,stage"}), (), ())
    grid = make_grid(store, state)
    rows = {r["name"]: r for r in store.list("job", columns=grid.paths).rows}
    [stage] = [c for c in grid.columns if c.path == "stage"]
    assert "Offer" in stage.cell(rows["A"])
    assert "Broken" not in stage.cell(rows["A"])
    assert "Broken" in stage.cell(rows["B"])
    assert "Offer" not in stage.cell(rows["B"])


def test_where_no_record_says_which_it_is_every_name_is_given(store: Store) -> None:
    entity = store.tenant.model.entities["job"]
    options = options_of(store.tenant.model, entity, entity.fields["stage"], store.principal.reader)
    assert [o.label for o in options.values()] == ["Offer / Broken", "Signed"]
