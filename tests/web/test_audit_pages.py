"""The page of the audit log: what happens at the door and elsewhere stands there, and is found again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person, app_of, sign_in, signed_in_client, token_of

from trellis.storage.audit import GROUPS, KINDS
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant
from trellis.web.audit_words import GROUP_WORDS, KIND_WORDS


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Iterator[Tenant]:
    tenant = catalogue.create("audit-pages", layers_of(YAML, "audit-pages"), "test")
    add_person(tenant, "ada@audit.example", "admin", name="Ada <b>")
    add_person(tenant, "rob@audit.example", "rep")
    yield tenant
    catalogue.drop("audit-pages")


@pytest.fixture(scope="module")
def app(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(tenant, Path(tmp_path_factory.mktemp("audit")))


def test_every_kind_has_words() -> None:
    assert set(KIND_WORDS) == KINDS
    assert set(GROUP_WORDS) == set(GROUPS)


def test_signing_in_stands_in_the_log(app: Flask) -> None:
    ada = signed_in_client(app, "ada@audit.example")
    sign_in(app.test_client(), "rob@audit.example", "wrong password")
    page = ada.get("/admin/audit").text
    assert "Signed in" in page
    assert "Sign-in failed" in page
    assert "Ada &lt;b&gt;" in page
    assert "wrong password" not in page


def test_it_is_narrowed_by_person_kind_time_and_words(app: Flask) -> None:
    ada = signed_in_client(app, "ada@audit.example")
    listed = '<td><span class="t-audit-what">'
    assert ada.get("/admin/audit?kind=sign-in.succeeded").text.count(listed) >= 1
    assert ada.get("/admin/audit?kind=webhook").text.count(listed) == 0
    assert "Nothing found" in ada.get("/admin/audit?from=2099-01-01").text
    assert ada.get("/admin/audit?q=signed-nowhere").text.count(listed) == 0
    assert ada.get("/admin/audit?q=%25").text.count(listed) == 0  # a percent sign is one
    wrong = ada.get("/admin/audit?from=2026-02-31&to=x&who=nobody&before=x")
    assert "This is no date." in wrong.text
    assert "The last day is before the first." in ada.get("/admin/audit?from=2026-02-03&to=2026-02-01").text


def test_the_log_is_checked_and_taken_along(app: Flask) -> None:
    ada = signed_in_client(app, "ada@audit.example")
    token = token_of(ada.get("/admin/audit").text)
    assert "The log is whole" in ada.post("/admin/audit/check", data={"csrf_token": token}).text
    answer = ada.post("/admin/audit/export", data={"csrf_token": token})
    told = [json.loads(line) for line in answer.text.splitlines()]
    assert [t["number"] for t in told] == list(range(1, len(told) + 1))
    assert {"company.created", "sign-in.succeeded", "company.log-exported"} <= {t["kind"] for t in told}


def test_it_is_for_administrators(app: Flask) -> None:
    rob = signed_in_client(app, "rob@audit.example")
    for method, path in (("get", ""), ("post", "/check"), ("post", "/export")):
        token = token_of(rob.get("/").text)
        assert getattr(rob, method)(f"/admin/audit{path}", data={"csrf_token": token}).status_code == 403
    assert app.test_client().get("/admin/audit").status_code == 302
