"""What a forecast said some time before the end of each period, beside what was closed in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar

from trellis.formula import exact
from trellis.formula.env import Env
from trellis.formula.types import NUMBER, Money, Ref, Value
from trellis.model.reports.keys import Key
from trellis.model.reports.report import Report
from trellis.model.text import Text
from trellis.reports.asking import Asking, ask, number, sort_key
from trellis.reports.registry import kind_of, report_kind
from trellis.reports.result import Answer, Behind, Drawing, Heading, Line, Series
from trellis.reports.schedule.keeping import Kept, days_of, titled

COMMIT, BEST, CLOSED = Text("Commit then"), Text("Best case then"), Text("Closed")
CLOSED_ONES = Text("what was closed")
MISSED, ACCURACY = Text("Closed against commit"), Text("Accuracy")
USUAL = 28  # days
NEAR = timedelta(days=16)  # a day that was not kept is stood in for by one before, not much older
PLACES = {"commit": "commit_at_least", "best": "best_at_least", "closed": "closed"}
Path = tuple[Any, ...]
Sums = tuple[Value, Value, Value]  # commit then, best case then, closed


@report_kind("accuracy")
class Accuracy:
    """The groups of a forecast that is kept each night × then and now. 100 % is what was said; twice that is 0 %."""

    charts: ClassVar[tuple[str, ...]] = ("bar", "line", "area")

    def answer(self, asking: Asking) -> Answer:
        """The answer: one statement for what was closed, and the days that are kept."""
        model, store = asking.store.tenant.model, asking.store
        forecast: Report = model.reports[asking.report.spec.of]
        keys = forecast.groups
        now = kind_of(forecast.type).answer(ask(store, forecast, {}))
        columns = [h.key for h in now.headings]
        places = {name: columns.index(key) for name, key in PLACES.items()}
        closed = _by_path(now.lines, len(keys), places["closed"])
        kept, lost = self._kept(asking, forecast, days_of(store, forecast), {path[0] for path in closed})
        then: dict[Path, tuple[Value, Value]] = {}
        for day, lines in kept.items():
            commit = _by_path(lines.lines, len(keys), places["commit"])
            best = _by_path(lines.lines, len(keys), places["best"])
            then |= {path: (commit[path], best[path]) for path in commit if path[0] == day}
        sums = self._sums(asking, kept, closed, then)
        known = now.headings[places["closed"]].conditions
        lines_ = [_opening(line, known) for line in self._lines(asking, keys, sums)]
        measure = forecast.measures[0]
        amount = Heading("closed", CLOSED, measure.type, unit=measure.unit or None, scale=measure.scale)
        headings = (
            *(asking.key_heading(k) for k in keys),
            replace(amount, key="commit", label=COMMIT, can_drill=False),
            replace(amount, key="best", label=BEST, can_drill=False),
            replace(amount, conditions=known),
            replace(amount, key="missed", label=MISSED, can_drill=False),
            Heading("accuracy", ACCURACY, NUMBER, as_percent=True, can_drill=False, is_total=True),
        )
        nothing = "Of %(count)s periods nothing was kept at that time: they are left out."
        alone = "What was expected then is kept as numbers alone: only what was closed opens its records."
        notes: list[tuple[str, Mapping[str, Any]]] = [(nothing, {"count": lost})] if lost else []
        notes += [(alone, {})] if sums else []
        return Answer(
            asking.report,
            asking.chosen,
            headings,
            tuple(lines_),
            self._drawing(asking, keys[0], headings, sums),
            now.conditions,
            now.can_drill,
            tuple(notes),
        )

    def _kept(
        self, asking: Asking, forecast: Report, days: Sequence[Kept], closed: set[Any]
    ) -> tuple[dict[date, Kept], int]:
        """For each period that has begun, how the forecast stood so long before its end; and how many have no such."""
        unit = forecast.groups[0].period
        assert unit is not None
        ahead = asking.report.spec.ahead
        count = USUAL if ahead is None else ahead.evaluate(Env(None, asking.reader, variables=asking.chosen.variables))
        before = timedelta(days=max(0, int(number(count) or 0)))
        today, found, lost = asking.reader.today(), {}, 0
        periods = {line.values[0] for each in days for line in each.lines if line.kind == "line"} | closed
        for period in sorted(p for p in periods if p is not None and p <= today):
            wanted = unit.end(period) - timedelta(days=1) - before
            fitting = [each for each in days if wanted - NEAR <= each.day <= wanted]
            if fitting:
                found[period] = fitting[-1]
            elif wanted <= today:
                lost += 1
        return found, lost

    def _sums(
        self,
        asking: Asking,
        kept: Mapping[date, Kept],
        closed: Mapping[Path, Value],
        then: Mapping[Path, tuple[Value, Value]],
    ) -> dict[Path, Sums]:
        """By the groups from the outermost on, each of them with all that is in it; () is everything."""
        own: dict[Path, list[Any]] = defaultdict(lambda: [0, 0, 0])
        for path in {p for p in (*closed, *then) if p[0] in kept}:
            commit, best = then.get(path, (None, None))
            for size in range(len(path) + 1):
                for n, value in enumerate((commit, best, closed.get(path))):
                    own[path[:size]][n] += number(value) or 0
        wrap = asking.reader.currency
        is_money = any(isinstance(v, Money) for v in (*closed.values(), *(v for pair in then.values() for v in pair)))
        return {p: tuple(Money(v, wrap, v) if is_money else v for v in values) for p, values in own.items()}  # type: ignore[misc]

    def _lines(self, asking: Asking, keys: Sequence[Key], sums: Mapping[Path, Sums]) -> Iterator[Line]:
        below: dict[Path, list[Path]] = defaultdict(list)
        for path in sums:
            if path:
                below[path[:-1]].append(path)

        def lines(above: Path) -> Iterator[Line]:
            at = len(above)
            named = [(path, titled(asking.store, path[-1])) for path in below[above]]
            for path, value in sorted(named, key=lambda pair: sort_key(pair[1], keys[at])):
                shown = (*(titled(asking.store, part) for part in above), value)
                conditions = tuple(k.condition(v, asking.reader) for k, v in zip(keys, path, strict=False))
                kind: Any = "line" if len(path) == len(keys) else "subtotal"
                blank = (None,) * (len(keys) - len(path))
                yield Line((*shown, *blank, *_told(sums[path])), kind, at, conditions)
                yield from lines(path)

        yield from lines(())
        every = [keys[0].condition(path[0], asking.reader) for path in below[()]]
        kept = (" or ".join(f"({text})" for text in every),) if every else None
        yield Line((*(None for _ in keys), *_told(sums.get((), (0, 0, 0)))), "total", 0, kept)

    def _drawing(
        self, asking: Asking, key: Key, headings: Sequence[Heading], sums: Mapping[Path, Sums]
    ) -> Drawing | None:
        days = sorted(path[0] for path in sums if len(path) == 1)
        if not days:
            return None
        chart = asking.report.chart
        wanted = next((t for t in (asking.wishes.chart, chart.type if chart else None) if t in self.charts), "bar")
        shown = [h for h in headings if h.key in ("commit", "closed")]
        series = tuple(
            Series(h.label, tuple(sums[(day,)][n] for day in days), type=h.type)
            for h, n in zip(shown, (0, 2), strict=True)
        )
        return Drawing(str(wanted), tuple(days), series, key, measure=shown[1], types=self.charts)


def _opening(line: Line, closed: tuple[str, ...]) -> Line:
    """The line, with what was closed behind the numbers that are made of it."""
    if line.conditions is None:
        return line
    behind = Behind((*line.conditions, *closed), says=CLOSED_ONES)
    return replace(line, behind={"missed": behind, "accuracy": behind})


def _by_path(lines: Sequence[Line], width: int, place: int) -> dict[Path, Value]:
    """A column of the innermost lines by their groups; records without the names that they had then."""
    found: dict[Path, Value] = {}
    for line in lines:
        if line.kind == "line":
            path = tuple(Ref(v.entity, v.id) if isinstance(v, Ref) else v for v in line.values[:width])
            found[path] = line.values[place]
    return found


def _told(sums: Sums) -> tuple[Value, ...]:
    commit, best, closed = sums
    missed = number(closed) - number(commit)
    value: Value = missed if not isinstance(closed, Money) else Money(missed, closed.currency, missed)
    return commit, best, closed, value, accuracy_of(number(commit), number(closed))


def accuracy_of(expected: Any, closed: Any) -> Value:
    """In percent of what was closed; of nothing, there is none."""
    if not closed:
        return None
    missed = abs(exact.decimal(closed) - exact.decimal(expected))
    share = exact.divide(missed * 100, exact.decimal(closed))
    return None if share is None else max(exact.decimal(0), 100 - share)
