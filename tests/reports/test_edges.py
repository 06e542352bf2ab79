"""What a sceptic asks of reports: borders of days and years, blanks, nothing at all, ties, gaps, very many groups."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.reports.crm import BERLIN, World

from trellis.records.store import Store
from trellis.reports.kinds.accuracy import accuracy_of
from trellis.reports.over import OVER
from trellis.reports.result import Answer

Ask = Callable[..., Answer]
NONE = "filter: name == 'nobody is called so'"


def elsewhere(world: World, zone: str = "Europe/Berlin", **settings: Any) -> Store:
    """The boss, in another place or with other settings."""
    boss = world.boss().principal
    reader = replace(boss.reader, time_zone=ZoneInfo(zone), settings=settings)
    return Store(world.tenant, replace(boss, reader=reader))


def by(answer: Answer) -> dict[Any, Any]:
    return {line.values[0]: line.values[1] for line in answer.lines if line.kind == "line" and line.values[1]}


def test_a_moment_counts_for_its_day_where_the_reader_is(world: World, ask: Ask) -> None:
    text = "entity: deal\ngroup: {day: day(opened_at)}\nmeasures: {n: count()}"
    for zone in ("Asia/Shanghai", "America/Los_Angeles", "Europe/Berlin"):
        expected = Counter(d["opened_at"].astimezone(ZoneInfo(zone)).date() for d in world.deals)
        assert by(ask(text, elsewhere(world, zone))) == expected
    here = Counter(d["opened_at"].astimezone(BERLIN).date() for d in world.deals)
    there = Counter(d["opened_at"].astimezone(ZoneInfo("Asia/Shanghai")).date() for d in world.deals)
    assert here != there


def test_a_fiscal_year_begins_in_its_month_and_is_called_after_its_end(world: World, ask: Ask) -> None:
    text = "entity: deal\ngroup: {year: fiscal_year(close_date)}\nmeasures: {n: count()}"
    found = by(ask(text, elsewhere(world, fiscal_year_start=4)))

    def begins(day: date) -> date:
        return date(day.year if day.month >= 4 else day.year - 1, 4, 1)

    dated = [d["close_date"] for d in world.deals if d["close_date"] is not None]
    blank = len(world.deals) - len(dated)
    assert found == Counter(map(begins, dated)) | ({None: blank} if blank else {})


def test_blanks_are_a_group_of_their_own_that_leads_to_its_records(world: World, ask: Ask) -> None:
    answer = ask("entity: deal\ngroup: [account, close_date]\nmeasures: {n: count()}")
    blank = next(line for line in answer.lines if line.kind == "subtotal" and line.values[0] is None)
    assert blank.values[-1] == sum(d["account"] is None for d in world.deals)
    assert world.boss().count("deal", where=list(blank.conditions or ())).n == blank.values[-1]


def test_of_nothing_every_kind_says_nothing_and_divides_by_nothing(ask: Ask) -> None:
    measures = "measures: {n: count(), rate: 'count(stage_type == \"won\") / count() * 100', mean: avg(amount)}"
    answer = ask(f"entity: deal\n{NONE}\ngroup: [stage]\n{measures}")
    assert answer.lines[-1].values[1:] == (0, None, None)
    assert answer.is_empty
    for text in (
        f"type: pivot\nentity: deal\nrows: [stage]\ncolumns: [owner]\n{NONE}",
        f"type: ageing\nentity: deal\nage: today() - close_date\n{NONE}",
        f"type: table\nentity: deal\ncolumns: [name, amount]\n{NONE}",
        f"entity: deal\ngroup: [stage]\nlimit: 2\nsort: [-n]\nmeasures: {{n: count(), r: running(count())}}\n{NONE}",
    ):
        assert ask(text).is_empty
    trend = ask(f"type: trend\nentity: deal\ndate: close_date\nperiods: 3\nmeasures: {{n: count()}}\n{NONE}")
    assert [line.values[1] for line in trend.lines] == [0, 0, 0, 0]


def test_amounts_of_nothing_and_rates_of_a_zero_are_blank(ask: Ask) -> None:
    answer = ask("entity: deal\ngroup: [stage]\nmeasures: {r: 'sum(amount) / (count() - count()) * 100'}")
    assert {line.values[1] for line in answer.lines} == {None}


def test_a_running_total_goes_on_over_months_without_records(ask: Ask) -> None:
    answer = ask(
        "entity: deal\nfilter: not is_blank(close_date)\ngroup: {month: month(close_date)}\n"
        "measures: {n: count(), all: running(count())}"
    )
    lines = [line.values for line in answer.lines if line.kind == "line"]
    assert [row[2] for row in lines] == list(itertools.accumulate(row[1] for row in lines))
    months = [row[0] for row in lines]
    assert all((b.year - a.year) * 12 + b.month - a.month == 1 for a, b in itertools.pairwise(months))


def test_ties_at_a_limit_are_cut_the_same_way_each_time_and_nothing_is_lost(world: World, ask: Ask) -> None:
    text = "entity: deal\ngroup: [name]\nmeasures: {n: count()}\nsort: [-n]\nlimit: 7"
    first, second = ask(text), ask(text)
    assert first.lines == second.lines
    assert [line.kind for line in first.lines].count("line") == 7
    assert sum(line.values[1] for line in first.lines if line.kind in ("line", "rest")) == len(world.deals)


def test_ranks_of_very_many_are_found_at_once_and_equals_share_one() -> None:
    values = [n // 2 for n in range(20_000)]
    ranks = OVER["rank"](values, None)
    assert (ranks[0], ranks[1], ranks[-1], ranks[-2], ranks[-3]) == (19_999, 19_999, 1, 1, 3)


def test_deleted_records_are_in_no_group(world: World, ask: Ask) -> None:
    id = world.system.create("deal", {"name": "Gone", "stage": "new"}).id
    world.system.delete("deal", id)
    assert ask("entity: deal\nmeasures: {n: count()}").lines[-1].values == (len(world.deals),)
    world.system.purge("deal", id)


def test_accuracy_is_of_what_was_closed() -> None:
    told = [accuracy_of(Decimal(said), Decimal(closed)) for said, closed in ((80, 100), (100, 100), (130, 100), (5, 0))]
    assert told == [80, 100, 70, None]
    assert accuracy_of(Decimal(900), Decimal(100)) == 0
