"""Writes problems: as text with the source line and a caret, as JSON, as GitHub annotations."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from trellis.config.problem import Mark, Problem
from trellis.config.source import Source

Sources = Mapping[str, Source]
MAX_WIDTH = 160


def one_line(problem: Problem) -> str:
    """file:line:column: CODE path: message (hint)"""
    where = f"{problem.mark}: " if problem.mark is not None else ""
    path = f"{problem.path}: " if problem.path else ""
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{where}{problem.code} {path}{problem.message}{hint}"


def snippet(mark: Mark, sources: Sources, context: int = 2) -> list[str]:
    """The lines up to the place, with a caret below it."""
    source = sources.get(mark.file)
    if source is None or not source.line(mark.line):
        return []
    first = max(1, mark.line - context)
    width = max(4, len(str(mark.line)))
    found = []
    for number in range(first, mark.line + 1):
        text = source.line(number).replace("\t", " ")
        if number < mark.line and not text.strip() and number == first:
            continue
        found.append(f"{number:>{width}} | {text[:MAX_WIDTH]}")
    before = source.line(mark.line)[: mark.column - 1]
    if len(before) < MAX_WIDTH:
        found.append(f"{'':>{width}}   {' ' * _columns(before)}^")
    return found


def _columns(text: str) -> int:
    """How many columns a terminal gives a text: CJK takes two each."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def summary(problems: Sequence[Problem], files: int) -> str:
    """`3 errors, 0 warnings in 1 of 14 files`"""
    errors = sum(p.is_error for p in problems)
    warnings = len(problems) - errors
    bad = len({p.mark.file for p in problems if p.mark is not None})
    return f"{_count(errors, 'error')}, {_count(warnings, 'warning')} in {bad} of {_count(files, 'file')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def write_text(problems: Sequence[Problem], sources: Sources) -> str:
    """For people: each problem with its snippet, and the count."""
    parts = []
    for problem in problems:
        parts.append(one_line(problem))
        if problem.mark is not None:
            parts += snippet(problem.mark, sources)
    parts.append(summary(problems, len(sources)))
    return "\n".join(parts)


def as_json(problem: Problem) -> dict[str, Any]:
    """A problem for programs."""
    mark = problem.mark
    return {
        "code": problem.code,
        "severity": "error" if problem.is_error else "warning",
        "message": problem.message,
        "hint": problem.hint,
        "path": problem.path,
        "file": mark.file if mark else None,
        "line": mark.line if mark else None,
        "column": mark.column if mark else None,
        "layer": mark.layer if mark else None,
    }


def write_json(problems: Sequence[Problem], sources: Sources) -> str:
    """For programs: one JSON object."""
    errors = sum(p.is_error for p in problems)
    body = {
        "problems": [as_json(p) for p in problems],
        "errors": errors,
        "warnings": len(problems) - errors,
        "files": len(sources),
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()


def write_github(problems: Sequence[Problem], sources: Sources) -> str:
    """For GitHub Actions: one annotation a line."""
    return "\n".join(_annotation(p) for p in problems)


def _annotation(problem: Problem) -> str:
    kind = "error" if problem.is_error else "warning"
    mark = problem.mark
    where = f"file={_escape(mark.file)},line={mark.line},col={mark.column}," if mark else ""
    text = one_line(Problem(problem.code, problem.message, None, problem.path, problem.hint))
    return f"::{kind} {where}title={problem.code}::{text}".replace("\n", "%0A")


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace(",", "%2C").replace(":", "%3A")


WRITERS: dict[str, Callable[[Sequence[Problem], Sources], str]] = {
    "text": write_text,
    "json": write_json,
    "github": write_github,
}
