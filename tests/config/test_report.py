"""How problems are written."""

from __future__ import annotations

import json

from trellis.config.problem import Mark, Problem
from trellis.config.report import write_github, write_json, write_text
from trellis.config.source import Source

TEXT = "fields:\n  phone:\n    type: telephone\n"
PROBLEM = Problem(
    "E210",
    "unknown field type 'telephone'",
    Mark("a/member.yaml", 3, 11, "core"),
    "fields.phone.type",
    "did you mean 'phone'?",
)
SOURCES = {"a/member.yaml": Source("a/member.yaml", TEXT, "core"), "b.yaml": Source("b.yaml", "", "core")}


def test_text_shows_the_place() -> None:
    assert write_text([PROBLEM], SOURCES).splitlines() == [
        "a/member.yaml:3:11: E210 fields.phone.type: unknown field type 'telephone' (did you mean 'phone'?)",
        "   1 | fields:",
        "   2 |   phone:",
        "   3 |     type: telephone",
        "                 ^",
        "1 error, 0 warnings in 1 of 2 files",
    ]


def test_the_caret_stands_below_wide_characters() -> None:
    sources = {"a.yaml": Source("a.yaml", "标签: x\n")}
    lines = write_text([Problem("E200", "m", Mark("a.yaml", 1, 5))], sources).splitlines()
    assert lines[2] == " " * 7 + " " * 6 + "^"


def test_json_for_programs() -> None:
    body = json.loads(write_json([PROBLEM], SOURCES))
    assert (body["errors"], body["warnings"], body["files"]) == (1, 0, 2)
    assert body["problems"][0]["line"] == 3
    assert body["problems"][0]["severity"] == "error"


def test_github_annotations() -> None:
    assert write_github([PROBLEM], SOURCES) == (
        "::error file=a/member.yaml,line=3,col=11,title=E210::"
        "E210 fields.phone.type: unknown field type 'telephone' (did you mean 'phone'?)"
    )
