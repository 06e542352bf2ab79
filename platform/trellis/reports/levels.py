"""Groups within groups: the lines of a report's rows, each followed by what it is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from trellis.formula.types import Value
from trellis.records.reading.gather import Bundle
from trellis.reports.asking import Asking
from trellis.reports.result import Behind, Kind, Line

Path = tuple[Value, ...]
Places = dict[tuple[Path, Path], Bundle]


def places(bundles: Sequence[Bundle], depth: int) -> Places:
    """Bundles by their groups in the rows, of which there are `depth`, and by those across."""
    return {
        (
            tuple(b.keys[n] for n in b.made_of if n < depth),
            tuple(b.keys[n] for n in b.made_of if n >= depth),
        ): b
        for b in bundles
    }


class _Rest:
    """Stands in a path for everything that a limit put together."""


REST = _Rest()


def by_parent(bundles: Sequence[Bundle], depth: int) -> Mapping[Path, list[Bundle]]:
    """The bundles of the rows, of which there are `depth` levels, by the groups that they are in."""
    below: dict[Path, list[Bundle]] = defaultdict(list)
    for bundle in bundles:
        size = len(bundle.made_of)
        if 0 < size <= depth and bundle.made_of == tuple(range(size)):
            above = bundle.keys[: size - 1]
            below[(REST, *above[1:]) if bundle.is_rest and above else above].append(bundle)
    return below


def no_others(path: Path) -> Mapping[str, Behind]:
    """Every number of a line is of the line's own records."""
    return {}


def level_lines(
    asking: Asking,
    bundles: Sequence[Bundle],
    told: Callable[[Path], Sequence[Value]],
    others: Callable[[Path], Mapping[str, Behind]] = no_others,
) -> Iterator[Line]:
    """A line for each group of the rows; `told` gives what stands in it, by the groups from the outermost on.

    `others`: the numbers in it that are of other records.
    """
    keys = asking.report.groups
    below = by_parent(bundles, len(keys))

    def lines(above: Path) -> Iterator[Line]:
        at = len(above)
        if at == len(keys):
            return
        found = below[above]
        kind: Kind = "line" if at == len(keys) - 1 else "subtotal"
        blank = (None,) * (len(keys) - at - 1)
        for bundle in asking.ordered(found if at else asking.filled(found, at, keys), at, keys):
            path = (*above, bundle.keys[at])
            conditions = tuple(k.condition(v, asking.reader) for k, v in zip(keys, path, strict=False))
            yield Line((*path, *blank, *told(path)), kind, at, conditions, behind=others(path))
            yield from lines(path)

    return lines(())
