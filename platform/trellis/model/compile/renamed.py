"""A name that is not there because it was given another: the hint says which."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trellis.config.phrase import phrase

if TYPE_CHECKING:
    from trellis.config.problem import Problem
    from trellis.config.stack import Configuration

NO_TYPE = "'type' is missing"
_UNKNOWN = re.compile(r"unknown .*'([^']+)'")


def with_new_names(problems: Sequence[Problem], configuration: Configuration) -> list[Problem]:
    """The problems; at a name that some `was:` mentions, the hint is the name that it has now."""
    if not any(problem.is_error for problem in problems):
        return list(problems)
    names = _names(configuration)
    return [_named(problem, names) for problem in problems]


def unknown_name(problem: Problem) -> str:
    """The name that a problem says is not there; empty where it says something else."""
    match = _UNKNOWN.search(problem.message)
    return match[1] if match is not None else ""


def _begun(problem: Problem) -> str:
    """What seems to be a new field, and is words about one that has another name by now."""
    return problem.path.rpartition(".")[2] if problem.code == "E204" and problem.message == NO_TYPE else ""


def _named(problem: Problem, names: Mapping[str, str]) -> Problem:
    new = names.get(unknown_name(problem) or _begun(problem)) if problem.is_error else None
    return problem if new is None else replace(problem, hint=phrase("it is called '{name}' now", name=new))


def _names(configuration: Configuration) -> dict[str, str]:
    """By its earlier name, what something is called, if only one thing was ever called so."""
    found: dict[str, set[str]] = {}
    for kind in ("entity", "pipeline", "choices"):
        for document in configuration.of(kind).values():
            for key, was in _renamed(document.key, document.data):
                found.setdefault(was, set()).add(key)
    return {was: next(iter(keys)) for was, keys in found.items() if len(keys) == 1}


def _renamed(key: str, data: Any) -> Iterator[tuple[str, str]]:
    if isinstance(data, Mapping):
        if isinstance(data.get("was"), str):
            yield key, data["was"]
        for inner, value in data.items():
            yield from _renamed(str(inner), value)
    elif isinstance(data, list):
        for value in data:
            yield from _renamed("", value)
