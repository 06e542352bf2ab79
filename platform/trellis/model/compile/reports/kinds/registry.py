"""Which kinds of reports can be written, and how each is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trellis.model.compile.reports.draft import ReportDraft

Compile = Callable[[ReportDraft], dict[str, Any]]
KINDS: dict[str, Compile] = {}


def kind(name: str) -> Callable[[Compile], Compile]:
    """Declare how reports of a type are compiled."""

    def register(compile_kind: Compile) -> Compile:
        KINDS[name] = compile_kind
        return compile_kind

    return register
