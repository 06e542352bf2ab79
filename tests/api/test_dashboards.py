"""Dashboards over HTTP: which there are, each with what its widgets show, narrowed by the query."""

from __future__ import annotations

from tests.api.conftest import Api
from tests.api.test_records import new_order


def test_a_dashboard_is_told_with_its_data(mona: Api) -> None:
    new_order(mona)
    count = mona.get("order?count=exact").json["count"]["n"]
    (listed,) = mona.get("dashboards").json["data"]
    assert (listed["key"], [f["type"] for f in listed["filters"]]) == ("desk", ["date_range"])
    told = {w["key"]: w for w in mona.get("dashboards/desk").json["widgets"]}
    assert told["orders"]["value"] == count
    assert told["orders"]["at"] == [0, 0, 3, 2]
    assert told["months"]["answer"]["total"]["values"][1] == count
    assert (told["latest"]["entity"], told["latest"]["filter"]) == ("order", "not is_blank(name)")
    assert (told["word"]["kind"], told["word"]["label"]) == ("text", "Word")


def test_the_query_narrows_it_and_other_words_are_refused(mona: Api) -> None:
    told = {w["key"]: w for w in mona.get("dashboards/desk?period=2001-01-01..2001-12-31").json["widgets"]}
    assert told["orders"]["value"] == 0
    assert told["months"]["answer"]["data"] == []
    unknown = mona.get("dashboards/desk?perod=this_year")
    assert (unknown.status_code, unknown.json["errors"][0]["field"]) == (400, "perod")
    wrong = mona.get("dashboards/desk?period=soon")
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "period")
    assert mona.get("dashboards/none").status_code == 404
