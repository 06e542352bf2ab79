"""Another site may send a form in a browser's name, and that is worth nothing: no address changes anything without the
token of a page of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.security.table import ROUTES
from tests.security.world import World, open_world, prepare, send, status_of
from tests.web.frame_tenants import token_of
from werkzeug.routing import Rule


@pytest.fixture(scope="module")
def world(catalogue: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = open_world(catalogue, tmp_path_factory.mktemp("tokens"), "security-tokens")
    yield made
    for tenant in (made.tenant, made.other):
        catalogue.drop(tenant.slug)


def changing(world: World) -> list[tuple[Rule, str]]:
    """Every address with each method that may change something."""
    return [
        (rule, method)
        for rule in world.app.url_map.iter_rules()
        if rule.endpoint in ROUTES and ROUTES[rule.endpoint].needs_token
        for method in sorted(set(rule.methods or ()) - {"GET", "HEAD", "OPTIONS"})
    ]


def test_nothing_is_done_without_a_token(world: World) -> None:
    names, wrong = world.names(), []
    asked = changing(world)
    assert len(asked) > 50
    for rule, _method in asked:
        prepare(world, rule, ROUTES[rule.endpoint], names)
    before = world.fingerprint()
    for rule, method in asked:
        for headers in ({}, {"X_CSRFToken": "made-up"}, {"HX_Request": "true", "Origin": "https://elsewhere.example"}):
            answer = send(world, world.client("admin"), method, rule, ROUTES[rule.endpoint], names, **headers)
            if status_of(answer) != 400:
                wrong.append(f"{method} {rule}: {status_of(answer)}")
    assert wrong == []
    assert world.fingerprint() == before


def test_a_token_is_good_for_its_own_session_only(world: World) -> None:
    token = token_of(world.client("owner").get("/profile").text)
    taken = world.client("admin").post("/profile/theme", data={"theme": "dark", "csrf_token": token})
    assert taken.status_code == 400
    own = world.client("owner").post("/profile/theme", data={"theme": "dark", "csrf_token": token})
    assert own.status_code < 400


def test_nothing_is_changed_by_reading(world: World) -> None:
    """GET is never a change, so that a link or a picture of another site does nothing."""
    names = world.names()
    reading = [r for r in world.app.url_map.iter_rules() if r.endpoint in ROUTES and "GET" in (r.methods or ())]
    for rule in reading:
        prepare(world, rule, ROUTES[rule.endpoint], names)
    world.client("admin").get(f"/e/account/{names['id']}")  # what was looked at last is noted
    before = world.fingerprint()
    for rule in reading:
        assert send(world, world.client("admin"), "GET", rule, ROUTES[rule.endpoint], names).status_code < 500, rule
    after = world.fingerprint()
    assert [name for name in before if before[name] != after[name] and name not in ("_recent", "_preference")] == []
