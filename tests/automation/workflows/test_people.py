"""What workflows ask of people: notices, owners in turn, approvals."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from tests.automation.workflows.test_runs import lines, runs, work
from tests.conftest import layers_of

import trellis.automation.workflows.engine  # noqa: F401 (takes part in saves and in the queue)
from trellis.automation import notices
from trellis.automation.workflows import approvals, health, passing_on
from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.records.principal import Principal
from trellis.records.refusal import Refused
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

ENTITIES = """
entity: quote
title: name
fields:
  name: {type: text, required: true}
  discount: {type: percent}
  region: {type: text}
  needs: {type: text}
  owner: {type: user, role: owner}
  state: {type: choice, choices: [draft, approved, rejected], default: draft}
  remark: {type: text}
---
entity: user
title: name
fields:
  name: {type: text, required: true}
  email: {type: email, unique: true}
  team: {type: link, to: team, inverse: members}
  manager: {type: link, to: user, inverse: reports}
  roles: {type: choices, choices: {from: roles}}
  active: {type: boolean, default: true}
  language: {type: text}
  time_zone: {type: text}
  skills: {type: tags}
  on_leave: {type: boolean}
---
role: rep
grants: {"*": {read: all, create: true, update: all}}
---
role: boss
grants: {"*": {read: all, create: true, update: all}}
"""
Make = Callable[[str], Tenant]


@pytest.fixture
def made(catalogue: Catalogue) -> Iterator[Make]:
    slugs = []

    def make(workflows: str) -> Tenant:
        slug = f"people-{len(slugs)}"
        slugs.append(slug)
        return catalogue.create(slug, layers_of(f"{ENTITIES}\n---\n{workflows}", slug), "test")

    yield make
    for slug in slugs:
        catalogue.drop(slug)


def at(tenant: Tenant, user: UUID | None = None) -> Store:
    if user is None:
        return Store(tenant, Principal.system(Reader()))
    reader = Reader(me=Ref("user", user), roles=frozenset({"rep"}))
    return Store(tenant, Principal(reader, user, "Somebody", frozenset({"rep"})))


def person(tenant: Tenant, name: str, **values: Any) -> UUID:
    return at(tenant).create("user", {"name": name, "email": f"{name.lower()}@example.com", **values}).id


def told(tenant: Tenant, user: UUID) -> list[str]:
    with tenant.begin() as connection:
        return [row["text"] for row in reversed(notices.notices(connection, tenant, user))]


def test_people_are_told_by_field_role_and_team(catalogue: Catalogue, made: Make) -> None:
    tenant = made("""
workflow: tell
on: {record: quote, created: true}
steps:
  - notify: {to: [=owner, {role: boss}, {team: North}], text: "New: {name}"}
""")
    north = at(tenant).create("team", {"name": "North"})
    anna, bo, cleo = (
        person(tenant, "Anna"),
        person(tenant, "Bo", roles=["boss"]),
        person(tenant, "Cleo", team=north.ref),
    )
    away = person(tenant, "Away", roles=["boss"], active=False)
    at(tenant).create("quote", {"name": "Q1", "owner": Ref("user", anna)})
    work(catalogue, tenant)
    assert [told(tenant, user) for user in (anna, bo, cleo, away)] == [["New: Q1"], ["New: Q1"], ["New: Q1"], []]
    with tenant.begin() as connection:
        assert notices.unread(connection, tenant, anna) == 1
        notices.read(connection, tenant, anna)
        assert notices.unread(connection, tenant, anna) == 0


def test_everybody_is_told_and_asked_in_their_language(catalogue: Catalogue, made: Make) -> None:
    yaml = """
role: admin
grants: {"*": {read: all}}
---
workflow: tell
label: Telling
on: {record: quote, created: true}
steps:
  - {notify: {to: {role: boss}, text: "New: {name}"}, as: told}
  - {approve: {by: {role: boss}, need: any}, as: asked}
"""
    chinese = 'workflow.tell.label: 通知\nworkflow.tell.steps.told.notify.text: "新的：{name}"\n'
    files = {"schemas/test.yaml": f"{ENTITIES}\n---\n{yaml}", "i18n/zh-Hans.yaml": chinese}
    tenant = catalogue.create("people-told", layers_of(files, "people-told"), "test")
    try:
        bo = person(tenant, "Bo", roles=["boss", "admin"])
        mei = person(tenant, "Mei", roles=["boss", "admin"], language="zh-Hans")
        at(tenant).create("quote", {"name": "Q1"})
        work(catalogue, tenant)
        assert told(tenant, bo) == ["New: Q1", "Telling: Q1"]
        assert told(tenant, mei) == ["新的：Q1", "通知: Q1"]
        with tenant.begin() as connection:
            for _ in range(health.TOO_OFTEN):
                health.ended(connection, tenant, cast("Any", SimpleNamespace(state="failed", workflow="tell")))
        assert told(tenant, bo)[2:] == ["“Telling” failed ten times in a row and is paused. Look at its last runs."]
        assert "通知" in told(tenant, mei)[2]
    finally:
        catalogue.drop("people-told")


ASSIGN = """
workflow: give
on: {record: quote, created: true}
when: is_blank(owner)
steps:
  - assign: {to: %s, among: {role: rep, when: 'not on_leave'}%s}
"""


def owners(tenant: Tenant) -> list[str]:
    rows = at(tenant).list("quote", columns=["owner.name"], limit=200).rows
    return [row["owner.name"] for row in sorted(rows, key=lambda row: row.title or "")]


def test_round_robin_gives_to_whoever_has_waited_longest(catalogue: Catalogue, made: Make) -> None:
    tenant = made(ASSIGN % ("round-robin", ""))
    for name in ("Anna", "Bo", "Cleo"):
        person(tenant, name, roles=["rep"], on_leave=name == "Bo")
    for number in range(4):
        at(tenant).create("quote", {"name": f"Q{number}"})
        work(catalogue, tenant)
    assert owners(tenant) == ["Anna", "Cleo", "Anna", "Cleo"]
    assert ("0", "assign", "done") in lines(tenant)


def test_least_loaded_fills_the_emptiest_up_to_their_capacity(catalogue: Catalogue, made: Make) -> None:
    tenant = made(ASSIGN % ("least-loaded", ", capacity: 2"))
    anna, _bo = person(tenant, "Anna", roles=["rep"]), person(tenant, "Bo", roles=["rep"])
    at(tenant).create("quote", {"name": "Q0", "owner": Ref("user", anna)})
    for number in range(1, 5):
        at(tenant).create("quote", {"name": f"Q{number}"})
        work(catalogue, tenant)
    assert owners(tenant) == ["Anna", "Bo", "Anna", "Bo", None]
    assert runs(tenant)[-1].state == "failed"
    assert "Nobody is free" in runs(tenant)[-1].error["text"]


def test_skill_decides_who_can_be_given_it(catalogue: Catalogue, made: Make) -> None:
    tenant = made(ASSIGN % ("by-skill", ", skill: needs"))
    person(tenant, "Anna", roles=["rep"], skills=["welding"])
    person(tenant, "Bo", roles=["rep"], skills=["Welding", "paint"])
    for number, needs in enumerate(("paint", "welding", "glass")):
        at(tenant).create("quote", {"name": f"Q{number}", "needs": needs})
        work(catalogue, tenant)
    assert owners(tenant) == ["Bo", "Anna", None]


def test_a_turn_is_taken_once_however_many_choose_at_a_time(catalogue: Catalogue, made: Make) -> None:
    tenant = made(ASSIGN % ("round-robin", ""))
    for name in ("Anna", "Bo"):
        person(tenant, name, roles=["rep"])
    at(tenant).create_many("quote", [{"name": f"Q{n}"} for n in range(10)], means="api")
    threads = [threading.Thread(target=work, args=(catalogue, tenant)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(owners(tenant)) == ["Anna"] * 5 + ["Bo"] * 5


APPROVE = """
workflow: approve
on: {record: quote, changed: [discount]}
when: discount > 20
steps:
  - approve: {by: [{role: boss}], %s}
    as: decision
  - set: {state: =decision.outcome, remark: =decision.comment}
"""


def asked(tenant: Tenant, user: UUID) -> list[UUID]:
    with tenant.begin() as connection:
        return [row["id"] for row in approvals.pending_for(connection, tenant, user)]


def decide(tenant: Tenant, user: UUID, outcome: Any, comment: str = "") -> None:
    [id] = asked(tenant, user)
    with tenant.begin() as connection:
        approvals.decide(connection, tenant, id, user, outcome, comment=comment)


@pytest.fixture
def bosses() -> Callable[[Tenant], tuple[UUID, UUID, UUID]]:
    def make(tenant: Tenant) -> tuple[UUID, UUID, UUID]:
        ada, bob, rep = (person(tenant, n, roles=[r]) for n, r in (("Ada", "boss"), ("Bob", "boss"), ("Rep", "rep")))
        return ada, bob, rep

    return make


def ask(catalogue: Catalogue, tenant: Tenant, rep: UUID) -> Ref:
    quote = at(tenant, rep).create("quote", {"name": "Q"})
    at(tenant, rep).update("quote", quote.id, {"discount": 30})
    work(catalogue, tenant)
    return quote.ref


@pytest.mark.parametrize(
    ("options", "answers", "outcome"),
    [
        ("need: all", ["approved", "approved"], "approved"),
        ("need: all", ["rejected"], "rejected"),
        ("need: any", ["rejected", "approved"], "approved"),
        ("need: any", ["rejected", "rejected"], "rejected"),
        ("need: 2", ["approved", "approved"], "approved"),
        ("order: in-turn", ["approved", "approved"], "approved"),
    ],
)
def test_an_approval_is_decided_by_as_many_as_it_needs(
    catalogue: Catalogue, made: Make, bosses: Any, options: str, answers: list[str], outcome: str
) -> None:
    tenant = made(APPROVE % options)
    ada, bob, rep = bosses(tenant)
    quote = ask(catalogue, tenant, rep)
    for user, answer in zip((ada, bob), answers, strict=False):
        assert at(tenant).read("quote", quote.id)["state"] == "draft"
        decide(tenant, user, answer, comment=f"{answer}, really")
        work(catalogue, tenant)
    row = at(tenant).read("quote", quote.id)
    assert (row["state"], row["remark"]) == (outcome, f"{answers[0]}, really")
    assert asked(tenant, bob) == []


def test_in_turn_the_second_is_asked_after_the_first(catalogue: Catalogue, made: Make, bosses: Any) -> None:
    tenant = made(APPROVE % "order: in-turn")
    ada, bob, rep = bosses(tenant)
    ask(catalogue, tenant, rep)
    assert (len(asked(tenant, ada)), len(asked(tenant, bob))) == (1, 0)
    decide(tenant, ada, "approved")
    work(catalogue, tenant)
    assert len(asked(tenant, bob)) == 1
    assert told(tenant, bob) == ["Approve: Q"]


def test_what_waits_for_an_approval_is_read_only(catalogue: Catalogue, made: Make, bosses: Any) -> None:
    tenant = made(APPROVE % "need: any, lock: true")
    ada, _bob, rep = bosses(tenant)
    quote = ask(catalogue, tenant, rep)
    with pytest.raises(Refused, match="waits for an approval"):
        at(tenant, rep).update("quote", quote.id, {"discount": 1})
    decide(tenant, ada, "approved")
    work(catalogue, tenant)
    at(tenant, rep).update("quote", quote.id, {"discount": 1})


@pytest.mark.parametrize(("late", "outcome"), [("approve", "approved"), ("reject", "rejected"), ("remind", "draft")])
def test_what_is_late_is_decided_or_reminded_of(
    catalogue: Catalogue, made: Make, bosses: Any, late: str, outcome: str
) -> None:
    tenant = made(APPROVE % f"within: 2 days, late: {late}")
    ada, _bob, rep = bosses(tenant)
    quote = ask(catalogue, tenant, rep)
    work(catalogue, tenant, timedelta(days=1))
    assert at(tenant).read("quote", quote.id)["state"] == "draft"
    work(catalogue, tenant, timedelta(days=2, hours=1))
    assert at(tenant).read("quote", quote.id)["state"] == outcome
    assert len(told(tenant, ada)) == (2 if late == "remind" else 1)


def test_an_approval_may_be_delegated_and_recalled(catalogue: Catalogue, made: Make, bosses: Any) -> None:
    tenant = made(APPROVE % "need: any")
    ada, bob, rep = bosses(tenant)
    quote = ask(catalogue, tenant, rep)
    other = person(tenant, "Other")
    [id] = asked(tenant, ada)
    with tenant.begin() as connection:
        passing_on.delegate(connection, tenant, id, ada, other)
        with pytest.raises(approvals.NotAsked):
            approvals.decide(connection, tenant, id, ada, "approved")
    assert told(tenant, other) == ["Approve: Q"]
    [run] = runs(tenant)
    with tenant.begin() as connection, pytest.raises(approvals.NotAsked):
        approvals.recall(connection, tenant, run.id, bob)
    with tenant.begin() as connection:
        approvals.recall(connection, tenant, run.id, rep)
    work(catalogue, tenant)
    assert at(tenant).read("quote", quote.id)["state"] == "rejected"


def test_nobody_to_ask_is_a_failure_that_says_so(catalogue: Catalogue, made: Make) -> None:
    tenant = made(APPROVE % "need: all")
    rep = person(tenant, "Rep", roles=["rep"])
    ask(catalogue, tenant, rep)
    assert "nobody who could approve" in runs(tenant)[0].error["text"]
