"""Semantic versions: which of them a range takes, and which is the newest."""

from __future__ import annotations

import re
from collections.abc import Iterable

SEMVER = re.compile(
    r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?"
)
RANGE = re.compile(r"(\^|~|==?|[<>]=?)?\d{1,9}(\.\d{1,9}){0,2}(-[0-9A-Za-z.-]+)?")
Order = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version is in a range: ^1.4 (no other first number), ~1.4.2 (nor second), >=1.2, <2, 1.4."""
    have = _numbers(version)
    return bool(have) and all(_in_range(have, part) for part in wanted.replace(",", " ").split())


def is_version(text: str) -> bool:
    """Whether a text is a semantic version, such as 1.4.0."""
    return SEMVER.fullmatch(text) is not None


def is_range(text: str) -> bool:
    """Whether a text is a range that `satisfies` understands."""
    parts = text.replace(",", " ").split()
    return bool(parts) and all(RANGE.fullmatch(part) for part in parts)


def order(version: str) -> Order:
    """What versions are sorted by: 1.10.0 after 1.9.0, 2.0.0-beta before 2.0.0, whatever is no version first."""
    match = SEMVER.fullmatch(version)
    if match is None:
        return ((), False, ())
    early = match[4] or ""
    parts = tuple((not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in early.split(".")) if early else ()
    return (tuple(int(match[n]) for n in (1, 2, 3)), not early, parts)


def newest(versions: Iterable[str], wanted: str = "") -> str | None:
    """The newest version in a range; one that is not released yet (2.0.0-beta) only if nothing else fits."""
    fitting = [v for v in versions if not wanted.strip() or v == wanted.strip() or satisfies(v, wanted)]
    if wanted.strip() in fitting:
        return wanted.strip()
    return max(fitting, key=lambda v: ("-" not in v, order(v)), default=None)


def _in_range(have: tuple[int, ...], part: str) -> bool:
    operator = part[: len(part) - len(part.lstrip("^~><="))]
    least = _numbers(part.lstrip("^~><="))
    if not least:
        return False
    padded = least + (0,) * (3 - len(least))
    fixed = {"^": 1 if padded[0] else 2, "~": 2, "": len(least), "=": len(least), "==": len(least)}.get(operator)
    if fixed is not None:
        return have[:fixed] == padded[:fixed] and have >= padded
    return {">=": have >= padded, ">": have > padded, "<": have < padded, "<=": have <= padded}.get(operator, False)


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split("-")[0].split("+")[0].split(".")
    return tuple(int(p) for p in parts[:3]) if all(p.isdecimal() and len(p) < 10 for p in parts) else ()
