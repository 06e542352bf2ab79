"""What the player of scenarios finds, and how it says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import pytest
from click.testing import CliRunner

from trellis.cli import main
from trellis.cli._kinds import import_kinds
from trellis.config.layer import layer_from_files
from trellis.config.problem import Mark
from trellis.formula.types import Money, Ref
from trellis.model.compile import compile_layers
from trellis.model.scenario import Scenario
from trellis.packaging.scenarios.comparing import same
from trellis.packaging.scenarios.findings import Finding, Played
from trellis.packaging.scenarios.play import play
from trellis.packaging.scenarios.report import FORMATS, told
from trellis.packaging.scenarios.stage import Stage, open_stage
from trellis.storage.catalogue import Catalogue

SHOP = """
entity: user
title: name
fields:
  name: {type: text}
  email: {type: email, unique: true}
  roles: {type: list}
  team: {type: link, to: team}
  manager: {type: user}
  active: {type: boolean, default: true}
---
entity: team
title: name
fields: {name: {type: text}}
---
entity: item
title: name
fields:
  name: {type: text, required: true}
  price: {type: money}
  secret: {type: text}
  due: {type: date}
  count: {type: integer}
  seller: {type: phone}
  papers: {type: file, multiple: true}
---
document: label
entity: item
into: papers
name: "Label {{ name }}"
body: "# {{ name }}"
---
sequence: remind
entity: item
stop_when: price > 50
steps:
  - {send: sms, to: =seller, text: "{name} is for sale."}
  - wait: 1 day
  - {document: label}
---
workflow: asked
on: {button: {entity: item, label: Ask}}
steps:
  - {document: label}
  - {send: sms, to: =seller, text: "What about {name}?"}
---
role: clerk
grants: {"*": {read: all}, item: {read: all, create: true, update: all, fields: {secret: hidden}}}
---
workflow: price-cap
on: {before: item, created: true, changed: [price]}
when: price > 100
steps: [{refuse: Too dear., field: price}]
---
workflow: due-soon
on: {date: {entity: item, field: due, offset: -2 days, at: "09:00"}}
steps: [{set: {count: '=coalesce(count, 0) + 1'}}]
---
workflow: broken
on: {record: item, changed: [name]}
when: name == "bad"
steps: [{create: item, set: {name: Dear, price: 500}}]
"""
SCENARIOS = """
test: holds
now: "2026-03-02T09:00:00"
users: {anna: {roles: [clerk]}}
given:
  - {create: item, set: {name: Saw, price: 20, due: "2026-03-10", secret: x}, as: saw}
when:
  - user: anna
  - {create: item, set: {name: Dear, price: 500}, refused: Too dear}
  - {update: =saw, set: {price: 101}, refused: price}
  - {update: =saw, set: {secret: y}, refused: true}
  - advance: 30 days
expect:
  - {record: =saw, values: {price: 20, count: 1, due: "2026-03-10"}}
  - {record: =saw, as_user: anna, hidden: [secret], values: {name: Saw}}
  - {count: item, is: 1}
---
test: wrong-value
given:
  - {create: item, set: {name: Saw, price: 20}, as: saw}
expect:
  - {record: =saw, values: {price: 21}}
  - {count: item, where: price > 50, is: 3}
---
test: refused-unasked
when:
  - {create: item, set: {name: Dear, price: 500}}
expect: [{count: item, is: 1}]
---
test: not-refused
when:
  - {create: item, set: {name: Cheap, price: 5}, refused: true}
expect: [{count: item, is: 1}]
---
test: refused-for-another-reason
when:
  - {create: item, set: {name: Dear, price: 500}, refused: too small}
expect: [{count: item, is: 0}]
---
test: run-fails
given:
  - {create: item, set: {name: Saw}, as: saw}
when:
  - {update: =saw, set: {name: bad}}
expect: [{count: item, is: 1}]
---
test: run-fails-as-expected
given:
  - {create: item, set: {name: Saw}, as: saw}
when:
  - {update: =saw, set: {name: bad}}
expect: [{run: broken, state: failed, times: 1}]
---
test: messages-and-papers
given:
  - {create: item, set: {name: Saw, seller: "+491711234567"}, as: saw}
  - {create: item, set: {name: Axe, seller: "+491717654321"}, as: axe}
when:
  - {enrol: remind, on: =saw}
  - {press: asked, on: =axe}
  - {receive: {sms: =axe, text: STOP}}
  - {press: asked, on: =axe}
  - advance: 2 days
expect:
  - {sms: {to: =saw, text: Saw is for sale}, times: 1}
  - {sms: {to: "+491717654321"}, times: 1}
  - {sms: {}, times: 2}
  - {document: label, of: =saw, name: Label Saw, times: 1}
  - {document: label, of: =axe, times: 2}
  - {enrolled: remind, of: =saw, state: done, times: 1}
  - {enrolled: remind, of: =axe, times: 0}
---
test: messages-that-are-not-there
given:
  - {create: item, set: {name: Saw, seller: "+491711234567"}, as: saw}
expect:
  - {sms: {to: =saw}}
  - {document: label, of: =saw}
  - {enrolled: remind}
"""


@pytest.fixture(scope="module")
def stage(catalogue: Catalogue) -> Iterator[Stage]:
    import_kinds()
    layer = layer_from_files("shop", {"schemas/shop.yaml": SHOP, "tests/shop.yaml": SCENARIOS})
    with open_stage(catalogue, [layer]) as opened:
        yield opened


def played(stage: Stage, key: str) -> Played:
    return play(stage, next(one for one in stage.tenant.model.scenarios if one.key == key))


def test_a_scenario_holds_however_often_it_is_played(stage: Stage) -> None:
    assert [played(stage, "holds").findings for _ in range(2)] == [(), ()]


def test_every_expectation_that_does_not_hold_is_told_with_its_place(stage: Stage) -> None:
    value, count = played(stage, "wrong-value").findings
    assert (value.mark, value.text, value.expected) == (Mark("tests/shop.yaml", 22, 36, "shop"), "price", "21")
    assert value.found.startswith("20")
    assert (count.mark, count.expected, count.found) == (Mark("tests/shop.yaml", 23, 5, "shop"), "3", "0")


def test_messages_papers_and_sequences_are_looked_at(stage: Stage) -> None:
    assert played(stage, "messages-and-papers").findings == ()
    texts = [finding.text.split()[0] for finding in played(stage, "messages-that-are-not-there").findings]
    assert texts == ["sms", "papers", "records"]


@pytest.mark.parametrize(
    ("key", "line", "text", "found"),
    [
        ("refused-unasked", 27, "create was refused", "Too dear"),
        ("not-refused", 32, "create was not refused", "it was done"),
        ("refused-for-another-reason", 37, "create was refused for another reason", "Too dear"),
    ],
)
def test_an_action_that_goes_otherwise_ends_the_scenario(
    stage: Stage, key: str, line: int, text: str, found: str
) -> None:
    [finding] = played(stage, key).findings
    assert finding.mark is not None
    assert (finding.mark.line, finding.text) == (line, text)
    assert found in finding.found


def test_a_run_that_fails_is_told_unless_it_is_expected(stage: Stage) -> None:
    [finding] = played(stage, "run-fails").findings
    assert finding.text == "the workflow broken has failed"
    assert "Too dear" in finding.found
    assert played(stage, "run-fails-as-expected").holds


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("given: [{create: thing, as: x}]\nexpect: []", "unknown entity 'thing'"),
        ("given: [{create: item, set: {nam: x}}]\nexpect: []", "unknown field 'nam' of item"),
        ("when: [{user: bert}]\nexpect: []", "unknown user 'bert'"),
        ("expect: [{notified: bert}]", "unknown user 'bert'"),
        ("users: {a: {roles: [king]}}\nexpect: []", "unknown role 'king'"),
        ("given: [{create: item, set: {name: x}, as: old}]\nexpect: []", "'old' is reserved"),
        ("given: [{create: item, set: {name: x}, as: x}]\nexpect: [{record: =x, values: {colour: red}}]", "colour"),
        ("expect: [{count: item, where: prise > 1, is: 1}]", "unknown name 'prise'"),
        ("when: [{run: nothing}]\nexpect: []", "unknown workflow 'nothing'"),
        ("when: [{jump: 3}]\nexpect: []", "action"),
    ],
)
def test_a_scenario_is_checked_with_the_configuration(scenario: str, said: str) -> None:
    files = {"schemas/shop.yaml": SHOP, "tests/a.yaml": f"test: a\n{scenario}\n"}
    problems = compile_layers([layer_from_files("shop", files)]).problems
    assert [p.mark.file for p in problems if said in p.message and p.mark is not None] == ["tests/a.yaml"]


BERLIN = ZoneInfo("Europe/Berlin")
REF = Ref("user", UUID(int=1), "Anna")


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (500, Money(Decimal("500.00"), "EUR")),
        ("500.00 EUR", Money(Decimal("500.00"), "EUR")),
        ("2026-03-02", datetime(2026, 3, 1, 23, 30, tzinfo=UTC)),
        ("2026-03-02T00:30:00", datetime(2026, 3, 1, 23, 30, tzinfo=UTC)),
        ("2026-03-02", date(2026, 3, 2)),
        ("Anna", REF),
        (["b", "a"], ("a", "b")),
        ("Ida Holm", {"last": "Holm", "first": "Ida"}),
        (True, True),
        (None, ""),
    ],
)
def test_what_means_the_same(expected: Any, found: Any) -> None:
    assert same(expected, found, BERLIN)


@pytest.mark.parametrize(
    ("expected", "found"),
    [(500, Money(Decimal(501), "EUR")), ("Bert", REF), (["a"], ("a", "b")), (None, 0), (0, None), (True, False)],
)
def test_what_does_not(expected: Any, found: Any) -> None:
    assert not same(expected, found, BERLIN)


def test_the_ways_of_telling() -> None:
    bad = Played(Scenario("a", Mark("t.yaml", 1)), 0.5, (Finding(Mark("t.yaml", 4, 2), "price", "21", "20 & <x>"),))
    results = [("shop", bad), ("shop", Played(Scenario("b", None), 0.25))]
    assert told("shop", bad).splitlines()[1:] == [
        "     t.yaml:4:2: price",
        "       expected  21",
        "       found     20 & <x>",
    ]
    assert FORMATS["text"](results, 1) == "2 scenarios, 1 failed, in 1.0 s"
    assert [one["holds"] for one in orjson.loads(FORMATS["json"](results, 1))["scenarios"]] == [False, True]
    junit = FORMATS["junit"](results, 1)
    assert 'failures="1"' in junit
    assert "20 &amp; &lt;x&gt;" in junit


def test_the_command_ends_with_1_when_a_scenario_does_not_hold(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "schemas" / "shop.yaml").write_text(SHOP)
    (tmp_path / "tests" / "shop.yaml").write_text(SCENARIOS)
    asked = ["template", "test", str(tmp_path), "--root", str(tmp_path), "--only"]
    result = CliRunner().invoke(main, [*asked, "wrong-*"])
    assert result.exit_code == 1, result.output
    assert "expected  21" in result.output
    empty = CliRunner().invoke(main, [*asked, "nothing"])
    assert (empty.exit_code, empty.output.strip()) == (
        0,
        "There are no scenarios: write them in tests/*.yaml (docs/scenario-tests.md).",
    )
