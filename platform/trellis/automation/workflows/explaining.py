"""Why a condition holds or not: the values that it read; and the records that it may change with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from trellis.automation.workflows.codec import freeze
from trellis.automation.workflows.finding import in_hand
from trellis.formula.env import Env, RecordLike
from trellis.formula.formula import Formula
from trellis.formula.types import Ref, Value

_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|([A-Za-z_]\w*(?:\.\w+)*)")
MOST = 20


def values_of(formula: Formula, env: Env) -> dict[str, Any]:
    """What a formula's names meant, by name, as JSON."""
    found: dict[str, Any] = {}
    for path in _paths(formula, env):
        if len(found) == MOST:
            break
        value = _at(path, env)
        if not _is_many(value):
            found[".".join(path)] = freeze(value)
    return found


def records_of(formula: Formula, env: Env) -> Iterator[Ref]:
    """The records whose fields a formula reads: those by name, and the last ones on the way to a field."""
    if env.record is not None and env.record.id is not None:
        yield Ref(env.record.entity, env.record.id)
    for path in _paths(formula, env):
        for length in range(1, len(path) + 1):
            value = _at(path[:length], env)
            if isinstance(value, Ref):
                yield value
            elif isinstance(value, RecordLike) and value.id is not None:
                yield Ref(value.entity, value.id)


def _paths(formula: Formula, env: Env) -> Iterator[tuple[str, ...]]:
    """The names of a formula, dotted ones as paths: of the record in hand, or of the run's own."""
    seen = set()
    for match in _WORD.finditer(formula.source):
        path = tuple((match[1] or "").split("."))
        if not path[0] or path in seen:
            continue
        seen.add(path)
        if (
            path[0] in env.variables
            or path in formula.reads
            or any(path == read[: len(path)] for read in formula.reads)
        ):
            yield path


def _at(path: tuple[str, ...], env: Env) -> Value:
    """The value at the end of a path."""
    head, *rest = path
    value: Value = env.variables[head] if head in env.variables else env.record.get(head) if env.record else None
    for name in rest:
        if isinstance(value, dict):
            value = value.get(name)
            continue
        record = in_hand(value, env)
        if record is None:
            return None
        value = record.get(name)
    return value


def _is_many(value: Value) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and not isinstance(value[0], (str, int, Ref))
