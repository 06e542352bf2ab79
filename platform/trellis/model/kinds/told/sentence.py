"""A sentence about a key."""

from __future__ import annotations

from dataclasses import dataclass

Given = str | tuple[str, str] | tuple[str, str, str]
"""What it is for; with what holds without it (as people say it); with an example as it stands in YAML."""


@dataclass(frozen=True)
class Told:
    """What a key is for, what holds without it, and an example."""

    doc: str
    default: str = ""
    example: str = ""


def told_as(given: Given) -> Told:
    """The sentence as it was written."""
    return Told(given) if isinstance(given, str) else Told(*given)
