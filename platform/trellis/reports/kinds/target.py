"""What was reached, beside what was wanted: targets are records of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from trellis.formula import exact
from trellis.formula.types import NUMBER, Value
from trellis.model.text import Text
from trellis.records.reading.gather import Bundle, Question
from trellis.reports import conditions
from trellis.reports.asking import Asking, number, with_total
from trellis.reports.levels import level_lines
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Behind, Drawing, Heading, Line, Series

TARGET, REACHED = Text("Target"), Text("Achievement")
DONE = Text("what was reached")
Found = dict[tuple[Value, ...], tuple[Value, ...]]


@report_kind("target")
class Target:
    """Groups × (reached, target, achievement); whoever has a target and reached nothing is there, too."""

    charts: ClassVar[tuple[str, ...]] = ("bar", "line", "gauge")

    def answer(self, asking: Asking) -> Answer:
        """The answer: what was reached and what was wanted, each under the reader's permissions."""
        report, keys, spec = asking.report, asking.report.groups, asking.report.spec
        sets = with_total(keys)
        reached = _by_keys(asking.gather(sets=sets))
        wanted = asking.store.gather(
            Question(
                spec.entity,
                conditions.where(asking.store, report, spec.filter, asking.chosen, spec.entity),
                spec.keys,
                (spec.value,),
                sets,
                asking.chosen.variables,
            )
        )
        targets = _by_keys(wanted)
        first = asking.measure_heading(asking.measures[0])
        headings = (
            *(asking.key_heading(k) for k in keys),
            *(asking.measure_heading(m) for m in asking.measures),
            Heading("target", TARGET, spec.value.type, can_drill=False),
            Heading("achievement", REACHED, NUMBER, as_percent=True, can_drill=False),
        )
        groups = [
            Bundle(tuple(range(len(path))), path, reached.get(path, asking.nothing()))
            for path in dict.fromkeys((*reached, *targets))
        ]
        lines = list(
            level_lines(
                asking, groups, lambda path: _told(asking, reached, targets, path), lambda path: _others(asking, path)
            )
        )
        total = (*(None for _ in keys), *_told(asking, reached, targets, ()))
        lines.append(Line(total, "total", 0, (), behind=_others(asking, ())))
        tops = [line for line in lines if line.depth == 0 and line.kind != "total"]
        place = len(keys)
        drawing = None
        if tops:
            said = report.chart.type if report.chart is not None else "bar"
            kind = next((k for k in (asking.wishes.chart, said) if k in self.charts), "bar")
            series = (
                Series(first.label, tuple(line.values[place] for line in tops), type=first.type),
                Series(
                    TARGET,
                    tuple(line.values[-2] for line in tops),
                    type=spec.value.type,
                    behind=tuple(line.behind.get("target") for line in tops),
                ),
            )
            categories = tuple(line.values[0] for line in tops)
            drawing = Drawing(str(kind), categories, series, keys[0], measure=first, types=self.charts)
            if kind == "gauge":
                rate = (Series(REACHED, (lines[-1].values[-1],), type=NUMBER),)
                drawing = Drawing("gauge", (REACHED,), rate, measure=headings[-1], types=self.charts, full=100)
        return Answer(
            report,
            asking.chosen,
            headings,
            tuple(lines) if tops else (),
            drawing,
            asking.condition,
            asking.can_drill,
        )


def _others(asking: Asking, path: tuple[Value, ...]) -> Mapping[str, Behind]:
    """The targets of a line; and what was reached, of which the achievement is a part."""
    report, reader = asking.report, asking.reader
    own = tuple(k.condition(v, reader) for k, v in zip(report.groups, path, strict=False))
    found = {"achievement": Behind((*own, *asking.measure_heading(asking.measures[0]).conditions), says=DONE)}
    wanted = conditions.of_matched(asking.store, report, asking.chosen, report.spec, path)
    return found if wanted is None else {**found, "target": wanted}


def _by_keys(bundles: Sequence[Bundle]) -> Found:
    return {tuple(b.keys[: len(b.made_of)]): b.values for b in bundles}


def _told(asking: Asking, reached: Found, targets: Found, keys: tuple[Value, ...]) -> tuple[Value, ...]:
    values = reached.get(keys, asking.nothing())
    target = targets.get(keys, (None,))[0]
    whole: Any = number(target)
    rate = exact.divide(Decimal(number(values[0]) or 0) * 100, Decimal(whole)) if whole else None
    return (*values, target, rate)
