"""Why somebody may or may not: what is said is what the door does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.conftest import layers_of
from tests.web.frame_tenants import PEOPLE, add_person

from trellis.formula.reader import Reader
from trellis.formula.types import Ref
from trellis.identity.person import principal_for, read_person_by_id
from trellis.records.access.explain import Explanation
from trellis.records.principal import Principal
from trellis.records.refusal import Missing
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant

YAML = (
    PEOPLE
    + """
---
entity: case
label: Case
title: name
fields:
  name:   {type: text, required: true}
  owner:  {type: user, role: owner}
  level:  {type: integer}
  secret: {type: text}
---
entity: step
label: Step
part_of: case
fields:
  case: {type: link, to: case, inverse: steps, required: true}
  name: {type: text}
---
role: worker
label: Worker
grants: {case: {read: own, update: own, where: level < 5, fields: {secret: hidden}}}
---
role: checker
label: Checker
grants: {case: {read: 'level > 7', fields: {secret: masked}}}
"""
)


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    yield catalogue.create("explain", layers_of(YAML, "explain"), "test")
    catalogue.drop("explain")


@pytest.fixture(scope="module")
def store_of(tenant: Tenant) -> Callable[..., Store]:
    def make(name: str, *roles: str) -> Store:
        id = add_person(tenant, f"{name}@explain.example", *roles)
        with tenant.begin() as connection:
            person = read_person_by_id(connection, tenant, id)
        assert person is not None
        return Store(tenant, principal_for(tenant, person))

    return make


def verdicts(found: Explanation) -> dict[str, bool]:
    return {ruling.action: ruling.allowed for ruling in found.rulings}


def test_every_verdict_is_what_the_door_does(tenant: Tenant, store_of: Callable[..., Store]) -> None:
    from tests.web.live import system_store

    stores = [store_of("w", "worker"), store_of("c", "checker"), store_of("b", "worker", "checker"), store_of("n")]
    owners = [Ref("user", s.principal.id) for s in stores if s.principal.id is not None]
    system = system_store(tenant)
    cases = [
        system.create("case", {"name": f"{level}", "level": level, "owner": owner}, means="import").id
        for level in (1, 6, 9, None)
        for owner in owners
    ]
    for store in stores:
        for case in cases:
            found = verdicts(store.explain("case", case))
            for action in ("read", "update", "delete"):
                assert found[action] == store.may(action, "case", case), (store.principal.name, action)


def test_each_rule_is_told_with_whether_it_holds(tenant: Tenant, store_of: Callable[..., Store]) -> None:
    from tests.web.live import system_store

    both = store_of("both", "worker", "checker")
    id = both.principal.id
    assert id is not None
    case = system_store(tenant).create("case", {"name": "Mine", "level": 6, "owner": Ref("user", id)}, means="import")
    found = both.explain("case", case.id)
    read = found.rulings[0]
    assert (found.title, read.allowed) == ("Mine", False)
    told = {
        rule.role: (rule.level, rule.source, rule.holds, [(w.source, w.holds) for w in rule.wheres])
        for rule in read.rules
    }
    assert told == {
        "worker": ("own", "", True, [("level < 5", False)]),
        "checker": ("formula", "level > 7", False, []),
    }
    [secret] = found.fields
    assert (secret.field, secret.mode, dict(secret.roles)) == (
        "secret",
        "masked",
        {"worker": "hidden", "checker": "masked"},
    )


def test_a_part_is_explained_by_its_parent(tenant: Tenant, store_of: Callable[..., Store]) -> None:
    from tests.web.live import system_store

    worker = store_of("part", "worker")
    id = worker.principal.id
    assert id is not None
    values = {"name": "Whole", "level": 1, "owner": Ref("user", id), "steps": [{"name": "One"}]}
    system = system_store(tenant)
    case = system.create("case", values, means="import")
    [step] = system.lines("case", case.id, "steps")
    deletes = next(r for r in worker.explain("step", step.id).rulings if r.action == "delete")
    assert (deletes.allowed, deletes.through) == (True, ("case", "update"))


def test_a_record_that_is_not_there_is_missing(store_of: Callable[..., Store]) -> None:
    with pytest.raises(Missing):
        store_of("gone", "worker").explain("case", "01a2013f-97d6-74de-a60d-9ad0afca975d")


def test_a_share_and_what_an_action_follows_are_told(store_of: Callable[..., Store], tenant: Tenant) -> None:
    system = Store(tenant, Principal.system(Reader()))
    wim = store_of("wim", "worker")
    case = system.create("case", {"name": "Shared", "level": 1})
    system.share("case", case.id, wim.principal.reader.me, "write")
    with tenant.begin() as connection:  # the next request: who has no share is not asked about shares
        person = read_person_by_id(connection, tenant, wim.principal.id)
    wim = Store(tenant, principal_for(tenant, person))
    found = wim.explain("case", case.id)
    assert [(s.whom.id, s.level) for s in found.shares] == [(wim.principal.id, "write")]
    rulings = {ruling.action: ruling for ruling in found.rulings}
    [rule] = rulings["update"].rules
    assert (rulings["update"].allowed, rule.holds, rule.shared, rule.follows) == (True, False, True, "")
    [rule] = rulings["assign"].rules
    assert (rulings["assign"].allowed, rule.shared, rule.follows) == (False, False, "update")
    for action in ("read", "update", "assign", "share", "delete"):
        assert rulings[action].allowed == wim.may(action, "case", case.id), action
