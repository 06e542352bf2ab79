"""Every number of a report by the way that a reader goes: the list that it opens is asked for the number once more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.reports.recompute import plain

from trellis.formula.formula import Formula, compile_formula
from trellis.formula.rows import RowsScope
from trellis.records.reading.gather import Question
from trellis.records.store import Store
from trellis.reports.conditions import ParamScope, both, settled
from trellis.reports.result import Answer, Behind, Heading, Line, behind
from trellis.reports.unions import filters_of

Take = Callable[[Heading, Line], bool]


def astray(store: Store, answer: Answer, take: Take = lambda heading, line: True) -> Iterator[str]:
    """Where the records that a number leads to are not those that it counts."""
    for line in answer.lines:
        for heading, value in zip(answer.headings, line.values, strict=True):
            found = behind(line, heading)
            if found is None or plain(value) in (None, 0.0) or not answer.can_drill or not take(heading, line):
                continue
            again = listed(store, answer, heading, found, line)
            if again is not None and not _same(plain(value), again):
                yield f"{answer.report.key}.{heading.key}: {value!r}, its records {again!r}: {found}"


def listed(store: Store, answer: Answer, heading: Heading, found: Behind, line: Line) -> Any:
    """A number of the records in the list; None for one that only says which records it is made of."""
    report = answer.report
    if report.union:
        key = heading.key.removesuffix(".before")
        if not any(m.key == key and m.formula.source.strip() == "count()" for m in report.measures):
            return None
        parts = filters_of(store, answer, found.conditions)
        return float(sum(store.count(e, where=(text,) if text else (), cap=None).n for e, text in parts.items()))
    entity = found.entity or report.entity
    where = both(answer.conditions if found.entity is None else "", *found.conditions)
    count = float(store.count(entity, where=(where,) if where else (), cap=None).n)
    formula = measure_of(store, answer, heading)
    if formula is None:
        cells = dict(zip([h.key for h in answer.headings], line.values, strict=True))
        if report.type == "cohort" and heading.key != "size":
            whole = sum_of_sizes(answer, line, heading) if line.kind == "total" else cells["size"]
            return count * 100 / float(whole)
        return count if found.says is None else None
    if found.says is not None:
        return None
    (bundle,) = store.gather(
        Question(entity, (where,) if where else (), measures=(formula,), variables=answer.chosen.variables)
    )
    return plain(bundle.values[0])


def sum_of_sizes(answer: Answer, line: Line, heading: Heading) -> Any:
    """How many came early enough to be in a column."""
    at = [h.key for h in answer.headings].index(heading.key)
    return sum(each.values[1] for each in answer.lines if each.kind == "line" and is_there(each, at))


def is_there(line: Line, at: int) -> bool:
    """Whether a cohort is old enough for a column: an empty one has no rates at all."""
    return line.values[at] is not None


def measure_of(store: Store, answer: Answer, heading: Heading) -> Formula | None:
    """What a column measures; None: it counts records."""
    report, key = answer.report, heading.key.removesuffix(".before")
    spec = report.spec
    if heading.key == "worth" and report.type == "funnel":
        return compile_formula(f"sum({spec.worth.source})", RowsScope(ParamScope.of(store, report)))
    if heading.key == "worth" and report.type == "rfm":
        return report.measures[2].formula
    made: Formula
    if report.type == "target" and heading.key == "target":
        made = spec.value
        return made
    if report.type == "forecast" and heading.key == "adjustment":
        made = spec.adjust.value
        return made
    if report.type == "accuracy":
        return store.tenant.model.reports[spec.of].measures[0].formula
    column = next((c for c in report.columns if c.key == key), None)
    if column is not None:
        source = f"{report.totals[key]}({column.formula.source})"
        return compile_formula(source, RowsScope(ParamScope.of(store, report)))
    found = next((settled(store, report, m, answer.chosen) for m in report.measures if m.key == key), None)
    if found is None and report.type == "forecast" and heading.role == "measure":
        return report.measures[0].formula
    return found.formula if found is not None else None


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-6 * max(1.0, abs(one), abs(other))
    return bool(one == other)
