"""The place in the file of a character inside a scalar."""

from __future__ import annotations

import pytest

from trellis.config.position import locate
from trellis.config.reader import read_yaml

CASES = {
    "plain": ("f: amount > 1000\n", "1000", (1, 13)),
    "flow": ("a: {f: amount > 1000, b: 1}\n", "1000", (1, 17)),
    "single quotes": ("f: 'stage == \"open\"'\n", "open", (1, 15)),
    "doubled quote": ("f: 'a == ''x'' and b'\n", "and", (1, 16)),
    "double quotes": ('f: "a == \\"x\\" and b"\n', "and", (1, 16)),
    "folded plain": ("f: amount\n  > 1000\n", "1000", (2, 5)),
    "literal": ("f: |\n  amount\n  > 1000\n", "1000", (3, 5)),
    "folded": ("f: >-\n  amount\n  > 1000\n", "1000", (3, 5)),
    "indented literal": ("a:\n  f: |\n\n    x\n    yy zz\n", "zz", (5, 8)),
    "wide characters": ("f: '价格 == x'\n", "x", (1, 11)),
    "escape": ('f: "\\u4ef7 == x"\n', "x", (1, 15)),
}


@pytest.mark.parametrize("name", CASES)
def test_characters_are_found_again(name: str) -> None:
    text, needle, expected = CASES[name]
    content = read_yaml(text, "a.yaml")
    place = content.documents[0][1]
    while place.raw is None:
        place = next(iter(place.children.values()))
    assert place.raw is not None
    mark = locate(place, place.raw.index(needle))
    assert (mark.line, mark.column) == expected
