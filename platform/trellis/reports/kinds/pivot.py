"""Rows × columns, each of one or several groups, with totals both ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from trellis.formula.types import Value
from trellis.model.reports.keys import Key
from trellis.model.reports.report import Measure
from trellis.records.reading.gather import Bundle
from trellis.reports.asking import Asking, sort_key
from trellis.reports.drawing import draw
from trellis.reports.levels import Places, level_lines, places
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Heading, Line

MOST_COLUMNS = 60


@report_kind("pivot")
class Pivot:
    """Cells of a table that adds up in both directions."""

    charts: ClassVar[tuple[str, ...]] = ("bar", "line", "area", "heatmap", "pie", "donut", "treemap", "sankey")

    def answer(self, asking: Asking) -> Answer:
        """The answer: every total of rows and columns in the one statement."""
        rows, across = asking.report.groups, asking.report.across
        keys = (*rows, *across)
        bundles = asking.gather(keys=keys, sets=tuple(dict.fromkeys(self.sets(len(rows), len(across)))))
        return self.arranged(asking, bundles, asking.measures)

    def sets(self, rows: int, across: int) -> Iterator[tuple[int, ...]]:
        """Each prefix of the rows with each prefix of the columns, and the pairs that a chart draws."""
        for down in range(rows, -1, -1):
            for over in range(across, -1, -1):
                yield (*range(down), *range(rows, rows + over))
        if rows:
            yield (0,)

    def arranged(self, asking: Asking, bundles: Sequence[Bundle], measures: Sequence[Measure]) -> Answer:
        """The cells in their places."""
        rows, across = asking.report.groups, asking.report.across
        depth, keys = len(rows), (*rows, *across)
        found = places(bundles, depth)
        tops = self.columns(asking, bundles, depth)
        headings = [asking.key_heading(k) for k in rows]
        for over in tops:
            headings += self._headings(asking, across, over, measures)
        lines = list(level_lines(asking, bundles, lambda down: self._cells(found, down, tops, asking)))
        lines.append(Line((*(None for _ in rows), *self._cells(found, (), tops, asking)), "total", 0, ()))
        cut = len(tops) > MOST_COLUMNS
        return Answer(
            asking.report,
            asking.chosen,
            tuple(headings),
            tuple(lines),
            draw(asking, keys, bundles, self.charts, stack=depth if across and rows else None),
            asking.condition,
            asking.can_drill,
            (("Only the first %(count)s columns are shown.", {"count": MOST_COLUMNS}),) if cut else (),
        )

    def columns(self, asking: Asking, bundles: Sequence[Bundle], depth: int) -> list[tuple[Value, ...]]:
        """The groups of the columns in order, the total last."""
        across = asking.report.across
        if not across:
            return [()]
        level = tuple(range(depth, depth + len(across)))
        found = [b for b in bundles if b.made_of == level]
        if len(across) == 1:
            found = asking.filled(found, depth, (*asking.report.groups, *across))
        found.sort(key=lambda b: tuple(sort_key(b.keys[n], across[n - depth]) for n in level))
        names = [tuple(b.keys[n] for n in level) for b in found]
        return [*names[:MOST_COLUMNS], ()]

    def _headings(
        self, asking: Asking, across: Sequence[Key], over: tuple[Value, ...], measures: Sequence[Measure]
    ) -> list[Heading]:
        from trellis.model.text import Text

        conditions = tuple(k.condition(v, asking.reader) for k, v in zip(across, over, strict=False))
        above: tuple[Any, ...] = tuple(GroupName(k, v) for k, v in zip(across, over, strict=False))
        if across and not over:
            above = (TOTAL, *(Text("") for _ in across[1:]))
        return [
            asking.measure_heading(m, conditions_=conditions, over=above, is_total=bool(across and not over))
            for m in measures
        ]

    def _cells(
        self, places: Places, down: tuple[Value, ...], tops: Sequence[tuple[Value, ...]], asking: Asking
    ) -> list[Value]:
        found: list[Value] = []
        for over in tops:
            bundle = places.get((down, over))
            found += bundle.values if bundle is not None else asking.nothing()
        return found


class GroupName(tuple[Key, Value]):
    """What stands over columns: a group by its key and value."""

    def __new__(cls, key: Key, value: Value) -> GroupName:
        """Made of both."""
        return super().__new__(cls, (key, value))


class _Total:
    """What stands over the totals."""


TOTAL = _Total()
