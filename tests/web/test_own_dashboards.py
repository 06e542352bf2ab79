"""Dashboards that people make: from the gallery, by pinning, shared, changed, as YAML; rights are the reader's."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from tests.conftest import layers_of
from tests.web.frame_tenants import token_of
from tests.web.test_dashboard_pages import YAML, app, boss, clerk, guest, places, said

from trellis.model.compile import compile_layers
from trellis.model.dashboards.kinds import KINDS
from trellis.web.dashboards.gallery.registry import kinds

__all__ = ["app", "boss", "clerk", "guest"]


def post(who: FlaskClient, path: str, data: Any = None, body: Any = None) -> Any:
    return who.post(path, data=data, json=body, headers={"X-CSRFToken": token_of(who.get("/today").text)})


def make(who: FlaskClient, label: str, **form: Any) -> str:
    """The key of a new dashboard."""
    answer = post(who, "/dashboards/new", {"label": label, "filters": ["period", "owner"], **form})
    assert answer.status_code == 303
    return str(answer.headers["Location"].rpartition("/")[2])


def add(who: FlaskClient, key: str, **form: Any) -> str:
    """The key of a widget that is put on a dashboard."""
    answer = post(who, f"/dashboards/{key}/gallery/save", form)
    assert answer.status_code == 204, said(answer.text)
    return str(answer.headers["HX-Redirect"].rpartition("#w-")[2])


def built(who: FlaskClient, label: str, **form: Any) -> str:
    """The key of a report that is built."""
    first = {"label": label, "entity": "sale", "state": "view=all", "group-0": "", "group-0-path": "stage"}
    measures = {"measure-0": "", "measure-0-how": "sum", "measure-0-path": "amount"}
    answer = post(who, "/reports/new", {**first, **measures, **form})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"].rpartition("/")[2])


def document(who: FlaskClient, key: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(who.get(f"/dashboards/{key}.yaml").text))


def test_a_dashboard_is_made_without_yaml_and_is_yaml(boss: FlaskClient) -> None:
    key = make(boss, "Morning look")
    assert "Nothing on it yet" in boss.get(f"/dashboards/{key}").text
    number = add(boss, key, kind="number", report="by-stage", measure="amount", size="s", label="Sold")
    sales = add(boss, key, kind="list", entity="sale", view="all", whose="me", size="m")
    add(boss, key, kind="text", text="**Call** back", size="l")
    page = boss.get(f"/dashboards/{key}").text
    assert places(page) == {number: "0 0 3 2", sales: "3 0 6 6", "text": "0 6 12 2"}
    assert "€235" in said(boss.get(f"/dashboards/{key}/{number}?period=all").text)
    assert "€50" not in said(boss.get(f"/dashboards/{key}/{sales}").text)  # of others
    (data,) = document(boss, key)
    assert data["widgets"]["list"]["filter"] == "owner == me"
    compiled = compile_layers(layers_of(YAML + "\n---\n" + yaml.safe_dump(data, sort_keys=False), "adopted"))
    assert [p.message for p in compiled.problems if p.is_error] == []
    assert "Morning look" in boss.get("/dashboards/").text
    assert f"/dashboards/{key}" in boss.get("/search?q=morning").text


def test_it_can_be_what_one_begins_with(boss: FlaskClient) -> None:
    key = make(boss, "First thing")
    assert post(boss, "/dashboards/home", {"key": key}).status_code == 303
    assert "<title>First thing" in boss.get("/").text
    assert post(boss, f"/dashboards/{key}/own", {"do": "delete"}).status_code == 303
    assert boss.get(f"/dashboards/{key}").status_code == 404
    assert "<title>Work of clerks" in boss.get("/").text


@pytest.mark.parametrize(
    ("form", "control", "words"),
    [
        ({"kind": "text", "text": " "}, "text", "needed"),
        ({"kind": "table", "report": "by-stage", "limit": "many"}, "limit", "whole number"),
        ({"kind": "gauge", "report": "by-stage", "target": "x"}, "target", "whole number"),
        ({"kind": "page", "page": "http://here"}, "page", ""),
    ],
)
def test_what_is_wrong_is_said_at_its_control(
    boss: FlaskClient, form: dict[str, str], control: str, words: str
) -> None:
    key = make(boss, "Wrong things")
    answer = post(boss, f"/dashboards/{key}/gallery/save", form)
    assert answer.status_code == 200
    wrong = re.search(rf'data-fault="{control}"[^>]*role="alert">(.*?)</p>', answer.text, re.DOTALL)
    assert wrong
    assert words in said(wrong[1])
    assert places(boss.get(f"/dashboards/{key}").text) == {}


def test_widgets_are_changed_moved_and_taken_off(boss: FlaskClient) -> None:
    key = make(boss, "Changing")
    first, second = (add(boss, key, kind="text", text=text) for text in ("One", "Two"))
    assert "One" in boss.get(f"/dashboards/{key}/gallery/form?widget={first}").text
    changed = post(boss, f"/dashboards/{key}/gallery/save", {"kind": "text", "text": "Uno", "widget": first})
    assert changed.status_code == 204
    assert "Uno" in boss.get(f"/dashboards/{key}/{first}").text
    body = {"widgets": {first: [0, 4, 12, 2]}, "removed": [second]}
    assert post(boss, f"/dashboards/{key}/arrange", body=body).status_code == 204
    assert places(boss.get(f"/dashboards/{key}").text) == {first: "0 4 12 2"}
    assert document(boss, key)[0]["widgets"][first]["at"] == [0, 4, 12, 2]


def test_others_find_what_is_shared_with_their_own_rights(boss: FlaskClient, clerk: FlaskClient) -> None:
    key, report = make(boss, "For all of us"), built(boss, "Mine alone")
    number = add(boss, key, kind="number", report="by-stage", measure="amount")
    margins = add(boss, key, kind="leaders", report="margins")
    own = add(boss, key, kind="table", report=report)
    add(boss, key, kind="list", entity="sale", view="all", filter="margin > 1")
    assert clerk.get(f"/dashboards/{key}").status_code == 404
    assert post(boss, f"/dashboards/{key}/own", {"do": "share", "share": "all"}).status_code == 303
    assert "Mine alone" in boss.get(f"/dashboards/{key}").text  # is told that others do not find it
    assert "For all of us" in clerk.get("/dashboards/").text
    assert "€60" in said(clerk.get(f"/dashboards/{key}/{number}?period=all").text)
    assert "not for your role" in said(clerk.get(f"/dashboards/{key}/{margins}").text)
    assert "not shared with you" in said(clerk.get(f"/dashboards/{key}/{own}").text)
    assert clerk.get(f"/dashboards/{key}.yaml").status_code == 404
    for form in (
        {"do": "delete"},
        {"do": "settings", "label": "X"},
        {"do": "share", "share": "all"},
        {"do": "unshare"},
    ):
        assert post(clerk, f"/dashboards/{key}/own", form).status_code in (403, 404), form
    assert post(clerk, f"/dashboards/{key}/gallery/save", {"kind": "text", "text": "X"}).status_code == 403
    copy = make(clerk, "A copy", copy=key)
    assert set(document(clerk, copy)[0]["widgets"]) >= {number}
    assert "margin > 1" not in yaml.safe_dump(document(clerk, copy))
    assert post(boss, f"/dashboards/{key}/own", {"do": "unshare"}).status_code == 303
    assert clerk.get(f"/dashboards/{key}").status_code == 404


def test_built_reports_go_with_the_document_that_an_administrator_adopts(boss: FlaskClient) -> None:
    key, report = make(boss, "To adopt"), built(boss, "Built by me")
    add(boss, key, kind="chart", report=report, type="donut")
    texts = document(boss, key)
    assert [next(iter(text.items())) for text in texts] == [("report", "built-by-me"), ("dashboard", "to-adopt")]
    assert texts[1]["widgets"]["chart"]["chart"] == "built-by-me"
    adopted = "\n---\n".join([YAML, *(yaml.safe_dump(text, sort_keys=False) for text in texts)])
    assert [p.message for p in compile_layers(layers_of(adopted, "adopted-too")).problems if p.is_error] == []


def test_a_widget_whose_report_is_gone_leaves_the_others(boss: FlaskClient) -> None:
    key, report = make(boss, "What stays"), built(boss, "Soon gone")
    chart, text = add(boss, key, kind="chart", report=report), add(boss, key, kind="text", text="Still here")
    assert post(boss, f"/reports/{report}/delete").status_code == 303
    assert "gone, or not shared" in said(boss.get(f"/dashboards/{key}/{chart}").text)
    assert "Still here" in boss.get(f"/dashboards/{key}/{text}").text


def test_a_report_is_pinned_as_one_looks_at_it(boss: FlaskClient) -> None:
    key = make(boss, "Pinned")
    state = "chart=donut&sort=-amount&cols=amount&filter=amount+%3E+20"
    ask = boss.get(f"/reports/by-stage/pin?{state}").text
    assert key in ask
    form = {"state": state, "dashboard": key, "kind": "table", "size": "l", "label": "By worth", "apart": "1"}
    answer = post(boss, "/reports/by-stage/pin", form)
    assert answer.status_code == 303
    (data,) = document(boss, key)
    assert data["widgets"]["table"] == {
        "table": "by-stage",
        "label": "By worth",
        "filter": "amount > 20",
        "sort": ["-amount"],
        "columns": ["amount"],
        "filters": "none",
        "at": [0, 0, 12, 7],
    }
    shown = boss.get(f"/dashboards/{key}/table").text
    assert "Won €125 New €100 Total €225" in said(shown)
    href = unescape(re.findall(r'<h2[^>]*><a href="([^"]+)"', shown)[0])
    assert "Won €125 New €100" in said(boss.get(href).text)


def test_the_companys_dashboards_take_widgets_of_ones_own_and_of_all(boss: FlaskClient, clerk: FlaskClient) -> None:
    mine = add(clerk, "more", kind="text", text="Only for me")
    assert f'gs-id="{mine}"' in clerk.get("/dashboards/more").text
    assert f'gs-id="{mine}"' not in boss.get("/dashboards/more").text
    every = add(boss, "more", kind="number", report="by-stage", **{"for": "all"})
    assert f'gs-id="{every}"' in clerk.get("/dashboards/more").text
    pin = {"state": "", "dashboard": "more", "kind": "chart", "for": "all"}
    assert post(clerk, "/reports/by-stage/pin", pin).status_code == 403
    keep = {"sales": [0, 0, 4, 6], "days": [4, 0, 4, 6]}
    body = {"widgets": {**keep, mine: [8, 0, 4, 3]}, "removed": [every]}
    post(clerk, "/dashboards/more/arrange", body=body)  # what is for all is not theirs to take off
    assert f'gs-id="{every}"' in boss.get("/dashboards/more").text
    for who, gone in ((clerk, mine), (boss, every)):
        assert post(who, "/dashboards/more/arrange", body={"widgets": keep, "removed": [gone]}).status_code == 204
        assert f'gs-id="{gone}"' not in who.get("/dashboards/more").text
        post(who, "/dashboards/more/reset")


def test_filters_are_chosen_and_named_anew(boss: FlaskClient) -> None:
    key = make(boss, "Old name", filters=["period"])
    number = add(boss, key, kind="number", report="by-stage", measure="amount")
    form = {"do": "settings", "label": "New name", "description": "What for", "filters": ["owner"]}
    assert post(boss, f"/dashboards/{key}/own", form).status_code == 303
    page = boss.get(f"/dashboards/{key}").text
    assert "<title>New name" in page
    assert "€110" not in said(boss.get(f"/dashboards/{key}/{number}").text)
    (data,) = document(boss, key)
    assert (data["label"], data["description"], list(data["filters"])) == ("New name", "What for", ["owner"])


def test_who_may_not_read_reports_makes_none(guest: FlaskClient) -> None:
    assert "New dashboard" not in guest.get("/dashboards/").text
    assert post(guest, "/dashboards/new", {"label": "X"}).status_code == 403
    assert guest.get("/dashboards/more/gallery/form").status_code == 403


def test_the_gallery_offers_every_kind_of_widget_there_is() -> None:
    assert set(kinds()) == set(KINDS)
