"""A report over several entities: rows put together under common names, each entity with the reader's rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from tests.conftest import layers_of
from tests.reports.crm import CRM, World, fill
from tests.reports.following import astray
from tests.reports.recompute import differences

from trellis.model.compile.compiled import compile_layers
from trellis.model.dashboards.reach import Reach, reach
from trellis.model.reports.report import Report
from trellis.records.graph import StoreGraph
from trellis.records.reading.gather import grouped
from trellis.records.reading.patient import Tape
from trellis.records.reading.remembered import tables_of
from trellis.records.refusal import Refused
from trellis.reports.asking import Wishes, ask
from trellis.reports.run import run
from trellis.reports.schedule.keeping import digest_of
from trellis.reports.seen import may_run
from trellis.reports.unions import records_of

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

Compile = Callable[[str], Report]
BOTH = """union:
  deal: {day: close_date, who: owner, team: owner.team, size: account.employees, of: account, filter: 'stage != "lost"'}
  visit: {day: at, who: account.owner, team: account.owner.team, of: account}
date: day
filter: day >= param.from
params: {from: {type: date}}
measures: {rows: count(), size: sum(size), deals: 'count(kind == "deal")', accounts: count_distinct(of)}
"""
MIXED = """union:
  deal: {of: owner, who: owner}
  visit: {of: account, who: account.owner}
measures: {rows: count(), ofs: count_distinct(of), some: count(of)}
group: [of, kind]
"""
KINDS = {
    "mixed": MIXED,
    "summary": BOTH + "group: {who: who, kind: kind, month: month(day)}",
    "limited": BOTH + "group: [month(day)]\nlimit: 2\nsort: [-rows]",
    "pivot": "type: pivot\n" + BOTH + "rows: [who]\ncolumns: [kind]",
    "trend": "type: trend\nperiod: month\nperiods: 6\ncompare: previous_period\n" + BOTH,
}


@pytest.fixture(scope="module")
def world(catalogue: Catalogue) -> Iterator[World]:
    """A CRM of its own with some visits, with and without an account, one of them deleted."""
    tenant = catalogue.create("reports-union", layers_of(CRM, "reports-union"), "test")
    try:
        world = fill(tenant, deals=24)
        store = world.system
        for n in range(12):
            account = world.accounts[n % 9]["id"] if n % 5 else None
            made = store.create("visit", {"account": account, "at": date(2026, 2, 1) + timedelta(days=17 * n)})
            if n == 7:
                store.delete("visit", made.id)
        yield world
    finally:
        catalogue.drop("reports-union")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", [{}, {"from": "2026-04-01"}])
def test_every_number_is_that_of_the_records(world: World, report: Compile, kind: str, given: Any) -> None:
    store, made = world.boss(), report(KINDS[kind])
    with store.transaction():
        answer = run(store, made, given)
        assert differences(store, StoreGraph(store.session), answer) == []
        assert list(astray(store, answer)) == []


def test_a_number_leads_to_the_records_of_its_entity_or_to_how_many_there_are_of_each(
    world: World, report: Compile
) -> None:
    store = world.boss()
    answer = run(store, report(KINDS["summary"]), {"from": "2026-03-01"})
    branches = {b.entity: b for b in answer.report.union}
    seen = 0
    for line in answer.lines:
        assert line.conditions is not None
        rows, texts = line.values[3], (answer.conditions, *line.conditions)
        listed = 0
        for entity, branch in branches.items():
            if any(branch.is_kind(text) is False for text in line.conditions):
                continue
            where = records_of(branch, texts)
            listed += store.count(entity, where=[where] if where else []).n
        assert rows == listed, line
        seen += 1
    assert seen > 10


def test_each_entity_is_read_with_its_own_rights(world: World, report: Compile) -> None:
    made = report(BOTH + "group: [kind]")
    all_ = {line.values[0]: line.values[1] for line in run(world.boss(), made, {}).lines}
    own = {line.values[0]: line.values[1] for line in run(world.store("ben", "rep"), made, {}).lines}
    mine = [d for d in world.deals if d["owner"] == world.people["ben"] and d["stage"] != "lost"]
    assert own["visit"] == all_["visit"] == 11
    assert own["deal"] == len(mine) < all_["deal"]
    assert own[None] == own["deal"] + own["visit"]


def test_an_entity_that_one_may_not_read_is_left_out(world: World, report: Compile) -> None:
    made = report(BOTH + "group: [kind]")
    answer = run(world.store("ben", "visitor"), made, {})
    assert [line.values[0] for line in answer.lines] == ["visit", None]
    assert not may_run(world.store("ben", "outsider"), made)


def test_a_field_kept_from_somebody_in_one_entity_is_kept_back_from_the_whole(world: World, report: Compile) -> None:
    """As in a report over one entity: a measure of it is left out, a group by it is no report for them."""
    two = "union:\n  deal: {day: close_date, big: margin > 2}\n  visit: {day: at}\ndate: day\n"
    made = report(two + "group: [kind]\nmeasures: {rows: count(), big: count(big)}")
    assert [h.key for h in run(world.store("ben", "blind"), made, {}).headings] == ["kind", "rows"]
    grouped = report(two + "group: [big]")
    assert may_run(world.store("ben", "boss"), grouped)
    assert not may_run(world.store("ben", "blind"), grouped)


def test_a_dashboard_narrows_by_the_common_names(world: World, report: Compile) -> None:
    store, made = world.boss(), report(BOTH + "group: [kind]")
    ben = world.people["ben"]
    narrowed = run(store, made, {}, Wishes(filters=(f'who.id == "{ben}"', "day >= date(2026, 4, 1)")))
    expected = [d for d in world.deals if d["owner"] == ben and d["stage"] != "lost" and d["close_date"]]
    found = {line.values[0]: line.values[1] for line in narrowed.lines}
    assert found["deal"] == sum(d["close_date"] >= date(2026, 4, 1) for d in expected)


@pytest.mark.parametrize(
    ("text", "code", "message", "line"),
    [
        ("union: {deal: {a: name}}", "E214", "two entities", 0),
        ("entity: deal\nunion: {deal: {a: name}, visit: {a: account.name}}", "E204", "instead of 'entity'", 0),
        ("union: {dael: {a: name}, visit: {a: account.name}}", "E301", "unknown entity 'dael'", 0),
        (
            "union: {deal: {day: close_date}, visit: {day: account.name}}",
            "E406",
            "a date in deal, and a text",
            0,
        ),
        ("union: {deal: {a: nmae}, visit: {a: account.name}}", "E402", "unknown name 'nmae'", 0),
        ("union: {deal: {kind: name}, visit: {a: account.name}}", "E305", "'kind' is a reserved name", 0),
        ("union: {deal: {of: account}, visit: {day: at}}", "E204", "visit has nothing for 'of'", 0),
        ("union: {deal: {of: account}, visit: {of: account}}\ngroup: [off]", "E402", "unknown name 'off'", 1),
        ("union: {deal: {of: account}, visit: {of: account}}\ngroup: [count(of.deals)]", "E405", "counts other", 1),
        (
            "type: table\nunion: {deal: {of: account}, visit: {of: account}}\ncolumns: [of]",
            "E330",
            "over one entity",
            1,
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text: str, code: str, message: str, line: int) -> None:
    found = compile_layers(layers_of(f"{CRM}\n---\nreport: asked\n{text}", "reports-asked"))
    problem = next(p for p in found.problems if message in p.message)
    begins = f"{CRM}\n---\nreport: asked\n".count("\n") + 1
    assert problem.code == code
    assert problem.mark is not None
    assert problem.mark.line == begins + line
    assert len(found.problems) == 1, found.problems


def test_a_kind_is_told_from_a_condition_however_it_is_written(report: Compile) -> None:
    deal, visit = report(BOTH + "group: [kind]").union
    for text in ('kind == "deal"', "kind == 'deal'", '(kind=="deal")'):
        assert (deal.is_kind(text), visit.is_kind(text)) == (True, False)
    for text in ('kind == "deal" or size > 3', "kind == who.name", "size > 3"):
        assert (deal.is_kind(text), visit.is_kind(text)) == (None, None)
    assert deal.put('size > 3 and kind == "day"') == 'account.employees > 3 and ("deal") == "day"'


def test_a_dashboards_filters_reach_the_common_names() -> None:
    board = """dashboard: home
filters: {who: {type: user}, period: {type: date_range}}
widgets:
  kinds: {chart: asked, filter: kind != "visit" and size > 3, at: [0, 0, 6, 4]}
"""
    text = f"{CRM}\n---\nreport: asked\n{BOTH}group: [kind]\n---\n{board}"
    model = compile_layers(layers_of(text, "reports-asked")).model
    assert model is not None
    dashboard = model.dashboards["home"]
    widget = dashboard.widgets["kinds"]
    found = {key: reach(f, widget, model.reports, model.entities) for key, f in dashboard.filters.items()}
    assert found == {"who": Reach(path="who"), "period": Reach(("from",), "day")}


def test_a_run_in_the_background_gives_back_what_it_computed(world: World, report: Compile) -> None:
    made, recorded = report(BOTH + "group: [kind]"), Tape()
    store = world.boss()
    store.session.tape = recorded
    answer = run(store, made, {})
    assert len(recorded.rows) == 1
    again, other = world.boss(), world.store("ben", "visitor")
    again.session.tape = other.session.tape = Tape(recorded.rows)
    assert run(again, made, {}).lines == answer.lines
    with pytest.raises(Refused):  # with other rights it is another question
        run(other, made, {})


def test_what_is_remembered_depends_on_the_tables_of_every_entity(world: World, report: Compile) -> None:
    store = world.boss()
    with store.transaction():
        question = ask(store, report(BOTH + "group: [kind]"), {}).question(sets=((0,),))
        rows = sa.select(grouped(store.session, question))
    assert {"deal", "visit"} <= set(tables_of(rows))


def test_there_is_no_run_over_nothing(world: World, report: Compile) -> None:
    made = report("union: {deal: {name: name}, area: {name: name}}\ngroup: [name]")
    with pytest.raises(Refused, match="switched off"):
        run(world.store("ben", "visitor"), made, {})


def with_modules(tenant: Tenant, model: Model, modules: frozenset[str] | None) -> Tenant:
    return replace(tenant, model=model, profile=replace(tenant.profile, modules=modules))


def test_days_that_were_kept_are_of_the_entities_that_are_on(world: World, report: Compile) -> None:
    made, tenant = report(BOTH + "group: [kind]\nsnapshot: daily"), world.tenant
    visit = replace(tenant.model.entities["visit"], module="outside")
    model = replace(tenant.model, entities={**tenant.model.entities, "visit": visit})
    found = [
        digest_of(with_modules(tenant, model, modules), made) for modules in (None, frozenset({"outside"}), frozenset())
    ]
    assert found[0] == found[1] != found[2]


def test_a_branch_that_is_another_one_for_each_reader_is_not_kept() -> None:
    text = "union:\n  deal: {mine: owner == me}\n  visit: {mine: account.owner == me}\ngroup: [mine]\nsnapshot: daily"
    found = compile_layers(layers_of(f"{CRM}\n---\nreport: asked\n{text}", "reports-asked"))
    assert [p.message for p in found.problems] == ["a snapshot is kept once for all"]
