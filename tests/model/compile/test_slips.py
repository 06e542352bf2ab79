"""Slips that an administrator makes while writing YAML: what `trellis check` says of each, and where."""

# ruff: noqa: E501  (a slip and the line that is said about it stand on one line each)
from __future__ import annotations

import pytest

from trellis.config.report import one_line
from trellis.model.compile import Compiled

VISIT = """\
entity: owner
fields: {name: {type: text, required: true}}
---
choices: species
values: {dog: Dog, cat: Cat}
---
pipeline: care
entity: visit
stages: {new: New, healed: {label: Healed, type: won}}
---
entity: visit
fields:
  subject: {type: text, required: true}
  owner: {type: link, to: owner, inverse: visits}
  status: {type: choice, choices: [open, closed]}
  species: {type: choice, choices: species}
  kinds: {type: choices, choices: [acute, check]}
  day: {type: date}
  moment: {type: datetime}
  price: {type: money}
  paid: {type: boolean}
"""
FIELD = VISIT.count("\n") + 1  # the line of a further field

# a condition, the column of the fault inside it, what is said
CONDITIONS = {
    "a value that the choice does not have": (
        'status == "opn"',
        '"opn"',
        "W408 'opn' is not one of the choices, so this is never equal (did you mean 'open'?)",
    ),
    "the label of a value": ('status == "Closed"', '"Closed"', "W408 (did you mean 'closed'?)"),
    "a value of a shared list": ('species != "horse"', '"horse"', "W408 (expected cat, dog)"),
    "one of several": ('status in ("open", "clsed")', '"clsed"', "W408 (did you mean 'closed'?)"),
    "in a field of several": ('"acut" in kinds', '"acut"', "W408 (did you mean 'acute'?)"),
    "a stage that is another pipeline's": ('stage == "won"', '"won"', "W408 (expected healed, new)"),
    "a stage type": ('stage_type == "wonn"', '"wonn"', "W408 (did you mean 'won'?)"),
    "a stage before the change": ('old.stage == "nwe"', '"nwe"', "W408 (did you mean 'new'?)"),
    "over a link and back": ('any(owner.visits, status == "opn")', '"opn"', "W408 (did you mean 'open'?)"),
    "in a case": ('case(status, "opn", paid, false)', '"opn"', "W408 (did you mean 'open'?)"),
    "a role": ('has_role("bos")', '"bos"', "W409 there is no role 'bos' (expected admin)"),
    "a value without quotes": (
        "status == open",
        "open",
        "E402 unknown name 'open' (a value is written in quotes: \"open\")",
    ),
    "null": ("owner == null", "null", "E402 (write blank)"),
    "yes": ("paid == yes", "yes", "E402 (write true)"),
    "the user": ("owner == user", "user", "E402 (the reader is me)"),
    "the record": ("record.paid", "record", "E402 (the record's own fields are named plainly: amount)"),
    "a spreadsheet's capitals": ("IF(paid, true)", "IF", "E403 (write if(condition, then, else))"),
    "AND": ("paid AND paid", "AND", "E401 unexpected 'AND' (write and)"),
    "a spreadsheet's name": ("ISNULL(owner)", "ISNULL", "E403 (write is_blank(x))"),
    "&&": ("paid && paid", "& paid", "E401 (write 'and')"),
    "typographic quotes": ("status == “open”", "“", "E401 unexpected '“' (write plain quotes: \"text\")"),
    "a decimal comma": ("price > 1,5", ",", "E401 (a decimal point is a point: 1.5)"),
    "a full-width comma": ("max(1，2) > 1", "，", "E401 (write a plain comma)"),
    "an ISO date": ("day > 2026-01-31", "day", "E405 (a day is written as date(2026, 12, 31))"),
    "a date as text": ('day > "2026-01-31"', "day", "E405 (a day is written as date(2026, 12, 31))"),
    "a boolean as text": ('paid == "yes"', "paid", "E405 (write true or false)"),
    "texts added up": ('subject + "x" == subject', "subject", "E405 (join texts with &)"),
}


def said_of(compiled: Compiled) -> list[str]:
    return [one_line(p) for p in compiled.problems]


def assert_said(lines: list[str], where: str, said: str) -> None:
    code, _, rest = said.partition(" ")
    message, _, hint = rest.partition("(")
    parts = (message.strip(), hint and f"({hint}")
    assert any(line.startswith(f"{where}: {code} ") and all(p in line for p in parts) for line in lines), lines


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_slip_in_a_condition_is_told_where_it_is(name: str, compile_yaml) -> None:
    condition, spot, said = CONDITIONS[name]
    compiled = compile_yaml(VISIT + f"  extra:\n    type: text\n    readonly_when: |\n      {condition}\n")
    assert_said(said_of(compiled), f"a.yaml:{FIELD + 3}:{7 + condition.index(spot)}", said)


def test_advice_leaves_the_configuration_running(compile_yaml) -> None:
    compiled = compile_yaml(VISIT + "  extra: {type: text, readonly_when: 'status == \"opn\"'}\n")
    assert [p.code for p in compiled.problems] == ["W408"]
    assert compiled.is_sound


@pytest.mark.parametrize(
    "condition",
    [
        'status == "open"',
        'coalesce(status, "none") == "none"',
        'if(paid, status, "free") == "free"',
        'upper(status) == "OPEN"',
        '"open" in (status, species)',
        'stage in ("new", "healed")',
        "status == subject",
        'has_role("admin")',
    ],
)
def test_what_can_be_true_is_not_doubted(condition: str, compile_yaml) -> None:
    compiled = compile_yaml(VISIT + f"  extra:\n    type: text\n    readonly_when: |\n      {condition}\n")
    assert said_of(compiled) == []
