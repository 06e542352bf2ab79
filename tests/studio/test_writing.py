"""Edits of YAML that people wrote: the change is there, comments, order and layout are as before."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trellis.config.reader import read_yaml
from trellis.studio.writing import REMOVE, CannotWrite, Edit, apply_edits, edit_text, set_translation

OWN = """\
# what Northstar has changed
entity: member   # since 2026
fields:
  # sizes first
  hat:        {type: decimal, min: 40}   # centimetres
  sport:
    type: choices
    choices: [hiking, {skiing: Skiing}]

---
pipeline: loans
entity: loan
stages: {out: Out, back: {label: Back}}
"""


def member(path: str, value: Any) -> str:
    return edit_text(OWN, Edit("entity", "member", tuple(path.split(".")), value))


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line not in OWN.splitlines()]


def test_a_new_field_is_one_new_line() -> None:
    after = member("fields.shoe", {"type": "decimal", "min": 20, "label": "Shoe size"})
    assert lines(after) == ["  shoe: {type: decimal, min: 20, label: Shoe size}"]
    assert after.replace("  shoe: {type: decimal, min: 20, label: Shoe size}\n", "") == OWN


def test_values_within_braces_are_set_where_they_stand() -> None:
    assert "  hat:        {type: decimal, min: 40, label: 'Hat: size'}   # centimetres" in member(
        "fields.hat.label", "Hat: size"
    )
    assert "{type: decimal, min: 41}   # centimetres" in member("fields.hat.min", 41)
    assert "{min: 40}   # centimetres" in member("fields.hat.type", REMOVE)


def test_a_block_gets_lines_at_its_own_indentation() -> None:
    assert lines(member("fields.sport.label", "Sports")) == ["    label: Sports"]
    assert lines(member("label", "Member")) == ["label: Member"]


def test_what_is_left_empty_goes_too() -> None:
    once = member("fields.hat", REMOVE)
    assert "hat:" not in once
    assert "# sizes first" in once
    assert "fields" not in edit_text(once, Edit("entity", "member", ("fields", "sport"), REMOVE))


def test_a_short_form_becomes_a_long_one() -> None:
    after = edit_text(OWN, Edit("pipeline", "loans", ("stages", "out", "probability"), Decimal("12.5")))
    assert "stages: {out: {label: Out, probability: 12.5}, back: {label: Back}}" in after


def test_documents_that_are_not_there_are_begun() -> None:
    one = apply_edits({"schemas/own.yaml": OWN}, [Edit("entity", "deal", ("fields", "note"), {"type": "text"})])
    assert one["schemas/own.yaml"] == OWN + "---\nentity: deal\nfields:\n  note: {type: text}\n"
    two = {"schemas/a.yaml": OWN, "schemas/b.yaml": "# nothing\n"}
    made = apply_edits(two, [Edit("role", "clerk", ("label",), "Clerk")])
    assert made["schemas/clerk.yaml"] == "role: clerk\nlabel: Clerk\n"


def test_translations_are_lines_of_their_language() -> None:
    files = set_translation({}, "zh-Hans", "entity.deal.label", "商机")
    files = set_translation(files, "zh-Hans", "entity.deal.plural", "商机：全部")
    assert files == {"i18n/zh-Hans.yaml": "entity.deal.label: 商机\nentity.deal.plural: 商机：全部\n"}
    files = set_translation(files, "zh-Hans", "entity.deal.label", None)
    assert files == {"i18n/zh-Hans.yaml": "entity.deal.plural: 商机：全部\n"}
    assert set_translation(files, "zh-Hans", "entity.deal.plural", None) == {}


@pytest.mark.parametrize(
    "text",
    [
        "entity: a\nfields: &f {x: {type: text}}\nother: *f\n",
        "entity: a\nfields:\n  x: *nowhere\n",
        "entity: a\nfields: [x, y]\n",
        "entity: a\nfields:\n\tx: {type: text}\n",
    ],
)
def test_what_cannot_be_edited_safely_is_left_alone(text: str) -> None:
    edit = Edit("entity", "a", ("other" if "&f" in text else "fields", "x", "label"), "X")
    with pytest.raises(CannotWrite):
        edit_text(text, edit)


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=20)
SCALARS = st.one_of(WORDS, st.booleans(), st.integers(-1000, 1000), st.just("=today() + days(3)"), st.just("no"))
KEYS = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
VALUES = st.recursive(SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(KEYS, x, max_size=3), max_leaves=6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.lists(KEYS, min_size=1, max_size=3), VALUES), min_size=1, max_size=4))
def test_whatever_is_written_is_read_back_or_refused(changes: list[tuple[list[str], Any]]) -> None:
    text = OWN
    for path, value in changes:
        if path[0] == "entity":
            continue
        try:
            text = edit_text(text, Edit("entity", "member", tuple(path), value))
        except CannotWrite:
            continue
        data: Any = read_yaml(text, "").documents[0][0]
        for step in path:
            data = data[step]
        assert data == value
        assert not read_yaml(text, "").problems
        assert "  # sizes first" in text
        assert "# what Northstar has changed" in text
