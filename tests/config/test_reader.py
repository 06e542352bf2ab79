"""Strict YAML: what is data, what is a problem, and that nothing hostile gets further than a problem."""

from __future__ import annotations

import time
import tracemalloc
from decimal import Decimal

import pytest

from trellis.config.reader import read_yaml


def data_of(text: str):
    content = read_yaml(text, "a.yaml")
    assert content.problems == []
    return content.documents[0][0]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("1.10", Decimal("1.10")),
        ("1e3", Decimal("1e3")),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        (".inf", ".inf"),
        (".", "."),
        ("-", None),
        ("'12'", "12"),
        ("9" * 400, "9" * 400),
        ("<", "<"),
        ("=me", "=me"),
        ("价格", "价格"),
    ],
)
def test_plain_words_mean_what_they_look_like(written: str, value: object) -> None:
    if written == "-":
        assert data_of("a: '-'") == {"a": "-"}
        return
    assert data_of(f"a: {written}") == {"a": value}


def test_keys_are_text() -> None:
    assert list(data_of("on: 1\ntrue: 2\n1: 3\nno: 4")) == ["on", "true", "1", "no"]


def test_places_stand_beside_the_data() -> None:
    content = read_yaml("entity: deal\nfields:\n  amount: {type: money, min: 0.50}\n", "a.yaml", "core")
    place = content.documents[0][1].children["fields"].children["amount"].children["min"]
    assert (place.key_mark.line, place.key_mark.column) == (3, 25)
    assert (place.mark.line, place.mark.column, place.mark.layer) == (3, 30, "core")
    assert place.raw == "0.50"


def test_anchors_and_merge_keys() -> None:
    assert data_of("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\nagain: *b") == {
        "base": {"x": 1, "y": 2},
        "use": {"x": 1, "y": 3},
        "again": {"x": 1, "y": 2},
    }


BAD = {
    "duplicate key": ("a: 1\nb:\n  c: 1\n  c: 2\n", "a.yaml:4:3: E101 key 'c' is already set on line 3"),
    "tab": ("a:\n\tb: 1\n", "a.yaml:2:1: E100"),
    "tag": (
        "a: !!python/object:os.system x\n",
        "a.yaml:1:4: E105 YAML tags are not used here: !!python/object:os.system",
    ),
    "local tag": ("a: !secret x\n", "a.yaml:1:4: E105 YAML tags are not used here: !secret"),
    "unclosed": ("a: [1, 2\n", "a.yaml:2:1: E100"),
    "unknown anchor": ("a: *nothing\n", "a.yaml:1:4: E106"),
    "anchor in itself": ("a: &a [*a]\n", "a.yaml:1:8: E106 anchor 'a' is used inside itself"),
    "mapping as key": ("{a: 1}: 2\n", "a.yaml:1:1: E108"),
    "list as key": ("? [a]\n: 1\n", "a.yaml:1:3: E108"),
    "empty key": ("'': 1\n", "a.yaml:1:1: E108"),
    "control character": ("a: \x07\n", "a.yaml:1:4: E102"),
    "deep flow": ("a: " + "[" * 5_000 + "\n", "a.yaml:1:43: E107"),
    "deep blocks": ("".join(" " * i + "a:\n" for i in range(500)), "a.yaml:41:41: E107"),
    "long text": ("a: " + "x" * 200_000 + "\n", "a.yaml:1:4: E109"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_yaml_is_a_problem(name: str) -> None:
    text, expected = BAD[name]
    problems = read_yaml(text, "a.yaml").problems
    assert f"{problems[0].mark}: {problems[0].code} {problems[0].message}".startswith(expected)


def test_bytes_that_are_not_utf8() -> None:
    (problem,) = read_yaml(b"a: 1\nb: \xff\xfe\n", "a.yaml").problems
    assert (problem.code, str(problem.mark)) == ("E102", "a.yaml:2:4")


def test_byte_order_mark_does_no_harm() -> None:
    assert read_yaml(b"\xef\xbb\xbfa: 1\n", "a.yaml").documents[0][0] == {"a": 1}


def hostile() -> dict[str, str | bytes]:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [" + ",".join([f"*{chr(97 + i)}"] * 10) + "]\n" for i in range(12)
    )
    return {
        "alias bomb": bomb,
        "merge bomb": "a: &a {" + ",".join(f"k{i}: 1" for i in range(1000)) + "}\n" + "b: [" + "{<<: *a}," * 1000 + "]",
        "open brackets": "[" * 900_000,
        "open braces": "{" * 900_000,
        "dashes": "- " * 400_000,
        "question marks": "? " * 400_000,
        "many keys": "".join(f"k{i}: 1\n" for i in range(80_000)),
        "many documents": "---\na: 1\n" * 90_000,
        "one long line": "a: '" + "x" * 900_000 + "'",
        "colons": "a:" * 400_000,
        "quotes": '"' * 900_000,
        "anchors": "".join(f"- &a{i} x\n" for i in range(60_000)),
        "too large": "a: 1\n" * 1_000_000,
        "zeros": b"\x00" * 100_000,
        "random": bytes(range(256)) * 100,
        "duplicates": "a: 1\n" * 100_000,
    }


@pytest.mark.parametrize("name", hostile())
def test_hostile_yaml_costs_little(name: str) -> None:
    text = hostile()[name]
    start = time.process_time()
    content = read_yaml(text, "a.yaml")
    assert time.process_time() - start < 2
    assert content.problems or len(content.documents) < 100_001
    assert len(content.problems) <= 50


def test_hostile_yaml_takes_little_memory() -> None:
    for name in ("alias bomb", "many documents", "merge bomb"):
        tracemalloc.start()
        read_yaml(hostile()[name], "a.yaml")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 150_000_000, name
