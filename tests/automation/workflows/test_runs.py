"""Runs: events set them off, steps are done once each, in order, and what waits goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of

import trellis.automation.workflows.engine  # noqa: F401 (takes part in saves and in the queue)
from trellis.automation.clock import moved
from trellis.automation.worker import drain
from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.records.transfer import ImportMap, import_table, read_table
from trellis.storage.apply import apply
from trellis.storage.catalogue import Catalogue
from trellis.storage.plan import plan
from trellis.storage.tenant import Tenant

ENTITIES = """
entity: account
title: name
fields:
  name: {type: text, required: true}
  code: {type: text, unique: true}
  lifecycle: {type: choice, choices: [lead, customer]}
---
entity: deal
title: name
fields:
  name: {type: text, required: true}
  account: {type: link, to: account, inverse: deals}
  rivals: {type: links, to: account, columns: {why: {type: text}}}
  amount: {type: money}
  note: {type: text}
  urgent: {type: boolean}
  count: {type: integer, default: 0}
---
entity: job
title: subject
fields:
  subject: {type: text, required: true}
  about: {type: any_link, to: [deal, account]}
  status: {type: choice, choices: [open, done], default: open}
  due: {type: date}
---
pipeline: sales
entity: deal
stages: {open: {rot_after: 2 days}, proposal: {}, won: {type: won}}
"""


@pytest.fixture
def made(catalogue: Catalogue, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Tenant]]:
    """Make a tenant with workflows."""
    slugs: list[str] = []

    def make(workflows: str) -> Tenant:
        slug = f"runs-{len(slugs)}"
        slugs.append(slug)
        return catalogue.create(slug, layers_of(f"{ENTITIES}\n---\n{workflows}", slug), "test")

    yield make
    for slug in slugs:
        catalogue.drop(slug)


def at(tenant: Tenant) -> Store:
    return Store(tenant, Principal.system(Reader(currency="EUR")))


def work(catalogue: Catalogue, tenant: Tenant, ahead: timedelta = timedelta()) -> None:
    with moved(ahead):
        drain(catalogue, tenant, ahead=ahead)


def runs(tenant: Tenant) -> list[Any]:
    table = tenant.tables.platform.run
    with tenant.begin() as connection:
        return list(connection.execute(sa.select(table).order_by(table.c.id)))


def lines(tenant: Tenant) -> list[tuple[str, str, str]]:
    table = tenant.tables.platform.run_step
    with tenant.begin() as connection:
        rows = connection.execute(sa.select(table).order_by(table.c.id))
        return [(row.place, row.verb, row.outcome) for row in rows]


def titles(store: Store, entity: str) -> list[str]:
    return sorted(row.title or "" for row in store.list(entity, columns=()).rows)


ONBOARD = """
workflow: onboard
on: {record: deal, changed: [stage]}
when: stage_type == "won" and old.stage_type != "won"
steps:
  - create: job
    set: {subject: "Onboard {account.name}", about: =record, due: =today() + days(2)}
    as: kickoff
  - wait: {until: 'kickoff.status == "done"', at_most: 5 days}
  - if: kickoff.status != "done"
    then:
      - create: job
        set: {subject: "Late: {kickoff.subject}", about: =account}
  - update: =account
    set: {lifecycle: customer}
"""


def test_a_workflow_runs_after_the_change_that_sets_it_off(catalogue: Catalogue, made: Any) -> None:
    tenant = made(ONBOARD)
    store = at(tenant)
    account = store.create("account", {"name": "Acme"})
    deal = store.create("deal", {"name": "Pilot", "account": account.ref})
    store.update("deal", deal.id, {"note": "not yet"})
    work(catalogue, tenant)
    assert runs(tenant) == []
    store.update("deal", deal.id, {"stage": "won"})
    work(catalogue, tenant)
    assert titles(store, "job") == ["Onboard Acme"]
    [run] = runs(tenant)
    assert run.state == "waiting"
    [job] = store.list("job", columns=["about", "due"]).rows
    assert job["about"] == deal.ref
    store.update("job", job.id, {"status": "done"})
    work(catalogue, tenant)
    assert runs(tenant)[0].state == "done"
    assert titles(store, "job") == ["Onboard Acme"]
    assert store.read("account", account.id)["lifecycle"] == "customer"
    assert lines(tenant) == [
        ("0", "create", "done"),
        ("1", "wait", "waiting"),
        ("1", "wait", "done"),
        ("2", "if", "done"),
        ("3", "update", "done"),
    ]


def test_a_wait_ends_at_its_time(catalogue: Catalogue, made: Any) -> None:
    tenant = made(ONBOARD)
    store = at(tenant)
    account = store.create("account", {"name": "Acme"})
    deal = store.create("deal", {"name": "Pilot", "account": account.ref})
    store.update("deal", deal.id, {"stage": "won"})
    work(catalogue, tenant)
    work(catalogue, tenant, timedelta(days=4))
    assert titles(store, "job") == ["Onboard Acme"]
    work(catalogue, tenant, timedelta(days=5, minutes=1))
    assert titles(store, "job") == ["Late: Onboard Acme", "Onboard Acme"]
    assert runs(tenant)[0].state == "done"


STEPS = """
workflow: steps
on: {record: deal, created: true}
when: name == "All"
steps:
  - find: account
    where: code == this.note
    as: known
  - link: =rivals
    to: =known
    set: {why: price}
  - each: =account.deals
    filter: amount > 5
    steps:
      - update: =item
        set: {urgent: true}
      - switch: =item.name
        cases: {Big: [{create: job, set: {subject: "Big {item.name}"}}]}
        else: [{log: "{item.name} is small"}]
  - set: {note: done}
    when: is_blank(known)
  - run: other
  - unlink: =rivals
    to: =known
  - delete: =first(account.deals, name == "Gone")
  - stop: enough
  - set: {note: never}
---
workflow: other
on: {run: {entity: deal}}
steps: [{set: {count: =count + 1}}]
"""


def test_each_kind_of_step_does_its_work(catalogue: Catalogue, made: Any) -> None:
    tenant = made(STEPS)
    store = at(tenant)
    account = store.create("account", {"name": "Acme", "code": "A"})
    for name, amount in (("Big", 9), ("Small", 1), ("Mid", 7), ("Gone", 1)):
        store.create("deal", {"name": name, "account": account.ref, "amount": {"amount": amount, "currency": "EUR"}})
    work(catalogue, tenant)
    deal = store.create("deal", {"name": "All", "account": account.ref, "note": "A"})
    work(catalogue, tenant)
    run, child = runs(tenant)
    assert (run.state, run.error["text"]) == ("stopped", "enough")
    assert (child.workflow, child.state) == ("other", "done")
    rows = {row.title: row for row in store.list("deal", columns=["urgent", "note", "count", "rivals"]).rows}
    assert {name for name, row in rows.items() if row["urgent"]} == {"Big", "Mid"}
    assert rows["All"]["note"] == "A"
    assert rows["All"]["count"] == 1
    assert not rows["All"]["rivals"]
    assert "Gone" not in rows
    assert titles(store, "job") == ["Big Big"]
    assert [c.means for c in store.history("deal", deal.id)][:1] == ["workflow"]
    kinds = [c.kind for c in store.history("deal", deal.id)]
    assert "unlink" in kinds or kinds.count("update") >= 2


def test_a_failed_step_ends_the_run_and_leaves_nothing_half_done(catalogue: Catalogue, made: Any) -> None:
    tenant = made("""
workflow: fails
on: {record: deal, created: true}
steps:
  - create: job
    set: {subject: One}
  - create: account
    set: {name: X, code: twice}
  - create: account
    set: {name: Y, code: twice}
  - create: job
    set: {subject: Two}
""")
    store = at(tenant)
    store.create("deal", {"name": "D"})
    work(catalogue, tenant)
    [run] = runs(tenant)
    assert (run.state, run.error["place"]) == ("failed", "2")
    assert titles(store, "job") == ["One"]
    assert titles(store, "account") == ["X"]


def test_on_error_goes_on_or_tries_again(catalogue: Catalogue, made: Any) -> None:
    tenant = made("""
workflow: goes-on
on: {record: deal, created: true}
steps:
  - create: account
    set: {name: X, code: twice}
  - create: account
    set: {name: Y, code: twice}
    on_error: continue
  - update: =account
    set: {name: Z}
    on_error: {retry: {times: 2, backoff: 10 minutes}}
  - log: end
""")
    store = at(tenant)
    deal = store.create("deal", {"name": "D"})
    work(catalogue, tenant)
    assert lines(tenant)[-2:] == [("1", "create", "failed"), ("2", "update", "retried")]
    account = store.create("account", {"name": "Late"})
    store.update("deal", deal.id, {"account": account.ref})
    work(catalogue, tenant, timedelta(minutes=11))
    assert lines(tenant)[-2:] == [("2", "update", "done"), ("3", "log", "done")]
    assert store.read("account", account.id)["name"] == "Z"


def test_a_circle_is_stopped_and_says_its_chain(catalogue: Catalogue, made: Any) -> None:
    tenant = made("""
workflow: there
on: {record: deal, changed: [note]}
when: not is_blank(note)
steps: [{set: {count: =count + 1}}]
---
workflow: and-back
on: {record: deal, changed: [count]}
when: count > 0
steps: [{set: {note: '=note & "x"'}}]
""")
    store = at(tenant)
    deal = store.create("deal", {"name": "D"})
    store.update("deal", deal.id, {"note": "a"})
    work(catalogue, tenant)
    assert [run.state for run in runs(tenant)] == ["done", "done", "failed"]
    assert "there → and-back → there" in runs(tenant)[-1].error["text"]
    assert store.read("deal", deal.id)["note"] == "ax"


def test_stages_links_deletions_and_restores_set_workflows_off(catalogue: Catalogue, made: Any) -> None:
    tenant = made("""
workflow: entered
on: {record: deal, stage: {enter: [proposal], leave: proposal}}
steps: [{create: job, set: {subject: "stage {stage}"}}]
---
workflow: linked
on: {record: deal, linked: rivals}
steps: [{create: job, set: {subject: linked}}]
---
workflow: gone
on: [{record: deal, deleted: true}, {record: deal, restored: true}]
steps: [{create: job, set: {subject: "gone {name}"}}]
""")
    store = at(tenant)
    deal = store.create("deal", {"name": "D"})
    rival = store.create("account", {"name": "R"})
    store.update("deal", deal.id, {"stage": "proposal"})
    store.update("deal", deal.id, {"stage": "won"})
    store.link("deal", deal.id, "rivals", rival.ref)
    store.delete("deal", deal.id)
    store.restore("deal", deal.id)
    work(catalogue, tenant)
    assert titles(store, "job") == ["gone D", "gone D", "linked", "stage Won", "stage Won"]


def test_a_run_goes_on_with_the_version_that_it_began_with(catalogue: Catalogue, made: Any) -> None:
    old = """
workflow: slow
on: {record: deal, created: true}
steps: [{wait: 1 day}, {create: job, set: {subject: old}}]
"""
    tenant = made(old)
    store = at(tenant)
    store.create("deal", {"name": "D"})
    work(catalogue, tenant)
    layers = layers_of(f"{ENTITIES}\n---\n{old.replace('subject: old', 'subject: new')}", tenant.slug)
    apply(catalogue, plan(tenant, layers), "test")
    work(catalogue, catalogue.get(tenant.slug), timedelta(days=1, minutes=1))
    assert titles(at(catalogue.get(tenant.slug)), "job") == ["old"]


def test_a_workflow_that_keeps_failing_is_paused(catalogue: Catalogue, made: Any) -> None:
    tenant = made("""
workflow: broken
on: {record: deal, created: true}
steps: [{update: =account, set: {name: X}}]
""")
    store = at(tenant)
    for number in range(12):
        store.create("deal", {"name": f"D{number}"})
        work(catalogue, tenant)
    assert [run.state for run in runs(tenant)] == ["failed"] * 10


def test_a_bulk_change_sets_off_a_run_for_each_record(catalogue: Catalogue, made: Any) -> None:
    tenant = made("""
workflow: counts
on: {record: deal, changed: [note]}
when: note == "go"
steps: [{set: {count: =count + 1}}]
""")
    store = at(tenant)
    store.create_many("deal", [{"name": f"D{n}"} for n in range(200)])
    ids = store.matching("deal")
    store.update_many("deal", [(id, {"note": "go"}) for id in ids], means="bulk")
    work(catalogue, tenant)
    assert {row["count"] for row in store.list("deal", columns=["count"], limit=200).rows} == {1}
    assert len(runs(tenant)) == 200


TIMED = """
workflow: nightly
on: {schedule: "0 3 * * *", each: {entity: deal, filter: 'amount > 5'}}
when: not urgent
steps: [{set: {count: =count + 1}}]
---
workflow: alone
on: {schedule: "0 3 * * *"}
steps: [{create: job, set: {subject: tick}}]
---
workflow: ends
on: {date: {entity: job, field: due, offset: -2 days, at: "06:00"}}
steps: [{set: {subject: '=subject & "!"'}}]
---
workflow: birthdays
on: {date: {entity: job, field: due, at: "07:00", yearly: true}}
when: status == "done"
steps: [{create: deal, set: {name: "Gift for {subject}"}}]
"""


def test_time_sets_workflows_off_once(catalogue: Catalogue, made: Any) -> None:
    tenant = made(TIMED)
    store = at(tenant)
    today = store.principal.reader.today()
    store.create("deal", {"name": "Big", "amount": {"amount": 9, "currency": "EUR"}})
    store.create("deal", {"name": "Small", "amount": {"amount": 1, "currency": "EUR"}})
    store.create("deal", {"name": "Urgent", "amount": {"amount": 9, "currency": "EUR"}, "urgent": True})
    store.create("job", {"subject": "Soon", "due": today + timedelta(days=5)})
    born = (today + timedelta(days=1)).replace(year=1992)
    store.create("job", {"subject": "Born", "due": born, "status": "done"})
    for days in range(0, 5):
        for hours in (1, 13):
            work(catalogue, tenant, timedelta(days=days, hours=hours))
    rows = {row.title: row["count"] for row in store.list("deal", columns=["count"]).rows}
    assert rows["Small"] == rows["Urgent"] == 0
    assert rows["Big"] in (4, 5)  # nights, by the hour at which the test runs
    assert titles(store, "job").count("tick") == rows["Big"]
    assert "Soon!" in titles(store, "job")
    assert titles(store, "deal").count("Gift for Born") == 1


def test_a_record_that_stays_too_long_sets_a_workflow_off(catalogue: Catalogue, made: Any) -> None:
    tenant = made("""
workflow: stuck
on: {record: deal, stage: {stuck: true}}
steps: [{create: job, set: {subject: "{name} is stuck"}}]
""")
    store = at(tenant)
    store.create("deal", {"name": "Old"})
    for hours in (1, 30, 47, 50, 52, 90):
        work(catalogue, tenant, timedelta(hours=hours))
    assert titles(store, "job") == ["Old is stuck"]


def test_imports_set_nothing_off_after_the_save(catalogue: Catalogue, made: Any) -> None:
    tenant = made("""
workflow: created
on: {record: deal, created: true}
steps: [{log: hello}]
""")
    at(tenant).create_many("deal", [{"name": "A"}], means="import")
    at(tenant).create_many("deal", [{"name": "B"}], means="api")
    work(catalogue, tenant)
    assert len(runs(tenant)) == 1


def test_an_import_sets_workflows_off_when_its_importer_asks_for_it(catalogue: Catalogue, made: Any) -> None:
    tenant = made("""
workflow: created
on: {record: deal, created: true}
steps: [{log: hello}]
""")
    rows = read_table("name\n" + "".join(f"D{n}\n" for n in range(130)))  # more than are told at once
    import_table(at(tenant), "deal", rows, ImportMap(automation=True))
    work(catalogue, tenant)
    assert len(runs(tenant)) == 130
    import_table(at(tenant), "deal", read_table("name\nE\n"))
    work(catalogue, tenant)
    assert len(runs(tenant)) == 130
