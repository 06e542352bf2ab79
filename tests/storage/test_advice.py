"""A plan tells which records no longer match, though it leaves them as they are."""

from __future__ import annotations

import pytest
from tests.conftest import layers_of
from tests.storage.test_plan import change, insert, run

from trellis.storage.plan import plan

KIT = """
entity: kit
label: Kit
fields:
  name: {type: text}
  code: {type: text}
  colour: {type: choice, choices: [red, blue]}
  uses: {type: choices, choices: [day, night]}
---
pipeline: kit-life
entity: kit
stages:
  shelf: {label: Shelf}
  lent: {label: Lent}
"""


@pytest.fixture
def kits(make_tenant):
    tenant = make_tenant(KIT)
    for name, code, colour in (("A", "1", "red"), ("B", None, "blue"), ("C", "3", "blue")):
        stage = "lent" if name == "C" else "shelf"
        insert(tenant, "kit", name=name, code=code, colour=colour, uses=["day"], stage=stage, pipeline="kit-life")
    return tenant


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("code: {type: text}", "code: {type: text, required: true}", "1 row of kit without code"),
        ("[red, blue]", "[red]", "2 rows of kit with blue in colour"),
        ("[day, night]", "[night]", "3 rows of kit with day in uses"),
    ],
)
def test_what_stays_and_does_not_match_is_told(kits, old, new, told):
    assert old in KIT
    planned = plan(kits, layers_of(KIT.replace(old, new), kits.slug))
    assert planned.steps == ()
    assert [a.startswith(told) for a in planned.advice] == [True]
    assert planned.as_json()["advice"] == list(planned.advice)


def test_a_rename_and_an_unused_choice_are_not_told(kits):
    text = KIT.replace("[red, blue]", "[red, {azure: {was: blue}}]").replace("[day, night]", "[day]")
    assert plan(kits, layers_of(text, kits.slug)).advice == ()


def test_what_a_revision_left_behind_is_moved_by_a_later_one(kits, catalogue):
    bare = change(catalogue, kits, KIT.replace("[red, blue]", "[red]"))
    new = change(catalogue, bare, KIT.replace("[red, blue]", "[red, {azure: {was: blue}}]"))
    assert run(new, "SELECT name, colour FROM kit ORDER BY name") == [("A", "red"), ("B", "azure"), ("C", "azure")]
