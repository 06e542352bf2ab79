"""Groups with measures: every number against plain Python."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import pytest
from tests.reports.crm import BERLIN, World, total
from tests.reports.following import astray

from trellis.formula.formula import compile_formula
from trellis.formula.types import Money
from trellis.model.reports.keys import Key
from trellis.model.reports.report import Order, Report
from trellis.model.text import Text
from trellis.records.reading import patient
from trellis.records.reading.gather import Question
from trellis.records.reading.scope import ReaderScope
from trellis.records.refusal import Refused
from trellis.reports.asking import Wishes
from trellis.reports.drawing import MOST_PARTS, REST
from trellis.reports.result import Answer
from trellis.reports.run import run

Ask = Callable[..., Answer]


def rows(answer: Answer) -> list[tuple[Any, ...]]:
    """The lines as plain values: amounts as numbers."""
    return [tuple(v.amount if isinstance(v, Money) else v for v in line.values) for line in answer.lines]


def grouped(world: World, key: Callable[[dict[str, Any]], Any]) -> dict[Any, list[dict[str, Any]]]:
    found: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for deal in world.deals:
        found[key(deal)].append(deal)
    return found


def test_counts_sums_means_and_medians_of_groups(world: World, ask: Ask) -> None:
    answer = ask(
        """entity: deal
group: [stage]
measures:
  deals: count()
  amount: sum(amount)
  big: count(amount > 100)
  mean: avg(amount)
  middle: median(amount)
  accounts: count_distinct(account)
  won: sum(amount, stage_type == "won")
  least: min(amount)
"""
    )
    by_stage = grouped(world, lambda d: d["stage"])
    stages = ["new", "offer", "signing", "won", "lost"]
    expected = []
    for name, deals in [*((s, by_stage[s]) for s in stages), (None, world.deals)]:
        amounts = [d["amount"].amount for d in deals if d["amount"]]
        expected.append(
            (
                name,
                len(deals),
                sum(amounts),
                sum(a > 100 for a in amounts),
                pytest.approx(sum(amounts) / len(amounts)),
                median(amounts),
                len({d["account"] for d in deals} - {None}),
                total(d["amount"] for d in deals if d["stage"] == "won"),
                min(amounts),
            )
        )
    assert rows(answer) == expected


def test_a_month_is_one_on_the_readers_clock(world: World, ask: Ask) -> None:
    answer = ask("entity: deal\ngroup: {m: month(opened_at)}")
    by_month = grouped(world, lambda d: d["opened_at"].astimezone(BERLIN).date().replace(day=1))
    assert {line.values[0]: line.values[1] for line in answer.lines[:-1] if line.values[1]} == {
        m: len(d) for m, d in by_month.items()
    }
    utc = grouped(world, lambda d: d["opened_at"].date().replace(day=1))
    assert {m: len(d) for m, d in utc.items()} != {m: len(d) for m, d in by_month.items()}


def test_months_without_records_are_there_with_nothing(ask: Ask) -> None:
    answer = ask("entity: deal\nfilter: month(close_date) in (2, 5)\ngroup: {m: month(close_date)}")
    assert [line.values[0] for line in answer.lines[:-1]] == [date(2026, m, 1) for m in (2, 3, 4, 5)]
    assert [line.values[1] for line in answer.lines[1:3]] == [0, 0]


def test_groups_within_groups_have_subtotals(world: World, ask: Ask) -> None:
    answer = ask("entity: deal\ngroup: [account.industry, stage]\nmeasures: {n: count(), amount: sum(amount)}")
    industry = {a["id"]: a["industry"] for a in world.accounts}
    expected: dict[Any, Any] = defaultdict(lambda: [0, Decimal(0)])
    for deal in world.deals:
        first = industry.get(deal["account"])
        for key in ((first, None), (first, deal["stage"])):
            expected[key][0] += 1
            expected[key][1] += deal["amount"].amount if deal["amount"] else 0
    found = {(v[0], v[1]): [v[2], v[3]] for v in rows(answer)[:-1]}
    assert found == dict(expected)
    assert [line.kind for line in answer.lines].count("subtotal") == len({k[0] for k in expected})


def test_ranges_go_from_each_bound_up_to_the_next(world: World, ask: Ask) -> None:
    answer = ask("entity: account\ngroup: {size: {formula: employees, bands: [10, 50]}}")
    expected: dict[Any, int] = defaultdict(int)
    for account in world.accounts:
        n = account["employees"]
        expected[None if n is None else 0 if n < 10 else 1 if n < 50 else 2] += 1
    assert {line.values[0]: line.values[1] for line in answer.lines[:-1]} == expected


@pytest.mark.parametrize(("level", "names"), [(1, {"North", "South"}), (2, {"North", "Coast", "South"})])
def test_a_tree_is_grouped_at_a_level(world: World, ask: Ask, level: int, names: set[str]) -> None:
    answer = ask(f"entity: account\ngroup: {{a: {{formula: area, level: {level}}}}}")
    top = {"North": "North", "Coast": "North", "Harbour": "North", "South": "South"}
    if level == 2:
        top |= {"Coast": "Coast", "Harbour": "Coast"}
    by_id = {id: top[name] for name, id in world.areas.items()}
    expected: dict[Any, int] = defaultdict(int)
    for account in world.accounts:
        expected[by_id.get(account["area"])] += 1
    found = {v.title if v is not None else None: n for v, n in (line.values for line in answer.lines[:-1])}
    assert found == expected
    assert set(found) - {None} <= names


def test_a_limit_keeps_the_greatest_and_puts_the_rest_together(world: World, ask: Ask) -> None:
    answer = ask(
        "entity: deal\ngroup: [account]\nmeasures: {amount: sum(amount), mean: avg(amount), s: count_distinct(stage)}\n"
        "sort: [-amount]\nlimit: 3"
    )
    by_account = grouped(world, lambda d: d["account"])
    sums = sorted((total(d["amount"] for d in deals) for deals in by_account.values()), reverse=True)
    found = rows(answer)
    assert [r[1] for r in found[:3]] == sums[:3]
    assert [line.kind for line in answer.lines] == ["line"] * 3 + ["rest", "total"]
    kept = {getattr(r[0], "id", None) for r in found[:3]}
    others = [d for account, deals in by_account.items() if account not in kept for d in deals]
    amounts = [d["amount"].amount for d in others if d["amount"]]
    assert found[3] == (
        None,
        sum(amounts),
        pytest.approx(sum(amounts) / len(amounts)),
        len({d["stage"] for d in others}),
    )
    assert list(astray(world.boss(), answer)) == []


def test_what_a_limit_leaves_out_is_listed_whatever_the_number_of_groups(
    world: World, report: Callable[[str], Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = report("entity: deal\ngroup: [account]\nmeasures: {amount: sum(amount)}\nsort: [-amount]\nlimit: 3")
    monkeypatch.setattr("trellis.reports.kinds.summary.LONGEST", 0)  # as with hundreds of groups
    monkeypatch.setattr("trellis.reports.run.report_of", lambda store, key: made)
    answer = run(world.boss(), made, {})
    assert [c for line in answer.lines if line.kind == "rest" for c in line.conditions or ()] == [
        'counted("asked", "others -amount")'
    ]
    assert list(astray(world.boss(), answer)) == []


def test_running_totals_shares_changes_and_ranks(world: World, ask: Ask) -> None:
    answer = ask(
        "entity: deal\ngroup: [stage]\n"
        "measures: {n: count(), r: running(count()), s: share(count()), c: change(count()), k: rank(count())}"
    )
    counts = [len(grouped(world, lambda d: d["stage"])[s]) for s in ("new", "offer", "signing", "won", "lost")]
    lines = answer.lines[:-1]
    assert [line.values[2] for line in lines] == [sum(counts[: n + 1]) for n in range(5)]
    assert [float(line.values[3]) for line in lines] == pytest.approx([n / 60 * 100 for n in counts])
    changes = [None, *(pytest.approx((b - a) / a * 100) for a, b in itertools.pairwise(counts))]
    assert [None if line.values[4] is None else float(line.values[4]) for line in lines] == changes
    assert [line.values[5] for line in lines] == [sorted(counts, reverse=True).index(n) + 1 for n in counts]
    assert answer.lines[-1].values[1:] == (60, 60, 100, None, None)


def test_a_chart_draws_shares_and_running_totals_as_the_table_says_them(world: World, ask: Ask) -> None:
    measures = "measures: {s: share(count()), r: running(count())}\nchart: {type: bar, y: [s, r]}"
    answer = ask(f"entity: deal\ngroup: [stage]\n{measures}")
    assert answer.drawing is not None
    for at, series in enumerate(answer.drawing.series, 1):
        assert list(series.values) == [line.values[at] for line in answer.lines[:-1]]
    stacked = ask(
        "entity: deal\ngroup: [stage, owner]\nmeasures: {s: share(count())}\nchart: {type: bar, stack: owner}"
    )
    assert stacked.drawing is not None
    drawn = [float(v) for series in stacked.drawing.series for v in series.values if v is not None]
    assert sum(drawn) == pytest.approx(100)


def test_a_trend_draws_the_measure_that_its_axis_is_of(world: World, ask: Ask) -> None:
    text = "type: trend\nentity: deal\ndate: close_date\nperiod: month\nmeasures: {n: count(), s: share(count())}"
    plain, share = ask(text).drawing, ask(text + "\nchart: {type: bar, y: [s]}").drawing
    assert plain is not None
    assert [s.heading.key for s in plain.series if s.heading] == ["n"]
    assert share is not None
    assert share.measure is not None
    assert share.measure.as_percent


PARAMS = """entity: deal
filter: close_date between (param.from, param.to) and owner == param.owner
params:
  from: {type: date}
  to: {type: date, default: 2026-12-31}
  owner: {type: user}
measures: {n: count(), late: count(close_date > param.from), all: count()}
"""


def test_a_comparison_with_a_param_that_is_not_set_is_left_out(world: World, ask: Ask) -> None:
    def expected(low: date | None, high: date | None, owner: Any = None) -> int:
        return sum(
            ((low is None and high is None) or d["close_date"] is not None)
            and (low is None or d["close_date"] >= low)
            and (high is None or d["close_date"] <= high)
            and (owner is None or d["owner"] == owner)
            for d in world.deals
        )

    last = date(2026, 12, 31)
    assert ask(PARAMS).lines[-1].values[0] == expected(None, last)
    assert ask(PARAMS, to="").lines[-1].values[:2] == (60, 60)
    assert ask(PARAMS, **{"from": "2026-03-05"}).lines[-1].values[0] == expected(date(2026, 3, 5), last)
    ben = world.people["ben"]
    assert ask(PARAMS, owner=str(ben)).lines[-1].values[0] == expected(None, last, ben)


def test_a_param_that_is_no_value_is_refused_with_its_name(ask: Ask) -> None:
    with pytest.raises(Refused) as refused:
        ask(PARAMS, **{"from": "yesteryear"})
    assert [f.field for f in refused.value.faults] == ["from"]


def test_another_order_and_fewer_columns_are_a_wish(ask: Ask) -> None:
    text = "entity: deal\ngroup: [stage]\nmeasures: {n: count(), amount: sum(amount)}"
    answer = ask(text, wishes=Wishes(sort=(Order("amount", True),), columns=("amount",)))
    assert [h.key for h in answer.headings] == ["stage", "amount"]
    amounts = [r[1] for r in rows(answer)[:-1]]
    assert amounts == sorted(amounts, reverse=True)
    with pytest.raises(Refused, match="no column"):
        ask(text, wishes=Wishes(sort=(Order("nothing"),)))


def test_every_number_leads_to_its_records(world: World, ask: Ask) -> None:
    text = """entity: deal
filter: not is_blank(amount) and close_date >= param.from
params: {from: {type: date}}
group: {industry: account.industry, size: {formula: amount, bands: [20, 500]}, month: month(close_date)}
measures: {n: count(), won: 'count(stage_type == "won")'}
"""
    store = world.boss()
    for given in ({}, {"from": "2026-02-10"}):
        answer = ask(text, store, **given)
        assert len(answer.lines) > 20
        for line in answer.lines:
            for heading, value in zip(answer.headings[3:], line.values[3:], strict=True):
                assert line.conditions is not None
                where = [w for w in (answer.conditions, *line.conditions, *heading.conditions) if w]
                assert store.count("deal", where=where).n == value


def test_too_many_groups_are_refused_with_what_to_do(world: World) -> None:
    name = compile_formula("name", ReaderScope(world.tenant.model, "deal"))
    question = Question("deal", keys=(Key("name", Text("Name"), name),), sets=((0,),), most=3)
    with pytest.raises(Refused, match="more than"):
        world.boss().gather(question)


def test_a_question_that_takes_too_long_is_ended_with_a_message(
    world: World, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient, "PATIENCE", timedelta(milliseconds=1))
    slow = " and ".join(f"count(account.deals, amount > {n}) >= 0" for n in range(40))
    with pytest.raises(Refused, match="takes longer"):
        ask(f"entity: deal\nfilter: {slow}\ngroup: [account]")
    assert world.boss().count("deal").n == 60


def test_a_chart_goes_by_any_two_of_the_groups(world: World, ask: Ask) -> None:
    answer = ask(
        "entity: deal\ngroup: {industry: account.industry, stage: stage, month: month(close_date)}\n"
        "measures: {n: count()}\nchart: {type: bar, x: stage, y: n, stack: month}"
    )
    assert answer.drawing is not None
    drawn = {
        (stage, series.label): value
        for series in answer.drawing.series
        for stage, value in zip(answer.drawing.categories, series.values, strict=True)
        if value
    }
    expected = grouped(world, lambda d: (d["stage"], d["close_date"] and d["close_date"].replace(day=1)))
    assert drawn == {key: len(deals) for key, deals in expected.items()}


def test_a_stack_of_many_is_as_high_as_all_of_them(world: World, ask: Ask) -> None:
    answer = ask(
        "entity: deal\ngroup: {stage: stage, day: day(close_date)}\nmeasures: {amount: sum(amount)}\n"
        "chart: {type: bar, x: stage, y: amount, stack: day}"
    )
    assert answer.drawing is not None
    assert len(answer.drawing.series) == 12
    heights = [sum(s.values[n].amount for s in answer.drawing.series) for n in range(len(answer.drawing.categories))]
    subtotals = [line.values[2].amount for line in answer.lines if line.kind == "subtotal"]
    assert heights == subtotals


def test_a_pie_shows_every_category_whole_however_the_report_is_stacked_and_puts_many_together(ask: Ask) -> None:
    text = "entity: deal\ngroup: {stage: stage, day: day(close_date)}\nmeasures: {n: count()}\nchart: {type: donut, "
    stages, days = ask(text + "x: stage, stack: day}").drawing, ask(text + "x: day, stack: stage}").drawing
    assert stages is not None
    assert [sum(s.values) for s in stages.series] == [60]
    assert days is not None
    assert (len(days.categories), days.categories[-1]) == (MOST_PARTS, REST)
    assert [sum(s.values) for s in days.series] == [60]


def test_charts_are_drawn_as_far_as_there_is_something_to_draw(ask: Ask) -> None:
    text = "entity: deal\ngroup: [stage, owner]\nmeasures: {n: count(), amount: sum(amount)}\nchart: {type: %s}"
    kinds = {
        name: ask(text % name).drawing for name in ("treemap", "sankey", "scatter", "gauge", "map", "heatmap", "bar")
    }
    assert {name: d.type for name, d in kinds.items() if d} == {
        **{name: name for name in kinds},
        "map": "bar",  # no group is a country
    }
    assert len(kinds["treemap"].series) == 3
    assert [s.heading.key for s in kinds["scatter"].series] == ["n", "amount"]
    assert kinds["gauge"].series[0].values == (60,)
    one = ask("entity: deal\ngroup: [stage]\nchart: {type: sankey}").drawing
    assert one is not None
    assert one.type == "bar"
    assert not {"sankey", "heatmap"} & set(one.types)
    assert ask("entity: deal\nmeasures: {n: count()}").drawing is None
    none = ask("entity: deal\nmeasures: {n: count()}\nchart: {type: gauge, full: 100}").drawing
    assert none is not None
    assert (none.type, none.full, none.types) == ("gauge", 100, ("gauge",))


def test_a_world_map_is_of_countries(ask: Ask) -> None:
    from trellis.web.reports.charts import country_number

    assert (country_number("de"), country_number("CN"), country_number(None)) == ("276", "156", "")
