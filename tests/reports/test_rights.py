"""Reports show what their reader may see, and nothing of the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.reports.crm import World, total

from trellis.formula.types import Money
from trellis.model.reports.report import Report
from trellis.records.refusal import Forbidden, Refused
from trellis.reports.run import run
from trellis.reports.seen import may_run

Compile = Callable[[str], Report]
BY_STAGE = "entity: deal\ngroup: [stage]\nmeasures: {n: count(), amount: sum(amount)}"


def numbers(world: World, report: Report, name: str, role: str, team: tuple[str, ...] = ()) -> tuple[Any, ...]:
    values = run(world.store(name, role, team), report, {}).lines[-1].values[1:]
    return tuple(v.amount if isinstance(v, Money) else v for v in values)


@pytest.mark.parametrize(
    ("role", "team", "owners"),
    [("rep", (), ("ben",)), ("lead", ("ben", "cleo"), ("ben", "cleo")), ("boss", (), ("anna", "ben", "cleo"))],
)
def test_numbers_are_those_of_the_records_within_reach(
    world: World, report: Compile, role: str, team: tuple[str, ...], owners: tuple[str, ...]
) -> None:
    seen = [d for d in world.deals if d["owner"] in {world.people[o] for o in owners}]
    assert numbers(world, report(BY_STAGE), "ben", role, team) == (len(seen), total(d["amount"] for d in seen))


@pytest.mark.parametrize(
    "text",
    [
        "entity: deal\ngroup: [margin]",
        "entity: deal\ngroup: {a: {formula: amount, bands: [10]}}",
        "entity: deal\nmeasures: {m: sum(margin)}",
        "entity: deal\nmeasures: {m: sum(amount) / count(margin > 2)}",
        "type: table\nentity: deal\ncolumns: [margin]",
        "type: pivot\nentity: deal\nrows: [stage]\ncolumns: [margin > 2]",
        "entity: account\nmeasures: {m: 'sum(sum(deals.margin))'}",
    ],
)
def test_what_would_show_a_hidden_or_masked_field_is_no_report(world: World, report: Compile, text: str) -> None:
    made = report(text)
    assert may_run(world.store("ben", "boss"), made)
    assert not may_run(world.store("ben", "blind"), made)


def test_a_measure_of_a_hidden_field_is_left_out_of_a_report_with_others(world: World, report: Compile) -> None:
    made = report("entity: deal\ngroup: [stage]\nmeasures: {n: count(), margin: sum(margin), amount: avg(amount)}")
    answer = run(world.store("ben", "blind"), made, {})
    assert [h.key for h in answer.headings] == ["stage", "n"]


def test_a_param_cannot_find_out_what_is_hidden(world: World, report: Compile) -> None:
    made = report(
        "entity: deal\nfilter: margin > param.least\nparams: {least: {type: decimal}}\nmeasures: {n: count()}"
    )
    store = world.store("ben", "blind")
    assert run(store, made, {}).lines[-1].values == (60,)
    with pytest.raises(Refused):
        run(store, made, {"least": "2"})


def test_a_filter_of_the_reports_own_may_read_what_is_hidden_and_leads_nowhere(world: World, report: Compile) -> None:
    made = report("entity: deal\nfilter: margin > 2\nmeasures: {n: count()}")
    answer = run(world.store("ben", "blind"), made, {})
    assert answer.lines[-1].values == (sum(d["margin"].amount > 2 for d in world.deals),)
    assert not answer.can_drill


def test_records_over_a_link_that_may_not_be_read_are_blank(world: World, report: Compile) -> None:
    made = report("entity: account\nmeasures: {n: 'sum(count(deals))', worth: 'sum(sum(deals.amount))'}")
    mine = [d for d in world.deals if d["owner"] == world.people["ben"] and d["account"] is not None]
    assert numbers_of(run(world.store("ben", "rep"), made, {}).lines[-1].values) == (
        len(mine),
        total(d["amount"] for d in mine),
    )


def numbers_of(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(v.amount if isinstance(v, Money) else v for v in values)


def test_reports_need_the_right_and_their_roles(world: World, report: Compile) -> None:
    assert not may_run(world.store("ben", "outsider"), report(BY_STAGE))
    for_leads = report(BY_STAGE + "\nroles: [lead]")
    assert not may_run(world.store("ben", "rep"), for_leads)
    assert may_run(world.store("ben", "lead"), for_leads)


def test_without_the_right_nothing_is_said_about_a_report(world: World) -> None:
    from trellis.reports.run import report_of

    with pytest.raises(Forbidden):
        report_of(world.store("ben", "outsider"), "anything")
