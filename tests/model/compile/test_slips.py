"""Slips that an administrator makes while writing YAML: what `trellis check` says of each, and where."""

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
        "W608 'opn' is not one of the choices, so this is never equal (did you mean 'open'?)",
    ),
    "the label of a value": ('status == "Closed"', '"Closed"', "W608 (did you mean 'closed'?)"),
    "a value of a shared list": ('species != "horse"', '"horse"', "W608 (expected cat, dog)"),
    "one of several": ('status in ("open", "clsed")', '"clsed"', "W608 (did you mean 'closed'?)"),
    "in a field of several": ('"acut" in kinds', '"acut"', "W608 (did you mean 'acute'?)"),
    "a stage that is another pipeline's": ('stage == "won"', '"won"', "W608 (expected healed, new)"),
    "a stage type": ('stage_type == "wonn"', '"wonn"', "W608 (did you mean 'won'?)"),
    "a stage before the change": ('old.stage == "nwe"', '"nwe"', "W608 (did you mean 'new'?)"),
    "over a link and back": ('any(owner.visits, status == "opn")', '"opn"', "W608 (did you mean 'open'?)"),
    "in a case": ('case(status, "opn", paid, false)', '"opn"', "W608 (did you mean 'open'?)"),
    "a role": ('has_role("bos")', '"bos"', "W609 there is no role 'bos' (expected admin)"),
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


# a further field, the spot in it, what is said
FIELDS = {
    "a formula without its sign": (
        "{type: date, default: today()}",
        "today",
        "E215 “today()” is not a date. Write it like 2026-11-30. (a formula begins with =: =today())",
    ),
    "a formula that is a text": (
        "{type: text, default: today()}",
        "today",
        "W611 this is the text as it stands (write =today() for the formula",
    ),
    "me without its sign": ("{type: user, default: me}", "me}", "E215 (a formula begins with =: =me)"),
    "bounds that cross": ("{type: integer, min: 5, max: 3}", "3}", "E214 'max' is less than 'min'"),
    "lengths that cross": (
        "{type: text, min_length: 5, max_length: 3}",
        "3}",
        "E214 'max_length' is less than 'min_length'",
    ),
    "an option of other types": ("{type: text, min: 3}", "min", "E203 unknown key 'min' (of integer, decimal,"),
    "a length of a number": ("{type: integer, max_length: 3}", "max_length", "E203 unknown key (of text, long_text,"),
    "required where nobody sees it": (
        "{type: text, required: true, hidden: true}",
        "true}",
        "W610 'extra' is required, and hidden (give it a default",
    ),
    "a condition under required": (
        "{type: text, required: paid}",
        "paid",
        "E205 found 'paid' (a condition goes under required_when)",
    ),
    "a colour that is none": (
        "{type: choice, choices: [{a: {color: gren}}]}",
        "gren",
        "E206 there is no colour 'gren' (did you mean 'green'?)",
    ),
    "choices as a mapping": (
        "{type: choice, choices: {a: A}}",
        "a: A",
        "E203 unknown key 'a' (choices are a list: [low, {high: High}])",
    ),
    "a mask of nothing": ("{type: sequence, mask: 'V-{year}-{000}'}", "'V-", "E304 unknown part of the mask 'year'"),
    "a place after nothing": (
        "{type: text, place: {after: pric}}",
        "pric",
        "E304 unknown field 'pric' (did you mean 'price'?)",
    ),
}
# what is said of a view: type and parts, the spot, the line
VIEWS = {
    "a board by a text": (
        "{type: kanban, group: subject}",
        "subject",
        "E324 'subject' is a text (a board is grouped by",
    ),
    "a calendar of a text": (
        "{type: calendar, start: subject}",
        "subject",
        "E324 'subject' is a text (a calendar needs a date",
    ),
    "a map of a text": ("{type: map, location: subject}", "subject", "E324 'subject' is a text (a map needs"),
    "the sum of a text": (
        "{type: list, columns: [subject], totals: {subject: sum}}",
        "sum",
        "E324 'subject' is a text (sum adds",
    ),
    "a total that is none": (
        "{type: list, columns: [price], totals: {price: total}}",
        "total}",
        "E206 'total' is not known here (expected avg,",
    ),
    "a column that no stage gives": (
        "{type: kanban, group: stage, hide: [lost]}",
        "lost",
        "E306 unknown column of the board 'lost' (expected healed, new)",
    ),
    "a column that no field gives": (
        "{type: list, columns: [ownr]}",
        "ownr",
        "E304 unknown column 'ownr' (did you mean 'owner'?)",
    ),
    "a sort that no field gives": (
        "{type: list, sort: [-pric]}",
        "-pric",
        "E304 unknown field 'pric' (did you mean 'price'?)",
    ),
}
GRANTS = {
    "everyone": ("{read: everyone}", "everyone", "E402 'everyone' is no level (did you mean 'all'?)"),
    "mine": ("{read: mine}", "mine", "E402 'mine' is no level (did you mean 'own'?)"),
    "a word for update": ("{write: all}", "write", "E203 unknown key 'write' (did you mean 'update'?)"),
    "a word for read": ("{view: all}", "view", "E203 unknown key 'view' (did you mean 'read'?)"),
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
    assert [p.code for p in compiled.problems] == ["W608"]
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


@pytest.mark.parametrize("name", FIELDS)
def test_a_slip_in_a_field_is_told_where_it_is(name: str, compile_yaml) -> None:
    written, spot, said = FIELDS[name]
    compiled = compile_yaml(VISIT + f"  extra: {written}\n")
    assert_said(said_of(compiled), f"a.yaml:{FIELD}:{10 + written.index(spot)}", said)


@pytest.mark.parametrize("name", VIEWS)
def test_a_slip_in_a_view_is_told_where_it_is(name: str, compile_yaml) -> None:
    written, spot, said = VIEWS[name]
    compiled = compile_yaml(VISIT + f"views:\n  extra: {written}\n")
    assert_said(said_of(compiled), f"a.yaml:{FIELD + 1}:{10 + written.index(spot)}", said)
    assert len(compiled.problems) == 1


@pytest.mark.parametrize("name", GRANTS)
@pytest.mark.parametrize("entity", ["visit", '"*"'])
def test_a_slip_in_a_grant_is_told_where_it_is(name: str, entity: str, compile_yaml) -> None:
    written, spot, said = GRANTS[name]
    compiled = compile_yaml(VISIT + f"---\nrole: vet\ngrants:\n  {entity}: {written}\n")
    assert_said(said_of(compiled), f"a.yaml:{FIELD + 3}:{5 + len(entity) + written.index(spot)}", said)


def test_choices_of_a_field_that_a_pipeline_gives_are_told(compile_yaml) -> None:
    told = VISIT.replace("entity: visit\nstages", "entity: visit\nfield: status\nstages")
    line = told[: told.index("  status: {")].count("\n") + 1
    assert_said(
        said_of(compile_yaml(told)),
        f"a.yaml:{line}:35",
        "E308 'status' has the stages of pipeline 'care' for choices (leave the choices out",
    )


def test_a_record_has_one_owner(compile_yaml) -> None:
    compiled = compile_yaml(VISIT + "  vet: {type: user, role: owner}\n  nurse: {type: user, role: owner}\n")
    assert said_of(compiled) == [
        f"a.yaml:{FIELD + 1}:29: E323 fields.nurse.role: 'vet' is the owner already: a record has one"
    ]


def test_an_owner_of_ones_own_stands_before_an_inherited_one(model_of) -> None:
    text = "entity: event\nabstract: true\nfields: {owner: {type: user, role: owner}}\n---\n"
    text += "entity: trip\nextends: event\nfields: {leader: {type: user, role: owner}}\n---\n"
    model = model_of(text + "entity: talk\nextends: event\nfields: {topic: {type: text}}\n")
    assert model.entities["trip"].owner_field == "leader"
    assert model.entities["talk"].owner_field == "owner"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('entity: a\nlabel: "A\nfields: {}\n', "a.yaml:2:8: E100 not readable as YAML: while scanning a quoted scalar"),
        ("entity:a\nlabel: A\n", "a.yaml:2:6: E100 (a space goes after 'entity:' in the line above)"),
        ("entity: a\nlabel:A\nicon: box\n", "a.yaml:3:1: E100 (a space goes after 'label:' in the line above)"),
        ("entity: a\nlabel: Vets: best\n", "a.yaml:2:12: E100 (quote text that holds ': ')"),
    ],
    ids=["an open quote", "no space after the kind", "no space after a key", "a colon in a text"],
)
def test_a_slip_in_the_yaml_is_told_where_it_is(text: str, said: str, compile_yaml) -> None:
    where, _, rest = said.partition(": ")
    assert_said(said_of(compile_yaml(text)), where, rest)
