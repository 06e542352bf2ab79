"""Every operation of the API, asked with every kind of key: what comes of it is what the table says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from tests.security.table import OPERATIONS, PROGRAMS, ROUTES, Ask
from tests.security.world import CANARY, Names, World, is_for_programs, make_keys, open_world, prepare, send
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

HELD_OFF = {"elsewhere": "no", "outsider": "no"}  # the others that are not in a row of the table are sent away
CHANGES = {"If_Match": "*", "Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def world(catalogue: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = open_world(catalogue, tmp_path_factory.mktemp("operations"), "security-api")
    make_keys(made)
    yield made
    for tenant in (made.tenant, made.other):
        catalogue.drop(tenant.slug)


@pytest.fixture(scope="module")
def program(world: World) -> FlaskClient:
    return world.app.test_client()


def rules(world: World) -> list[tuple[Rule, str]]:
    """Every operation with its method."""
    return [
        (rule, method)
        for rule in world.app.url_map.iter_rules()
        if is_for_programs(rule) and rule.endpoint in ROUTES
        for method in sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"})
    ]


def call(world: World, client: FlaskClient, who: str, method: str, rule: Rule, ask: Ask, names: Names) -> TestResponse:
    """One request of a program."""
    headers = {} if method == "GET" else dict(CHANGES)
    if who == "other_cookie":
        client = world.client("other_tenant")
    elif who != "nobody":
        headers["Authorization"] = f"Bearer {world.keys[who]}"
    return send(world, client, method, rule, ask, names, **headers)


def outcome(answer: TestResponse, ask: Ask) -> str:
    """What came of it, in the table's words."""
    if answer.status_code < 400 or answer.status_code in ask.also:
        return "yes" if CANARY in answer.text or '"status":"updated"' in answer.text else "blank"
    return {401: "away", 403: "no", 404: "gone"}.get(answer.status_code, str(answer.status_code))


def test_everybody_gets_what_the_table_says(world: World, program: FlaskClient) -> None:
    wrong: list[str] = []
    names = world.names()
    for rule, method in rules(world):
        ask = ROUTES[rule.endpoint]
        row = OPERATIONS[ask.kind_of(method, rule.arguments)]
        expected = {who: HELD_OFF.get(who, "away") for who in PROGRAMS} | dict(
            zip(PROGRAMS[-len(row) :], row, strict=True)
        )
        prepare(world, rule, ask, names)
        before = world.fingerprint()
        for who in (w for w in expected if expected[w] != "yes"):
            got = outcome(call(world, program, who, method, rule, ask, names), ask)
            if got not in expected[who].split("/"):
                wrong.append(f"{method} {rule} {who}: {expected[who]}, not {got}")
        if (after := world.fingerprint()) != before:
            wrong.append(f"{method} {rule}: changed {[k for k in before if before[k] != after[k]]}")
        for who in (w for w in expected if expected[w] == "yes"):
            fresh = names if method == "GET" else world.names()
            answer = call(world, program, who, method, rule, ask, fresh)
            if answer.status_code >= 400 and answer.status_code not in ask.also:
                wrong.append(f"{method} {rule} {who}: yes, not {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


def test_the_document_tells_each_key_of_what_it_may_do(world: World, program: FlaskClient) -> None:
    """Every operation of an administrator's document has a line in the table, and is told to whoever may do it."""
    documents = {}
    for who in ("narrow", "reader", "viewer", "colleague", "owner", "admin"):
        answer = program.get("/api/v1/openapi.json", headers={"Authorization": f"Bearer {world.keys[who]}"})
        documents[who] = answer.json["paths"]
    adapter = world.app.url_map.bind("localhost")
    wrong = []
    for path, methods in documents["admin"].items():
        for method in methods if path.startswith("/account") else ():
            rule, _arguments = adapter.match("/api/v1" + _concrete(path), method=method.upper(), return_rule=True)
            ask = ROUTES.get(rule.endpoint)
            if ask is None:
                continue
            row = dict(zip(PROGRAMS[-6:], OPERATIONS[ask.kind_of(method.upper(), rule.arguments)], strict=True))
            for who, document in documents.items():
                told = method in document.get(path, {})
                may = row[who] not in ("no", "gone") or (row[who] == "gone" and who == "colleague")
                if told and not may:
                    wrong.append(f"{method} {path} is told to {who}, who may not")
                if row[who] == "yes" and not told:
                    wrong.append(f"{method} {path} is not told to {who}, who may")
    assert not wrong, "\n".join(wrong)


def _concrete(path: str) -> str:
    """A path of the document with something in its places."""
    path = re.sub(r"\{(field|name|list|key)\}", "x", path).replace("{entity}", "account")
    return re.sub(r"\{\w+\}", "00000000-0000-7000-8000-000000000000", path)
