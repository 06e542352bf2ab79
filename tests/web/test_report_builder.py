"""The report builder: choices become a YAML document, compiled like the configuration's, saved, shared, adopted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import PEOPLE, add_person, app_of, signed_in_client, token_of

from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.model.compile import compile_layers
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue

YAML = (
    PEOPLE
    + """
entity: sale
label: Sale
plural: Sales
fields:
  name:   {type: text, required: true}
  stage:  {type: choice, choices: [{new: {label: New}}, {won: {label: Won}}]}
  amount: {type: money}
  margin: {type: money}
  day:    {type: date}
---
entity: letter
fields: {name: {type: text}}
---
role: boss
grants: {"*": {read: all, create: true, update: all}}
allow: [admin, reports]
---
role: clerk
grants: {"*": {read: all}, sale: {read: all, fields: {margin: hidden}}, letter: {read: false}}
allow: [reports]
---
role: guest
grants: {"*": {read: all}}
---
report: written
label: Sales as written
entity: sale
filter: amount > param.least
params: {least: {type: money}}
group: {stage: stage, size: {formula: amount, bands: [30, 60]}}
measures:
  sales: {formula: count(), label: Number}
  part:  {formula: 'count(stage == "won") / count() * 100', label: Part, unit: "%", scale: 1}
  share: share(sum(amount))
sort: [-sales]
chart: {type: bar, x: stage, y: sales}
roles: [boss, clerk]
---
report: dear
label: Dear sales
entity: sale
filter: margin > 10
group: [stage]
"""
)
FORM = {
    "label": "Sales by stage and month",
    "entity": "sale",
    "kind": "summary",
    "state": "view=all&f=stage~in~won,new",
    "group-0": "",
    "group-0-path": "stage",
    "group-1": "",
    "group-1-path": "day",
    "group-1-part": "month",
    "measure-0": "",
    "measure-0-how": "count",
    "measure-1": "",
    "measure-1-how": "sum",
    "measure-1-path": "amount",
    "measure-2": "",
    "measure-2-how": "=",
    "measure-2-formula": "sum(amount) / count()",
    "measure-2-label": "Mean",
    "chart": "line",
}


@pytest.fixture(scope="module")
def app(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    tenant = catalogue.create("report-builder", layers_of(YAML, "report-builder"), "test")
    for role in ("boss", "clerk", "guest"):
        add_person(tenant, f"{role}@example.com", role)
    store = Store(tenant, Principal.system(Reader(currency="EUR")))
    for name, stage, amount, day in (("A", "new", 20, date(2026, 1, 5)), ("B", "won", 50, date(2026, 2, 5))):
        money = Money(Decimal(amount), "EUR")
        store.create("sale", {"name": name, "stage": stage, "amount": money, "margin": money, "day": day})
    try:
        yield app_of(tenant, tmp_path_factory.mktemp("report-builder"))
    finally:
        catalogue.drop("report-builder")


CLIENTS: dict[Any, FlaskClient] = {}


def client(app: Flask, role: str) -> FlaskClient:
    if (app, role) not in CLIENTS:
        CLIENTS[app, role] = signed_in_client(app, f"{role}@example.com")
    return CLIENTS[app, role]


def send(who: FlaskClient, address: str, form: dict[str, Any]) -> Any:
    token = token_of(who.get("/reports/new").text)
    return who.post(address, data={"csrf_token": token, **form})


def preview(who: FlaskClient, **changed: Any) -> tuple[dict[str, Any], dict[str, str], str]:
    """The document, what is wrong at which control, and the fragment."""
    answer = send(who, "/reports/preview", FORM | changed)
    assert answer.status_code == 200
    found = re.search(r"data-build-faults>(.*?)</script>", answer.text)
    text = re.search(r'<pre[^>]*id="build-yaml"[^>]*>(.*?)</pre>', answer.text, re.DOTALL)
    assert found
    assert text
    return yaml.safe_load(unescape(text[1])), json.loads(found[1]), answer.text


def save(who: FlaskClient, **changed: Any) -> str:
    """The key of a report that is saved."""
    answer = send(who, "/reports/new", FORM | changed)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"].rpartition("/")[2])


def test_choices_are_a_document_and_are_shown(app: Flask) -> None:
    data, faults, text = preview(client(app, "boss"))
    assert faults == {}
    assert data == {
        "report": "sales-by-stage-and-month",
        "label": "Sales by stage and month",
        "entity": "sale",
        "filter": 'stage in ("won", "new")',
        "group": {"stage": "stage", "day_month": "month(day)"},
        "measures": {
            "count": {"formula": "count()", "label": "Number"},
            "amount_sum": {"formula": "sum(amount)", "label": "Amount"},
            "value": {"formula": "sum(amount) / count()", "label": "Mean"},
        },
        "chart": {"type": "line"},
    }
    assert "€70" in text
    assert '"type": "line"' in text or '"type":"line"' in text


def test_without_groups_there_is_one_line_of_everything(app: Flask) -> None:
    _, faults, text = preview(client(app, "boss"), **{"group-0-path": "", "group-1-path": "", "chart": ""})
    assert faults == {}
    foot = text[text.index("<tfoot>") : text.index("</tfoot>")]
    assert re.findall(r">([^<>\s]+)</td>", foot) == ["2", "€70", "€35"]
    assert "data-chart" not in text


def test_the_document_is_what_the_configuration_takes(app: Flask) -> None:
    data, _, _ = preview(client(app, "boss"))
    document = yaml.safe_dump(data, sort_keys=False)
    compiled = compile_layers(layers_of(f"{YAML}\n---\n{document}", "report-adopted"))
    assert [p.message for p in compiled.problems if p.is_error] == []
    assert compiled.model is not None
    assert compiled.model.reports["sales-by-stage-and-month"].label.source == "Sales by stage and month"


@pytest.mark.parametrize(
    ("changed", "control", "words"),
    [
        ({"measure-2-formula": "sum(amout)"}, "measure-2", "did you mean 'amount'?"),
        ({"measure-1-path": "name"}, "measure-1", "number"),
        ({"group-0-path": "=", "group-0-formula": "nonsense("}, "group-0", ""),
        ({"where": "stage = = 1"}, "filter", ""),
        ({"limit": "many"}, "limit", ""),
        ({"kind": "trend", "date": ""}, "date", "needed"),
        ({"kind": "pivot", "group-0-path": "", "group-1-path": ""}, "group-0", "needed"),
        ({"kind": "table", "column-0": "", "column-0-path": ""}, "column-0", "needed"),
    ],
)
def test_what_is_wrong_is_said_at_its_control(app: Flask, changed: dict[str, str], control: str, words: str) -> None:
    _, faults, _ = preview(client(app, "boss"), **changed)
    assert list(faults) == [control]
    assert words in faults[control]


def test_nothing_typed_is_lost_when_saving_is_refused(app: Flask) -> None:
    boss = client(app, "boss")
    answer = send(boss, "/reports/new", FORM | {"label": " ", "measure-2-formula": "sum(<amout>)"})
    assert answer.status_code == 422
    assert "It needs a name" in answer.text
    assert "sum(&lt;amout&gt;)" in answer.text
    assert "Sales by" not in boss.get("/reports/my-" + "0" * 32).text


def test_a_saved_report_runs_edits_exports_and_goes(app: Flask) -> None:
    boss = client(app, "boss")
    key = save(boss)
    page = boss.get(f"/reports/{key}").text
    assert "Sales by stage and month" in page
    assert boss.get(f"/reports/{key}.csv").status_code == 200
    assert "Sales by stage and month" in boss.get("/reports/").text
    assert f"/reports/{key}" in boss.get("/search?q=stage+and+month").text
    assert "report: sales-by-stage-and-month" in boss.get(f"/reports/{key}.yaml").text
    edit = boss.get(f"/reports/{key}/edit").text
    assert 'value="sum(amount) / count()"' in edit
    changed = send(
        boss,
        f"/reports/{key}/edit",
        FORM | {"label": "Renamed", "kind": "table", "column-0-path": "amount", "column-0": ""},
    )
    assert changed.status_code == 303
    assert "Renamed" in boss.get(f"/reports/{key}").text
    assert send(boss, f"/reports/{key}/delete", {}).status_code == 303
    assert boss.get(f"/reports/{key}").status_code == 404


def test_a_shared_report_obeys_whoever_reads_it(app: Flask) -> None:
    boss, clerk = client(app, "boss"), client(app, "clerk")
    margins = {"measure-1-path": "margin", "measure-2-formula": "sum(margin)", "measure-2-label": "Profit"}
    key = save(boss, label="For all", share="all", **margins)
    seen = clerk.get(f"/reports/{key}").text
    assert "For all" in clerk.get("/reports/").text
    assert "Profit" not in seen
    assert "margin" not in seen.casefold()
    assert clerk.get(f"/reports/{key}.yaml").status_code == 404
    assert clerk.get(f"/reports/{key}/copy").status_code == 404
    assert clerk.get(f"/reports/{key}/edit").status_code == 403
    assert send(clerk, f"/reports/{key}/delete", {}).status_code == 403
    hidden = [
        save(boss, label="Secret group", share="all", **{"group-0-path": "margin"}),
        save(boss, label="Secret filter", share="all", where="margin > 1"),
        save(
            boss,
            label="Secret entity",
            share="all",
            entity="letter",
            state="view=all",
            **{"group-0-path": "name", "group-1-path": "", "measure-1-how": "count", "measure-2-formula": "count()"},
        ),
        save(boss, label="Secret to me"),
    ]
    listed = clerk.get("/reports/").text
    assert "Secret" not in listed
    assert {clerk.get(f"/reports/{key}").status_code for key in hidden} == {404}
    assert client(app, "guest").get(f"/reports/{key}").status_code == 403


def test_a_builder_knows_no_hidden_names(app: Flask) -> None:
    clerk = client(app, "clerk")
    assert "margin" not in clerk.get("/reports/new?entity=sale").text.casefold()
    _, faults, text = preview(clerk, **{"measure-2-formula": "sum(margi)"})
    assert "unknown name 'margi'" in faults["measure-2"]
    assert "'margin'" not in text
    _, faults, _ = preview(clerk, **{"measure-2-formula": "sum(margin)"})
    assert faults["measure-2"].startswith("unknown name 'margin'")
    assert send(clerk, "/reports/preview", FORM | {"entity": "letter"}).status_code == 404


def test_one_builds_on_a_report_of_the_configuration(app: Flask) -> None:
    boss, clerk = client(app, "boss"), client(app, "clerk")
    page = unescape(boss.get("/reports/written/copy").text)
    assert 'value="Sales as written (copy)"' in page
    assert "amount > param.least" in page
    assert '"params"' in page
    assert "30, 60" in page
    form = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value=["\'](.*?)["\']>', page))
    assert json.loads(form["kept"])["chart"]["x"] == "stage"
    assert "roles" not in json.loads(form["kept"])
    assert clerk.get("/reports/dear").status_code == 200  # the configuration's filter may read anything
    assert clerk.get("/reports/dear/copy").status_code == 404  # but it is not theirs to see


def test_rows_come_and_go_without_losing_the_others(app: Flask) -> None:
    boss = client(app, "boss")
    more = send(boss, "/reports/build", FORM | {"do": "add group"}).text
    assert 'name="group-2-path"' in more
    assert 'value="sum(amount) / count()"' in more
    less = send(boss, "/reports/build", FORM | {"do": "drop group 0"}).text
    assert 'name="group-1-path"' not in less
    other = send(boss, "/reports/build", FORM | {"do": "entity", "entity": "letter"}).text
    assert 'value="sum(amount)' not in other
    assert 'value="Sales by stage and month"' in other


def test_another_kind_begins_with_something_to_see(app: Flask) -> None:
    boss = client(app, "boss")
    kept = {
        "label": "X",
        "entity": "sale",
        "state": "view=all",
        "measure-0": "",
        "measure-0-how": "count",
        "do": "kind",
    }
    assert '<option value="stage" data-kind="text" selected>' in boss.get("/reports/new?entity=sale").text
    for kind, seen in (
        ("table", 'name="column-0-path"'),
        ("trend", 'data-kind="datetime" selected'),
        ("pivot", "group-0"),
    ):
        text = send(boss, "/reports/build", kept | {"kind": kind}).text
        assert seen in text, kind


def test_what_the_configuration_has_outgrown_is_opened_for_editing(app: Flask) -> None:
    boss = client(app, "boss")
    key = save(boss, label="Old one")
    tenant = app.extensions["trellis"].tenant
    table = tenant.tables.platform.own_report
    with tenant.begin() as connection:
        row = table.update().where(table.c.label == "Old one")
        connection.execute(row.values(definition={"yaml": "report: x\nentity: sale\ngroup: [gone]\n"}))
        connection.execute(table.update().where(table.c.label == "Old one").values(updated_at=date(2030, 1, 1)))
    assert "no longer fits" in boss.get("/reports/").text
    answer = boss.get(f"/reports/{key}")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"/reports/{key}/edit")
