"""Rows × columns: cells, totals both ways, and whatever the groups are, they add up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.reports.crm import NOW, World

from trellis.formula.types import Money
from trellis.model.reports.report import Report
from trellis.reports.result import Answer, Line
from trellis.reports.run import run

Ask = Callable[..., Answer]
KEYS = ["stage", "account.industry", "account", "owner", "month(close_date)", "quarter(opened_at)", "amount > 100"]


def plain(value: Any) -> Any:
    return value.amount if isinstance(value, Money) else value


def test_cells_are_where_their_row_and_column_meet(world: World, ask: Ask) -> None:
    answer = ask(
        "type: pivot\nentity: deal\nrows: [account.industry]\ncolumns: [stage]\n"
        "measures: {n: count(), sum: sum(amount)}"
    )
    industry = {a["id"]: a["industry"] for a in world.accounts}
    expected: dict[Any, int] = defaultdict(int)
    for deal in world.deals:
        expected[industry.get(deal["account"]), deal["stage"]] += 1
    heads = [h for h in answer.headings[1:] if h.key == "n" and not h.is_total]
    assert [h.over[0][1] for h in heads] == ["new", "offer", "signing", "won", "lost"]
    found = {}
    for line in answer.lines[:-1]:
        for heading, value in zip(answer.headings, line.values, strict=True):
            if heading in heads and value:
                found[line.values[0], heading.over[0][1]] = value
    assert found == dict(expected)
    assert answer.lines[-1].values[-2:][0] == 60


def test_every_cell_leads_to_its_records(world: World, ask: Ask) -> None:
    answer = ask(
        "type: pivot\nentity: deal\nfilter: not is_blank(close_date)\nrows: [account.industry, owner]\n"
        "columns: [quarter(close_date), stage]\nmeasures: {n: count(), won: 'count(stage_type == \"won\")'}"
    )
    store = world.boss()
    assert len(answer.lines) > 3
    for line in answer.lines[:12]:
        for heading, value in zip(answer.headings[2:], line.values[2:], strict=True):
            assert line.conditions is not None
            where = [w for w in (answer.conditions, *line.conditions, *heading.conditions) if w]
            assert store.count("deal", where=where).n == value


def test_buckets_hold_what_is_so_many_days_old(world: World, ask: Ask) -> None:
    answer = ask(
        "type: ageing\nentity: deal\nfilter: not is_blank(close_date)\nage: today() - close_date\nbuckets: [0, 30, 60]"
        "\ngroup: [stage]\nmeasures: {n: count()}"
    )
    expected = [0, 0, 0, 0]
    for deal in world.deals:
        if deal["close_date"] is not None:
            days = (NOW.date() - deal["close_date"]).days
            expected[0 if days < 0 else 1 if days <= 30 else 2 if days <= 60 else 3] += 1
    assert list(answer.lines[-1].values[1:]) == [*expected, sum(expected)]
    columns = [h for h in answer.headings[1:] if not h.is_total]
    counts = [world.boss().count("deal", where=[w for w in (answer.conditions, *h.conditions) if w]).n for h in columns]
    assert counts == expected


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.sampled_from(KEYS), min_size=1, max_size=2, unique=True),
    columns=st.lists(st.sampled_from(KEYS), min_size=0, max_size=2, unique=True),
)
def test_totals_add_up_whatever_the_groups_are(
    world: World, report: Callable[[str], Report], rows: list[str], columns: list[str]
) -> None:
    columns = [c for c in columns if c not in rows]
    text = (
        f"type: pivot\nentity: deal\nrows: [{', '.join(map(repr, rows))}]\ncolumns: [{', '.join(map(repr, columns))}]\n"
        "measures: {n: count(), amount: sum(amount)}"
    )
    answer = run(world.boss(), report(text), {})
    depth = len(rows)
    leaves = [line for line in answer.lines if line.kind == "line"]
    total = answer.lines[-1]
    width = len(answer.headings)
    assert [plain(v) for v in total.values[depth:]] == [
        sum((Decimal(plain(line.values[at])) for line in leaves), Decimal(0)) for at in range(depth, width)
    ]
    if columns:
        for line in answer.lines:
            cells = [plain(v) for v in line.values[depth:-2]]
            assert [sum(cells[0::2]), sum(cells[1::2])] == [plain(v) for v in line.values[-2:]]
    assert total.values[-2] == 60
    if depth == 2:
        assert _subtotals(answer.lines) == _sums(leaves)


def _subtotals(lines: tuple[Line, ...]) -> dict[Any, Any]:
    return {line.values[0]: line.values[-2] for line in lines if line.kind == "subtotal"}


def _sums(leaves: list[Line]) -> dict[Any, Any]:
    found: dict[Any, Any] = defaultdict(int)
    for line in leaves:
        found[line.values[0]] += line.values[-2]
    return dict(found)
