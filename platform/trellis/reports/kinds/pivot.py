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
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Heading, Kind, Line

MOST_COLUMNS = 60
Places = dict[tuple[tuple[Value, ...], tuple[Value, ...]], Bundle]


@report_kind("pivot")
class Pivot:
    """Cells of a table that adds up in both directions."""

    charts: ClassVar[tuple[str, ...]] = ("bar", "line", "area", "heatmap", "pie", "donut")

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
        places: Places = {}
        for bundle in bundles:
            down = tuple(bundle.keys[n] for n in bundle.made_of if n < depth)
            over = tuple(bundle.keys[n] for n in bundle.made_of if n >= depth)
            places[down, over] = bundle
        tops = self.columns(asking, bundles, depth)
        headings = [asking.key_heading(k) for k in rows]
        for over in tops:
            headings += self._headings(asking, across, over, measures)
        lines = list(self._lines(asking, places, bundles, (), tops, len(measures)))
        lines.append(Line((*(None for _ in rows), *self._cells(places, (), tops, asking)), "total", 0, ()))
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

    def _lines(
        self,
        asking: Asking,
        places: Places,
        bundles: Sequence[Bundle],
        above: tuple[Value, ...],
        tops: Sequence[tuple[Value, ...]],
        width: int,
    ) -> Iterator[Line]:
        rows, at = asking.report.groups, len(above)
        if at >= len(rows):
            return
        level = tuple(range(at + 1))
        found = [b for b in bundles if b.made_of == level and b.keys[:at] == above]
        for bundle in asking.ordered(asking.filled(found, at, rows) if not at else found, at, rows):
            down = (*above, bundle.keys[at])
            blank = (None,) * (len(rows) - at - 1)
            conditions = tuple(k.condition(v, asking.reader) for k, v in zip(rows, down, strict=False))
            kind: Kind = "line" if at == len(rows) - 1 else "subtotal"
            yield Line((*down, *blank, *self._cells(places, down, tops, asking)), kind, at, conditions)
            yield from self._lines(asking, places, bundles, down, tops, width)


class GroupName(tuple[Key, Value]):
    """What stands over columns: a group by its key and value."""

    def __new__(cls, key: Key, value: Value) -> GroupName:
        """Made of both."""
        return super().__new__(cls, (key, value))


class _Total:
    """What stands over the totals."""


TOTAL = _Total()
