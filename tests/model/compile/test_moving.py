"""Derived fields that move without a write, and those that depend on themselves."""

from __future__ import annotations

import pytest
from tests.conftest import layers_of

from trellis.model.compile import compile_layers

ACCOUNT = """
entity: account
title: name
fields:
  name: {type: text}
  due: {type: date}
  owner: {type: user}
  late: {type: boolean, formula: due < today()}
  late_deals: {type: integer, rollup: 'count(deals, late)'}
  worst: {type: integer, rollup: max(deals.wait)}
  mine: {type: integer, rollup: 'count(deals, owner == me)'}
  in_usd: {type: money, rollup: 'sum(deals.dollars)'}
  total: {type: money, rollup: sum(deals.amount)}
  fifths: {type: money, rollup: sum(deals.fifth)}
---
entity: deal
title: "{name} {account.name}"
fields:
  name: {type: text}
  account: {type: link, to: account, inverse: deals}
  owner: {type: user}
  amount: {type: money}
  due: {type: date}
  late: {formula: due < today()}
  dollars: {type: money, formula: 'convert(amount, "USD")'}
  fifth: {type: money, formula: amount / 5}
  wait: {type: integer, rollup: 'count(calls, at > now())'}
---
entity: call
title: at
fields: {deal: {type: link, to: deal, inverse: calls}, at: {type: datetime}}
"""


def test_roll_ups_that_move_by_themselves_are_computed_when_they_are_read():
    model = compile_layers(layers_of(ACCOUNT)).model
    fields = {**model.entities["account"].fields, **model.entities["deal"].fields}
    stored = {key for key, field in fields.items() if field.rollup is not None}
    assert stored == {"total", "fifths"}
    for key in ("late_deals", "worst", "mine", "in_usd", "wait"):
        assert fields[key].formula is not None
        assert not fields[key].is_stored


def problems(text):
    return [p for p in compile_layers(layers_of(text)).problems if p.is_error]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('x: {type: text, formula: \'if(due < today(), "late", "")\', search: true}', "the time"),
        ('x: {type: text, formula: \'if(owner == me, "mine", "")\', search: true}', "who is reading"),
        (
            "x: {lookup: top.said, search: true}\n  top: {type: link, to: account}\n"
            "  said: {type: text, formula: 'last(deals.said)'}",
            "the time",
        ),
        ("x: {type: link, to: call, search: true}", None),
    ],
)
def test_a_searched_text_does_not_move(text, expected):
    said = "  said: {type: text, formula: '\"\" & late'}\n"
    whole = ACCOUNT.replace("  total:", f"  {text}\n  total:").replace("  fifth: {", f"{said}  fifth: {{")
    found = [p for p in problems(whole) if p.code == "E329"]
    assert [expected in p.message and p.path == "fields.x.search" for p in found] == [True] * bool(expected)


RING = """
entity: a
title: {a_title}
fields:
  name: {type: text}
  b: {type: link, to: b, inverse: as_}
  x: {X}
  n: {type: integer}
---
entity: b
title: {b_title}
fields:
  name: {type: text}
  y: {Y}
  c: {type: link, to: c, inverse: bs}
---
entity: c
title: name
fields:
  name: {type: text}
  z: {Z}
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {
                "X": "{type: integer, formula: b.y + 1}",
                "Y": "{type: integer, lookup: c.z}",
                "Z": "{type: integer, rollup: sum(bs.y)}",
            },
            {"b.y → c.z → b.y"},
        ),
        (
            {
                "X": "{type: integer, formula: b.c.z}",
                "Y": "{type: integer, rollup: sum(as_.x)}",
                "Z": "{type: integer, rollup: max(bs.y)}",
            },
            {"a.x → c.z → b.y → a.x"},
        ),
        ({"X": "{type: integer, rollup: 'sum(b.as_.n, this.x > 1)'}"}, {"a.x → a.x"}),
        ({"X": "{formula: b.y}", "Y": "{rollup: max(as_.x)}"}, {"a.x → b.y → a.x"}),
        ({"a_title": '"{b}"', "b_title": '"{first(as_)} {name}"'}, {"a.title → b.title → a.title"}),
        (
            {
                "a_title": '"{x}"',
                "X": "{type: text, formula: '\"at \" & b'}",
                "b_title": '"{y}"',
                "Y": "{type: text, rollup: last(as_.x)}",
            },
            {"a.x → b.title → b.y → a.x"},
        ),
        (
            {
                "X": "{type: integer, formula: b.y + n}",
                "Y": "{type: integer, rollup: sum(as_.n)}",
                "a_title": '"{b}"',
            },
            set(),
        ),
    ],
)
def test_a_cycle_is_told_with_its_path(given, expected):
    text = RING
    defaults = {"a_title": "name", "b_title": "name", "X": "{type: text}", "Y": "{type: text}", "Z": "{type: text}"}
    for key, value in {**defaults, **given}.items():
        text = text.replace("{" + key + "}", value)
    found = problems(text)
    assert {p.message for p in found} == {f"depends on itself: {path}" for path in expected}, found
    assert {p.code for p in found} <= {"E318"}
    assert all(p.mark is not None and p.path.startswith(("fields.", "title")) for p in found)
