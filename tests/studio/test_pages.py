"""The studio's pages as an administrator uses them: write, see what is wrong, publish, go back."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_babel import force_locale
from tests.conftest import layers_of
from tests.web.frame_tenants import YAML, add_person, outcome, signed_in_client

from trellis.model.compile import compile_layers
from trellis.storage.catalogue import Catalogue
from trellis.storage.secrets import use_installation_key
from trellis.studio import checking
from trellis.studio.app import add_studio
from trellis.studio.words import problem_words
from trellis.web.app import create_tenant_app
from trellis.web.settings import Settings

SLUG = "studio-pages"
OWN = (
    YAML
    + """
---
pipeline: care
entity: account
label: Care
stages: {new: New, good: {label: Good, probability: 60}, gone: {label: Gone, type: lost}}
moves: [{from: new, to: good}, {from: good, to: new}, {from: "*", to: gone}]
---
choices: size
values: {small: Small, large: Large}
"""
)
SHOE = "  shoe: {type: choice, choices: size, label: Shoe}\n"


@pytest.fixture(scope="module")
def admin(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    var = tmp_path_factory.mktemp("studio")
    use_installation_key(var)
    tenant = catalogue.create(SLUG, layers_of({"schemas/own.yaml": OWN}, SLUG), "test", why="Begun")
    add_person(tenant, "anna@x.example", "admin", name="Anna Admin")
    app = create_tenant_app(tenant, Settings(var=var), catalogue, [add_studio])
    app.config["WTF_CSRF_ENABLED"] = False
    yield signed_in_client(app, "anna@x.example")
    catalogue.drop(SLUG)


@pytest.fixture(autouse=True)
def _nothing_left(admin: FlaskClient) -> Iterator[None]:
    yield
    admin.post("/admin/configuration/discard")


def keep(admin: FlaskClient, text: str, path: str = "schemas/own.yaml", version: int = 0) -> Any:
    """What the editor sends with every pause in typing."""
    return admin.post("/admin/configuration/draft", json={"path": path, "text": text, "version": version})


def with_shoe(text: str = OWN) -> str:
    return text.replace("  owner: {type: user, default: =me, role: owner}\n", f"  owner: {{type: user}}\n{SHOE}", 1)


def seal(page: Any) -> str:
    found = re.search(r'name="seal" value="(\w+)"', page.text)
    assert found, page.text[-800:]
    return found[1]


def test_mistakes_are_told_where_they_stand(admin: FlaskClient) -> None:
    said = keep(admin, with_shoe().replace("type: choice, choices: size", "type: chioce")).json
    problem = said["problems"][0]
    assert (problem["code"], problem["file"], problem["hint"]) == ("E210", "schemas/own.yaml", "did you mean 'choice'?")
    assert OWN.splitlines()[problem["line"] - 2].lstrip().startswith("owner")
    assert said["errors"] == 1
    assert said["files"][1] == {"path": "schemas/own.yaml", "state": "changed", "errors": 1, "version": 1}
    page = admin.get("/admin/configuration/publish").text
    assert "E210" in page
    assert 'name="why"' not in page


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(9)) + "[" * 300,
        "entity: x\nfields: {" + "a: {" * 100,
        "!!python/object/apply:os.system ['true']",
        "entity: x\n\tlabel: tab",
        "\x00\x01",
        "entity: " + "x" * 200_000,
        "- just\n- a list",
        "entity: account\nentity: account",
        "{" * 50_000,
    ],
)
def test_hostile_yaml_is_a_problem_and_nothing_else(admin: FlaskClient, text: str) -> None:
    answer = keep(admin, text, "schemas/hostile.yaml")
    assert answer.status_code == 200 or (answer.status_code == 422 and answer.json["message"])
    if answer.status_code == 200:
        assert answer.json["errors"] >= 1
        assert admin.get("/admin/configuration/edit?file=schemas/hostile.yaml").status_code == 200


def test_a_change_is_planned_published_and_taken_back(admin: FlaskClient, catalogue: Any) -> None:
    keep(admin, with_shoe())
    page = admin.get("/admin/configuration/publish")
    assert "the field Shoe is added" in page.text
    without = admin.post("/admin/configuration/publish", data={"seal": seal(page), "why": " "})
    assert outcome(without) == 422
    other = admin.post("/admin/configuration/publish", data={"seal": "0" * 32, "why": "Shoes"})
    assert outcome(other) == 422
    assert "has changed since you looked" in other.text
    done = admin.post("/admin/configuration/publish", data={"seal": seal(page), "why": "Shoes"})
    number = int(done.headers["Location"].rpartition("/")[2])
    live = catalogue.revision(SLUG, number)
    assert (live.who, live.why, live.origin) == ("Anna Admin (anna@x.example)", "Shoes", "studio")
    assert SHOE in live.layers[-1].text()["schemas/own.yaml"]
    # going back destroys what is in the field, so a word is asked for
    tenant = catalogue.get(SLUG)
    with tenant.begin() as connection:
        connection.exec_driver_sql("INSERT INTO account (id, name, shoe) VALUES (gen_random_uuid(), 'x', 'small')")
    back = f"/admin/configuration/back/{number - 1}"
    page = admin.get(back)
    assert "1 value is gone afterwards" in page.text
    data = {"seal": seal(page), "why": "No shoes"}
    assert outcome(admin.post(back, data=data)) == 422
    assert catalogue.entry(SLUG).revision == number
    assert admin.post(back, data={**data, "confirm": SLUG}).status_code == 302
    assert "shoe" not in catalogue.get(SLUG).model.entities["account"].fields
    compared = admin.get(f"/admin/configuration/compare?from={number - 1}&to={number}").text
    assert "entity.account" in compared
    assert "Shoe" in compared


def test_nobody_locks_themselves_out(admin: FlaskClient, catalogue: Any) -> None:
    before = catalogue.entry(SLUG).revision
    keep(admin, OWN.replace("allow: [admin]", "allow: [reports]"))
    page = admin.get("/admin/configuration/publish")
    refused = admin.post("/admin/configuration/publish", data={"seal": seal(page), "why": "Fewer rights"})
    assert outcome(refused) == 422
    assert "could not administer this company any more" in refused.text
    assert catalogue.entry(SLUG).revision == before


def test_another_window_gets_the_other_text(admin: FlaskClient) -> None:
    keep(admin, "# one\n", "schemas/more.yaml")
    late = keep(admin, "# two\n", "schemas/more.yaml")
    assert (late.status_code, late.json["text"], late.json["version"]) == (409, "# one\n", 1)


FORMS: list[tuple[str, dict[str, str], str]] = [
    ("add-field", {"entity": "account", "label": "鞋码", "type": "decimal", "decimal.min": "20,5"},
     "xie_ma: {type: decimal, label: 鞋码, min: 20.5}"),
    ("add-field", {"entity": "account", "label": "Kind", "type": "choice", "choices": "Big one\nb: Other"},
     "kind: {type: choice, label: Kind, choices: [{big_one: Big one}, {b: Other}]}"),
    ("field", {"entity": "account", "field": "name", "label": "Company", "required": "1", "shown": "yes"},
     "name:  {type: text, required: true, search: true, label: Company}"),
    ("stages", {"pipeline": "care", "new.label": "New", "good.place": "1", "new0.label": "Visit", "new0.place": "3"},
     "visit: {label: Visit, after: new}"),
    ("choices", {"list": "choices.size", "new": "Huge"}, "values: {small: Small, large: Large, huge: Huge}"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "answers", "line"), FORMS)
def test_a_form_shows_and_writes_a_few_lines(admin: FlaskClient, key: str, answers: dict[str, str], line: str) -> None:
    if key == "choices":  # a list that some field uses
        keep(admin, with_shoe())
    address = f"/admin/configuration/change/{key}"
    shown = admin.post(address, data={**answers, "_preview": "1"})
    assert "t-wrong" not in shown.text, shown.text
    assert admin.post(address, data=answers).status_code == 302
    state = admin.get("/admin/configuration/draft").json
    assert state["errors"] == 0, state["problems"]
    assert line in admin.get("/admin/configuration/edit?file=schemas/own.yaml").text.replace("&#39;", "'")


def test_a_form_says_what_it_does_not_understand(admin: FlaskClient) -> None:
    data = {"entity": "account", "label": "Name", "type": "decimal", "decimal.min": "much"}
    page = admin.post("/admin/configuration/change/add-field", data=data)
    assert outcome(page) == 422
    assert "is no number" in page.text
    assert 'value="much"' in page.text
    assert admin.get("/admin/configuration/draft").json["changed"] == 0


def test_values_of_other_layers_are_taken_over_where_they_are_changed(admin: FlaskClient) -> None:
    page = admin.get("/admin/configuration/explore?document=entity.user").text
    assert "schemas/own.yaml" in page
    done = admin.post("/admin/configuration/overlay", data={"document": "role.rep", "path": "label"})
    assert "file=schemas" in done.headers["Location"]


def test_the_download_is_what_the_upload_takes(admin: FlaskClient) -> None:
    import io

    packed = admin.get("/admin/configuration/download").data
    same = admin.post("/admin/configuration/upload", data={"files": (io.BytesIO(packed), "own.zip"), "whole": "1"})
    assert same.status_code == 302
    assert admin.get("/admin/configuration/draft").json["changed"] == 0
    more = {"files": (io.BytesIO(b"entity: visit\nfields: {name: {type: text}}\n"), "visit.yaml")}
    admin.post("/admin/configuration/upload", data=more)
    assert admin.get("/admin/configuration/draft").json["files"][-1]["path"] == "schemas/visit.yaml"


def test_the_checker_speaks_the_readers_language(admin: FlaskClient) -> None:
    """Messages, the names of kinds and types within them, hints, and what mends where there is no hint."""
    mistakes = """
entity: invoice
fields:
  size: {type: chioce}
  sum: {type: money, min: [1], currency: XXX1}
  owner: {type: link, to: acount}
views:
  board: {type: kanban, group: name, card: [nam]}
---
pipeline: care
entity: invoice
stages: {a: {rot_after: long}, b: {probability: 200}}
moves: [{from: a, to: c}]
---
workflow: w
on: {schedule: never}
steps: [{sett: {a: 1}}]
"""
    problems = compile_layers(layers_of({"schemas/own.yaml": YAML + "\n---\n" + mistakes}, SLUG)).problems
    assert len({p.code for p in problems}) > 7
    with admin.application.test_request_context(), force_locale("zh_Hans"):
        said = [text for p in problems for text in problem_words(p) if text]
    assert not [text for text in said if not re.search("[一-鿿]", text)]
    assert "未知的字段类型“chioce”" in said
    assert "是不是指“choice”？" in said


def test_checks_leave_the_servers_threads_to_pages(admin: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a full line a text is kept all the same, what is known already is told, and a page says to come again."""
    known = keep(admin, OWN + "# one\n").json
    assert known["errors"] == 0
    monkeypatch.setattr(checking, "PATIENCE", 0.01)
    monkeypatch.setattr(checking, "_line", threading.BoundedSemaphore(1))
    with checking._line:
        assert admin.get("/admin/configuration/draft").json["errors"] == 0
        busy = keep(admin, OWN + "# two\n", version=known["version"]).json
        assert (busy["is_busy"], busy["is_changed"]) == (True, True)
        assert outcome(admin.get("/admin/configuration/publish")) == 503
    assert admin.get("/admin/configuration/draft").json["errors"] == 0
