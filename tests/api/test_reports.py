"""Reports over HTTP: which there are, their answers, their params, who may."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.api.conftest import Api
from tests.api.test_records import new_order


def test_reports_are_listed_with_their_params(mona: Api) -> None:
    found = mona.get("reports").json["data"]
    assert [(r["key"], r["entity"], r["params"]) for r in found] == [
        ("orders-by-month", "order", [{"key": "from", "label": "From", "type": "date", "default": None}])
    ]


def test_a_report_answers_with_columns_lines_and_a_total(mona: Api) -> None:
    new_order(mona)
    count = mona.get("order?count=exact").json["count"]["n"]
    answer = mona.get("reports/orders-by-month").json
    assert [c["key"] for c in answer["columns"]] == ["month", "n", "named"]
    assert answer["total"]["values"] == [None, count, count]
    (line,) = answer["data"]
    assert line["values"][1] == count
    listed: Any = mona.get(f"order?count=exact&filter={quote(line['filter'])}").json
    assert listed["count"]["n"] == count


def test_params_are_parameters_of_the_query(mona: Api) -> None:
    answer = mona.get("reports/orders-by-month?from=2999-01-01").json
    assert (answer["params"], answer["data"]) == ({"from": "2999-01-01"}, [])
    wrong = mona.get("reports/orders-by-month?from=soon")
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "from")
    unknown = mona.get("reports/orders-by-month?until=2026-01-01")
    assert (unknown.status_code, unknown.json["errors"][0]["field"]) == (400, "until")
    assert mona.get("reports/orders-by-month?sort=nothing").status_code == 422


def test_a_report_that_is_not_there_is_missing(mona: Api) -> None:
    assert mona.get("reports/nothing").status_code == 404


def test_without_the_right_there_are_no_reports(carl: Api) -> None:
    assert carl.get("reports").status_code == 403
    assert carl.get("reports/orders-by-month").status_code == 403
