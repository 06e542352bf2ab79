"""Every address of a tenant's app, asked by everybody: what comes of it is what the table says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.security.table import CLASSES, IN, OUT, ROUTES
from tests.security.world import CANARY, World, open_world, outcome, prepare, send
from werkzeug.routing import Rule

HEAD = {"HEAD", "OPTIONS"}


@pytest.fixture(scope="module")
def world(catalogue: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = open_world(catalogue, tmp_path_factory.mktemp("pages"), "security-pages")
    for app in (made.app, made.other_app):
        app.config["WTF_CSRF_ENABLED"] = False  # what stands before the pages has a test of its own
    yield made
    for tenant in (made.tenant, made.other):
        catalogue.drop(tenant.slug)


def rules(world: World) -> list[tuple[Rule, str]]:
    """Every page with each of its methods; whoever is signed out by one is signed out last."""
    found = [
        (rule, method)
        for rule in world.app.url_map.iter_rules()
        if not rule.endpoint.startswith("api.") and rule.endpoint in ROUTES
        for method in sorted(set(rule.methods or ()) - HEAD)
    ]
    return sorted(found, key=lambda one: one[0].endpoint == "AccountView.sign_out")


def test_every_address_stands_in_the_table(world: World) -> None:
    there = {rule.endpoint for rule in world.app.url_map.iter_rules()}
    assert len(there) > 100
    lines = "\n".join(f'    "{name}": Ask("…"),' for name in sorted(there - ROUTES.keys()))
    assert not lines, f"say in tests/security/table.py, in ROUTES, who may do it:\n{lines}"
    assert sorted(ROUTES.keys() - there) == [], "these are no addresses any more"


def test_everybody_gets_what_the_table_says(world: World) -> None:
    wrong: list[str] = []
    names = world.names()
    for rule, method in rules(world):
        ask = ROUTES[rule.endpoint]
        kind = ask.kind_of(method, rule.arguments)
        expected = dict(zip(IN, CLASSES[kind], strict=True)) | dict.fromkeys(OUT, "yes" if kind == "public" else "away")
        prepare(world, rule, ask, names)
        before = world.fingerprint()
        for who in (w for w in expected if expected[w] != "yes"):
            answer = send(world, world.client(who), method, rule, ask, names)
            got = outcome(answer, ask)
            if got == "yes" and CANARY not in answer.text:
                got = "blank"
            if got not in expected[who].split("/"):
                wrong.append(f"{method} {rule} {who}: {expected[who]}, not {got}")
        if (after := world.fingerprint()) != before:
            wrong.append(f"{method} {rule}: changed {[k for k in before if before[k] != after[k]]}")
        for who in (w for w in expected if expected[w] == "yes"):
            fresh = names if method == "GET" else world.names()
            got = outcome(send(world, world.client(who), method, rule, ask, fresh), ask, public=kind == "public")
            if got != "yes":
                wrong.append(f"{method} {rule} {who}: yes, not {got}")
    assert not wrong, "\n".join(wrong)
