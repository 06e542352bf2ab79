"""Buttons on records: who is offered them, what they ask, what pressing one begins."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from tests.automation.workflows.test_runs import at, runs, work

import trellis.automation.workflows.engine  # noqa: F401 (takes part in saves and in the queue)
from trellis.automation.workflows.buttons import offered, press
from trellis.automation.workflows.pressed import await_run
from trellis.automation.workflows.trying import attempt
from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.refusal import Missing, Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

YAML = """
entity: quote
title: name
fields:
  name: {type: text, required: true}
  state: {type: choice, choices: [draft, sent], default: draft}
  note: {type: text}
---
role: rep
grants: {"*": {read: all, update: all}}
---
role: guest
grants: {"*": {read: all}}
---
workflow: send
on:
  button:
    entity: quote
    roles: [rep]
    when: state == "draft"
    form: {reason: {type: text, required: true}, copies: {type: integer, min: 1}}
steps:
  - wait: 1 hour
    when: copies > 5
  - set: {state: sent, note: "{reason}, {form.copies}"}
"""


def door(tenant: Tenant, role: str) -> Store:
    reader = Reader(me=Ref("user", UUID(int=1)), roles=frozenset({role}))
    return Store(tenant, Principal(reader, UUID(int=1), "Anna", frozenset({role})))


def keys(store: Store, id: UUID) -> list[str]:
    return [button.key for button in offered(store, "quote", id)]


def test_a_button_is_offered_to_its_roles_while_its_condition_holds(make_tenant: Any, catalogue: Catalogue) -> None:
    tenant = make_tenant(YAML)
    quote = at(tenant).create("quote", {"name": "Q"})
    rep = door(tenant, "rep")
    assert keys(rep, quote.id) == ["send"]
    assert keys(door(tenant, "guest"), quote.id) == []
    with pytest.raises(Missing):
        press(door(tenant, "guest"), "quote", quote.id, "send", {"reason": "x"})
    press(rep, "quote", quote.id, "send", {"reason": "because", "copies": "2"})
    assert keys(rep, quote.id) == []  # it is at work already
    work(catalogue, tenant)
    record = at(tenant).read("quote", quote.id)
    assert (record["state"], record["note"]) == ("sent", "because, 2")
    assert keys(rep, quote.id) == []
    [run] = runs(tenant)
    assert (run.trigger, run.by_name) == ("button", "Anna")


def test_a_button_goes_with_its_module(make_tenant: Any) -> None:
    tenant = make_tenant(YAML.replace("workflow: send", "workflow: send\nmodule: orders"))
    quote = at(tenant).create("quote", {"name": "Q"})
    assert keys(door(tenant, "rep"), quote.id) == ["send"]
    without = replace(tenant, profile=replace(tenant.profile, modules=("sales",)))
    assert keys(door(without, "rep"), quote.id) == []
    with pytest.raises(Missing):
        press(door(without, "rep"), "quote", quote.id, "send", {"reason": "x"})


COPYING = """
---
workflow: copy
on: {button: {entity: quote}}
steps:
  - create: quote
    set: {name: "Copy of {name}"}
    as: made
"""


def test_who_pressed_is_told_how_far_it_is_and_what_was_made(make_tenant: Any, catalogue: Catalogue) -> None:
    tenant = make_tenant(YAML + COPYING)
    quote = at(tenant).create("quote", {"name": "Q"})
    rep = door(tenant, "rep")
    copy = next(button for button in offered(rep, "quote", quote.id) if button.key == "copy")
    run = press(rep, "quote", quote.id, "copy", {})
    assert await_run(rep, copy, run, patience=0).state == "ready"
    work(catalogue, tenant)
    became = await_run(rep, copy, run)
    assert became.state == "done"
    assert became.made is not None
    assert became.made.title == "Copy of Q"


@pytest.mark.parametrize(("answers", "field"), [({}, "reason"), ({"reason": "x", "copies": "0"}, "copies")])
def test_what_its_form_asks_is_checked(make_tenant: Any, answers: dict[str, str], field: str) -> None:
    tenant = make_tenant(YAML)
    quote = at(tenant).create("quote", {"name": "Q"})
    with pytest.raises(Refused) as refused:
        press(door(tenant, "rep"), "quote", quote.id, "send", answers)
    assert [fault.field for fault in refused.value.faults] == [field]


def test_a_trial_tells_what_would_be_done_and_leaves_nothing(make_tenant: Any, catalogue: Catalogue) -> None:
    tenant = make_tenant(YAML)
    quote = at(tenant).create("quote", {"name": "Q"})
    before = at(tenant).read("quote", quote.id).version
    trial = attempt(tenant, tenant.model.workflows["send"], quote.ref, None, None)
    assert (trial.holds, trial.state) == (True, "done")
    assert [(line["verb"], line["outcome"]) for line in trial.lines] == [("wait", "skipped"), ("set", "done")]
    work(catalogue, tenant)
    assert at(tenant).read("quote", quote.id).version == before
    assert runs(tenant) == []


def test_pressed_by_many_at_once_it_begins_one_run(make_tenant: Any) -> None:
    tenant = make_tenant(YAML)
    quote = at(tenant).create("quote", {"name": "Q"})
    together = threading.Barrier(5)

    def is_first(_: int) -> bool:
        together.wait()
        try:
            press(door(tenant, "rep"), "quote", quote.id, "send", {"reason": "x"})
        except Missing:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(is_first, range(5))) == 1
    assert len(runs(tenant)) == 1
