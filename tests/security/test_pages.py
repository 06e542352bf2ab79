"""Every address of a tenant's app, asked by everybody: what comes of it is what the table says."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pytest
from tests.security.table import CLASSES, IN, OUT, ROUTES
from tests.security.world import BREAKS_OUT, CANARY, Names, World, is_for_programs, open_world, outcome, prepare, send
from werkzeug.routing import Rule


@pytest.fixture(scope="module")
def world(catalogue: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = open_world(catalogue, tmp_path_factory.mktemp("pages"), "security-pages")
    for app in (made.app, made.other_app):
        app.config["WTF_CSRF_ENABLED"] = False  # what stands before the pages has a test of its own
    yield made
    for tenant in (made.tenant, made.other):
        catalogue.drop(tenant.slug)


def rules(world: World, methods: Collection[str]) -> list[tuple[Rule, str]]:
    """Every page with some of its methods; signing out comes last."""
    found = [
        (rule, method)
        for rule in world.app.url_map.iter_rules()
        if not is_for_programs(rule) and rule.endpoint in ROUTES
        for method in sorted(set(methods) & (rule.methods or set()))
    ]
    return sorted(found, key=lambda one: one[0].endpoint == "AccountView.sign_out")


def expected_of(kind: str) -> dict[str, str]:
    """Who gets what of a class of pages."""
    if kind == "public":
        return {"nobody": "yes", "other_tenant": "yes", "viewer": "yes"}
    return dict.fromkeys(OUT, "away") | dict(zip(IN, CLASSES[kind], strict=True))


def refused(world: World, rule: Rule, method: str, names: Names) -> Iterator[str]:
    """Ask as everybody who is not to have it; what is not as the table says."""
    ask = ROUTES[rule.endpoint]
    for who, wanted in expected_of(ask.kind_of(method, rule.arguments)).items():
        if wanted != "yes":
            answer = send(world, world.client(who), method, rule, ask, names)
            got = outcome(answer, ask)
            if got == "yes" and CANARY.encode() not in answer.data:
                got = "blank"
            if got not in wanted.split("/"):
                yield f"{method} {rule} {who}: {wanted}, not {got}"


def granted(world: World, rule: Rule, method: str, names: Names | None = None) -> Iterator[str]:
    """Ask as everybody who is to have it, each for records of their own; what is not as the table says."""
    ask = ROUTES[rule.endpoint]
    kind = ask.kind_of(method, rule.arguments)
    for who, wanted in expected_of(kind).items():
        if wanted == "yes":
            answer = send(world, world.client(who), method, rule, ask, names or world.names())
            got = outcome(answer, ask, public=kind == "public")
            if got != "yes":
                yield f"{method} {rule} {who}: yes, not {got}"
            if answer.mimetype == "text/html" and BREAKS_OUT in answer.text:
                yield f"{method} {rule} {who}: not escaped"


def test_every_address_stands_in_the_table(world: World) -> None:
    there = {rule.endpoint for rule in world.app.url_map.iter_rules()}
    lines = "\n".join(f'    "{name}": Ask("…"),' for name in sorted(there - ROUTES.keys()))
    assert not lines, f"say in tests/security/table.py, in ROUTES, who may do it:\n{lines}"
    assert sorted(ROUTES.keys() - there) == [], "these are no addresses any more"


def test_everybody_sees_what_the_table_says(world: World) -> None:
    names, wrong = world.names(), list[str]()
    pages = rules(world, {"GET"})
    for rule, _method in pages:
        prepare(world, rule, ROUTES[rule.endpoint], names)
    before = world.fingerprint()
    for rule, method in pages:
        wrong += refused(world, rule, method, names)
    assert changed(before, world.fingerprint()) == []
    before = world.fingerprint()
    for rule, method in pages:
        wrong += granted(world, rule, method, names)
    assert not wrong, "\n".join(wrong)
    assert changed(before, world.fingerprint()) == [], "who looks changes nothing"


def test_everybody_changes_what_the_table_says(world: World) -> None:
    names, wrong = world.names(), list[str]()
    for rule, method in rules(world, {"POST", "PUT", "PATCH", "DELETE"}):
        prepare(world, rule, ROUTES[rule.endpoint], names)
        before = world.fingerprint()
        wrong += refused(world, rule, method, names)
        if tables := changed(before, world.fingerprint()):
            wrong.append(f"{method} {rule}: changed {tables}")
        wrong += granted(world, rule, method)
    assert not wrong, "\n".join(wrong)


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables that are not as they were."""
    return [name for name in before if before[name] != after[name]]
