"""What is expected, by forecast category: each alone, and what may be counted on at least."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.sql import values as sqlv
from trellis.formula.types import Money, Value
from trellis.model.reports.keys import Key
from trellis.model.reports.report import Measure
from trellis.model.text import Text
from trellis.records.reading.gather import Bundle
from trellis.reports import conditions
from trellis.reports.asking import Asking, number
from trellis.reports.counted import Counted, condition
from trellis.reports.drawing import draw
from trellis.reports.levels import Path, Places, level_lines, places
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Behind, Heading, Line
from trellis.reports.team import TEAM, adjustments, may_adjust, named, rolled_up, team_of

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope

CATEGORIES = ("closed", "commit", "best_case", "pipeline")
CUMULATIVE = {
    "commit_at_least": (Text("Closed and commit"), ("closed", "commit")),
    "best_at_least": (Text("Closed, commit and best case"), ("closed", "commit", "best_case")),
    "open": (Text("Open pipeline"), ("commit", "best_case", "pipeline")),
}


ADJUSTMENT, ADJUSTED = Text("Adjustment"), Text("With adjustment")
WITHOUT, OF_TEAM = Text("what the adjustment is added to"), Text("With everybody who reports to them")
ADDED = "adjusted"  # what was added to the numbers of a manager and everybody below, as a filter


@report_kind("forecast")
class Forecast:
    """Periods (and groups) × categories; the first measure is split, the others are of all but what is omitted."""

    charts: ClassVar[tuple[str, ...]] = ("bar", "area", "line")

    def answer(self, asking: Asking) -> Answer:
        """The answer."""
        rows, across = asking.report.groups, asking.report.across
        keys, depth = (*rows, *across), len(rows)
        field = across[0].formula.source
        where = (*asking.where, f'not is_blank({field}) and {field} != "omitted"')
        sets = [tuple(range(n)) for n in range(depth, -1, -1)]
        sets += [(*s, depth) for s in sets]
        sets += [(0,), (0, depth)]
        bundles = asking.gather(keys=keys, sets=tuple(dict.fromkeys(sets)), where=where)
        adjusted = adjustments(asking, rows)
        headings = [*(asking.key_heading(k) for k in rows), *self._headings(asking, across[0])]
        if adjusted is not None:
            first = asking.measures[0]
            headings += [
                Heading("adjustment", ADJUSTMENT, first.type, can_drill=False),
                Heading("adjusted", ADJUSTED, first.type, can_drill=False, is_total=True),
            ]
        found = places(bundles, depth)

        def told(down: Path) -> tuple[Value, ...]:
            values = self._values(asking, found, down)
            if adjusted is None:
                return values
            first, change = asking.measures[0], adjusted.get(down)
            together = _added(asking, first, [values[CATEGORIES.index("pipeline") + 1], change])
            return (*values, change, together)

        if adjusted is not None:  # somebody may have an adjustment and no deal
            known = {tuple(b.keys[: len(b.made_of)]) for b in bundles if b.made_of == tuple(range(len(b.made_of)))}
            bundles += [Bundle(tuple(range(len(p))), p, asking.nothing()) for p in adjusted if p and p not in known]

        def others(down: Path, team: UUID | None = None) -> Mapping[str, Behind]:
            return {} if adjusted is None else self._others(asking, headings, down, team)

        if asking.report.spec.roll_up:
            lines = list(rolled_up(asking, bundles, told, others))
        else:
            lines = list(level_lines(asking, bundles, told, others))
        lines.append(Line((*(None for _ in rows), *told(())), "total", 0, (), behind=others(())))
        return Answer(
            asking.report,
            asking.chosen,
            tuple(headings),
            tuple(lines),
            draw(asking, keys, bundles, self.charts, stack=depth),
            asking.condition,
            asking.can_drill,
        )

    def counted(self, asking: Asking, number: str) -> Counted | None:
        """What a manager and everybody below has: `team <id>`; what was added to it: `adjusted <id>`."""
        report, (what, _space, id) = asking.report, number.partition(" ")
        spec = report.spec
        if not spec.roll_up or what not in (TEAM, ADDED) or (what == ADDED and not may_adjust(asking)):
            return None
        try:
            top = UUID(id)
        except ValueError:
            return None
        keys, entity = (report.groups, report.entity) if what == TEAM else (spec.adjust.keys, spec.adjust.entity)

        def predicate(scope: SqlScope) -> sa.ColumnElement[bool]:
            people = sqlv.key(keys[-1].formula.sql(scope))
            return sa.func.coalesce(people.in_(team_of(asking.store, top)), sa.false())

        return Counted(entity, predicate, OF_TEAM, (keys[-1], named(asking.store, top)))

    def _others(
        self, asking: Asking, headings: Sequence[Heading], down: Path, team: UUID | None
    ) -> Mapping[str, Behind]:
        """What managers have added is of records of its own; the sum with it opens what is added to."""
        report, rows = asking.report, asking.report.groups
        path = down[:-1] if team is not None else down
        found = conditions.of_matched(asking.store, report, asking.chosen, report.spec.adjust, path)
        commit = next(h for h in headings if h.key == "commit_at_least")
        own = tuple(k.condition(v, asking.reader) for k, v in zip(rows, path, strict=False))
        if team is not None:
            own = (*own, condition(asking, f"{TEAM} {team}"))
        shown = {"adjusted": Behind((*own, *commit.conditions), says=WITHOUT)}
        if found is None:
            return shown
        if team is not None:
            found = replace(found, conditions=(*found.conditions, condition(asking, f"{ADDED} {team}")))
        return {**shown, "adjustment": found}

    def _headings(self, asking: Asking, category: Key) -> Iterator[Heading]:
        first, *others = asking.measures
        choices: Mapping[str, Any] = category.type.choices or {}
        for key in CATEGORIES:
            label = getattr(choices.get(key), "label", choices.get(key)) or Text(key)
            heading = asking.measure_heading(first, conditions_=(category.condition(key, asking.reader),))
            yield replace(heading, key=key, label=label)
        for key, (label, parts) in CUMULATIVE.items():
            heading = asking.measure_heading(first, conditions_=(_any_of(category, parts),))
            yield replace(heading, key=key, label=label, is_total=True)
        for measure in others:
            yield asking.measure_heading(measure, conditions_=(_any_of(category, CATEGORIES),))

    def _values(self, asking: Asking, found: Places, down: Path) -> tuple[Value, ...]:
        first, empty = asking.measures[0], asking.nothing()
        by_category = {c: bundle.values[0] for c in CATEGORIES if (bundle := found.get((down, (c,)))) is not None}
        single = [by_category.get(key, empty[0]) for key in CATEGORIES]
        cumulative = [_added(asking, first, [by_category.get(p) for p in parts]) for _, parts in CUMULATIVE.values()]
        whole = found.get((down, ()))
        return (*single, *cumulative, *(whole.values if whole is not None else empty)[1:])


def _any_of(category: Key, parts: Sequence[str]) -> str:
    names = ", ".join(f'"{p}"' for p in parts)
    return f"{category.formula.source.strip()} in ({names})"


def _added(asking: Asking, measure: Measure, values: Sequence[Value]) -> Value:
    total = sum((number(v) for v in values if v is not None), 0)
    whole = Decimal(total)
    return Money(whole, asking.reader.currency, whole) if measure.type.kind == "money" else whole
