"""The same refusals from the page and from the command line, and what goes out comes back in."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from tests.language.conftest import Crew
from tests.web.frame_tenants import app_of, outcome, signed_in_client, token_of

from trellis.cli import main


@pytest.fixture(scope="module")
def app(crew: Crew, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(crew.tenant, tmp_path_factory.mktemp("far-away"))


@pytest.fixture(scope="module")
def lea(app: Flask) -> FlaskClient:
    return signed_in_client(app, "lea@far.example")


def post(client: FlaskClient, path: str, data: dict[str, Any]) -> Any:
    """A POST as the page's script makes it."""
    headers = {"X-CSRFToken": token_of(client.get("/").text), "X-Requested-With": "fetch"}
    return client.post(path, data=data, headers=headers)


def test_the_pages_of_every_entity_open(lea: FlaskClient, crew: Crew) -> None:
    for key in ("specimen", "expedition", "table", "select", "group", "user_group", "order", "account"):
        entity = crew.tenant.model.entities[key]
        for view in entity.views:
            assert lea.get(f"/e/{key}/?view={view}").status_code == 200, (key, view)
    assert lea.get("/e/specimen/new").status_code == 200
    assert lea.get(f"/e/expedition/{crew.trip.id}").status_code == 200


def test_a_page_is_refused_at_its_fields(lea: FlaskClient, crew: Crew) -> None:
    sent = {
        "_has": ["label", "expedition", "habitat", "agreed", "permit", "state", "legs"],
        "label": "",
        "habitat": "reef",
        "permit": "abc",
        "state": "stuffed",
        "legs": "3",
    }
    answer = post(lea, "/e/specimen/new", sent)
    assert outcome(answer) == 422
    for name in ("label", "expedition", "agreed", "permit", "state", "legs"):
        assert f'href="#f-{name}"' in answer.text, name
    assert "A permit number looks like AB-1234." in answer.text
    assert 'value="abc"' in answer.text


def test_a_page_creates_moves_and_is_held_at_a_gate(lea: FlaskClient, crew: Crew) -> None:
    sent = {"_has": ["label", "expedition", "habitat", "agreed"], "label": "By page", "habitat": "reef", "agreed": "1"}
    made = post(lea, "/e/specimen/new", {**sent, "expedition": str(crew.trip.id)})
    assert made.status_code == 200, made.text[:2000]
    id = made.get_json()["ref"]["id"]
    assert crew.leader.read("specimen", id)["habitat"] == "reef"
    shown = lea.get(f"/e/specimen/{id}").text
    assert "By page" in shown
    assert "Worth" not in shown  # hidden from this role


def test_what_a_role_may_not_see_is_not_there(app: Flask, crew: Crew) -> None:
    gus = signed_in_client(app, "gus@far.example")
    made = crew.specimen()
    assert gus.get(f"/e/specimen/{made.id}").status_code == 404
    assert gus.get("/e/expedition/").status_code in (403, 404)


@pytest.fixture
def trellis(crew: Crew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command against the tenant, in a folder of its own."""

    @contextmanager
    def installation() -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(settings=SimpleNamespace(var=tmp_path / "var"), tenant=lambda slug: crew.tenant)

    monkeypatch.setattr("trellis.cli.import_.installation", installation)
    monkeypatch.setattr("trellis.cli.export.installation", installation)
    monkeypatch.setattr("trellis.storage.secrets.use_installation_key", lambda var: None)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, list(words), catch_exceptions=False)


def test_an_import_is_refused_row_by_row(trellis: Any) -> None:
    Path("specimen.csv").write_text(
        "label,expedition,habitat,agreed,legs,permit,worth,insured\n"
        "Right,X-007,Reef,true,4,CD-5678,10 EUR,\n"
        ",X-007,reef,true,4,,,\n"
        "Wrong,X-999,moon,true,3,abc,20000 EUR,\n",
        "utf-8",
    )
    done = trellis("import", "far-away", "specimen", "specimen.csv", "--outcome", "told.csv")
    assert done.exit_code == 1
    assert "3 rows: 1 created, 0 updated, 0 skipped, 2 failed" in done.output
    told = list(csv.DictReader(Path("told.csv").read_text("utf-8-sig").splitlines()))
    assert [row["outcome"] for row in told] == ["created", "failed", "failed"]
    assert "label" in told[1]["message"]
    assert "X-999" in told[2]["message"]


def test_what_goes_out_comes_back_in(trellis: Any, crew: Crew) -> None:
    for entity in ("specimen", "expedition", "table", "group"):
        trellis("export", "far-away", entity, "--out", f"{entity}.csv")
        again = trellis("import", "far-away", entity, f"{entity}.csv")
        assert ("0 created, 0 updated" in again.output, again.exit_code) == (True, 0), again.output
