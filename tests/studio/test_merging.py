"""Two edits of one file: each keeps what the other left alone; where both changed the same lines, they are asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trellis.studio.merging import conflicts, merge, settle

TEXT = st.lists(st.sampled_from(["a: 1\n", "b: 2\n", "c: 3\n", "d: 4\n"]), max_size=8).map("".join)


@given(TEXT, TEXT)
def test_who_is_alone_in_changing_has_it_their_way(base: str, changed: str) -> None:
    for mine, theirs in ((changed, base), (base, changed), (changed, changed)):
        parts = merge(base, mine, theirs)
        assert (conflicts(parts), settle(parts, {})) == (0, changed)


@given(TEXT, TEXT, TEXT)
def test_a_side_chosen_throughout_keeps_all_its_lines(base: str, mine: str, theirs: str) -> None:
    parts = merge(base, mine, theirs)
    kept = settle(parts, dict.fromkeys(range(conflicts(parts)), "both"))
    assert set(mine.splitlines()) - set(base.splitlines()) <= set(kept.splitlines())
    assert set(theirs.splitlines()) - set(base.splitlines()) <= set(kept.splitlines())


def test_changes_in_different_places_are_both_kept() -> None:
    parts = merge("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\n")
    assert (conflicts(parts), settle(parts, {})) == (0, "A\nb\nc\nD\n")


def test_the_same_line_changed_by_both_is_asked_about() -> None:
    parts = merge("a\nb\nc\n", "a\nmine\nc\n", "a\ntheirs\nc\n")
    assert conflicts(parts) == 1
    assert settle(parts, {}) == "a\nmine\nc\n"
    assert settle(parts, {0: "theirs"}) == "a\ntheirs\nc\n"


def test_a_file_that_one_deleted_and_the_other_changed_is_one_conflict() -> None:
    assert conflicts(merge("a\n", None, "b\n")) == 1
