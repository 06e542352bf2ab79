"""A pipeline as a funnel: where records stand now, or how far they have come by their stage history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

import sqlalchemy as sa

from trellis.formula import exact
from trellis.formula.types import DURATION, MONEY, NUMBER, TEXT, Money, Value
from trellis.model.pipeline import Pipeline
from trellis.model.reports.keys import Key
from trellis.model.text import Text
from trellis.records.reading.concealed import conceals
from trellis.records.reading.reached import Condition, Journey, Reached, came_to, is_lost
from trellis.reports.asking import Asking
from trellis.reports.counted import Counted, condition
from trellis.reports.registry import report_kind
from trellis.reports.result import Answer, Behind, Drawing, Flow, Heading, Line, Series

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope

STAGE = Text("Stage")
HERE = Text("In this stage")
REACHED = Text("Came this far")
STEP = Text("From the stage before")
OVERALL = Text("Of all")
LOST = Text("Lost here")
OPEN = Text("Still here")
TIME = Text("Mean time in stage")
WORTH = Text("Worth")
GONE = Text("Left again")
CAME = Text("the records that came this far")
LEFT = Text("the records that have left the stage")
COUNTED = {"reached": REACHED, "lost": LOST, "open": OPEN, "left": GONE}


@report_kind("funnel")
class Funnel:
    """Stages in their order, open ones and the won one."""

    charts: ClassVar[tuple[str, ...]] = ("funnel", "bar", "sankey")

    def answer(self, asking: Asking) -> Answer:
        """The answer by the report's mode."""
        pipeline = asking.store.tenant.model.pipelines[asking.report.spec.pipeline]
        order = [key for key, stage in pipeline.stages.items() if stage.type in ("open", "won", "done")]
        if asking.report.spec.mode == "cohort":
            return self._cohort(asking, pipeline, order)
        return self._snapshot(asking, pipeline, order)

    def _snapshot(self, asking: Asking, pipeline: Pipeline, order: Sequence[str]) -> Answer:
        key = asking.report.groups[0]
        bundles = asking.gather(keys=(key,), sets=((0,),), where=(*asking.where, _of(asking, pipeline)))
        found = {b.keys[0]: b.values for b in bundles}
        counted = [found.get(stage, asking.nothing()) for stage in order]
        headings = [_stage_heading(key), *(asking.measure_heading(m) for m in asking.measures)]
        lines = [
            Line((stage, *values), conditions=(_of(asking, pipeline), key.condition(stage, asking.reader)))
            for stage, values in zip(order, counted, strict=True)
        ]
        first = asking.measures[0]
        series = Series(first.label, tuple(v[0] for v in counted), type=first.type)
        return self._made(asking, headings, lines, key, order, series, asking.measure_heading(first), ())

    def _cohort(self, asking: Asking, pipeline: Pipeline, order: Sequence[str]) -> Answer:
        key, worth = asking.report.groups[0], asking.report.spec.worth
        if worth is not None and conceals(asking.store.session, asking.report.entity, worth):
            worth = None
        journey = Journey(pipeline, (*asking.where, _of(asking, pipeline)), worth, asking.chosen.variables)
        stages = asking.store.reached(journey, order)
        counts = _cumulated([stages[s].count for s in order])
        worths = _cumulated([stages[s].worth for s in order])
        is_money = worth is not None and worth.type.kind == "money"
        of_all = _of(asking, pipeline)
        headings = [
            _stage_heading(key),
            Heading("reached", REACHED, NUMBER, can_drill=False),
            *([Heading("worth", WORTH, MONEY if is_money else NUMBER, can_drill=False)] if worth is not None else []),
            Heading("step", STEP, NUMBER, as_percent=True, can_drill=False),
            Heading("overall", OVERALL, NUMBER, as_percent=True, can_drill=False),
            Heading("lost", LOST, NUMBER, can_drill=False),
            Heading("open", OPEN, NUMBER, can_drill=False),
            Heading("time", TIME, DURATION, can_drill=False),
        ]
        lines = []
        for at, stage in enumerate(order):
            one = stages[stage]
            amount: Value = worths[at]
            if is_money:
                amount = Money(Decimal(worths[at]), asking.reader.currency, Decimal(worths[at]))
            is_end = pipeline.stages[stage].type != "open"
            lines.append(
                Line(
                    (
                        stage,
                        counts[at],
                        *([amount] if worth is not None else []),
                        _percent(counts[at], counts[at - 1]) if at else None,
                        _percent(counts[at], counts[0]),
                        None if is_end else one.lost,
                        None if is_end else one.count - one.lost,
                        _mean(one),
                    ),
                    behind=_behind(asking, of_all, stage, has_worth=worth is not None, is_first=not at),
                )
            )
        behind = tuple(line.behind["reached"] for line in lines)
        series = Series(REACHED, tuple(counts), type=NUMBER, behind=behind)
        flows = _flows(order, counts, stages)
        return self._made(asking, headings, lines, key, order, series, headings[1], flows)

    def counted(self, asking: Asking, number: str) -> Counted | None:
        """Records by how far they have come: `reached proposal`, `lost proposal`, `open …`, `left …`."""
        report, (what, _space, stage) = asking.report, number.partition(" ")
        pipeline = asking.store.tenant.model.pipelines[report.spec.pipeline]
        order = [key for key, each in pipeline.stages.items() if each.type in ("open", "won", "done")]
        if report.spec.mode != "cohort" or what not in COUNTED or stage not in order:
            return None
        further = order[order.index(stage) + 1 :]

        def predicate(scope: SqlScope) -> Condition:
            if what == "left":
                return came_to(scope, pipeline, [stage], has_left=True)
            if what == "reached":
                return came_to(scope, pipeline, [stage, *further])
            here = sa.and_(came_to(scope, pipeline, [stage]), sa.not_(came_to(scope, pipeline, further)))
            lost = is_lost(scope, pipeline)
            return sa.and_(here, lost if what == "lost" else sa.not_(lost))

        return Counted(report.entity, predicate, COUNTED[what], (report.groups[0], stage))

    def _made(
        self,
        asking: Asking,
        headings: Sequence[Heading],
        lines: Sequence[Line],
        key: Key,
        order: Sequence[str],
        series: Series,
        heading: Heading,
        flows: tuple[Flow, ...],
    ) -> Answer:
        types = self.charts if flows else self.charts[:-1]
        said = asking.report.chart.type if asking.report.chart is not None else "funnel"
        wanted = next((t for t in (asking.wishes.chart, said) if t in types), "funnel")
        has_any = any(v for v in series.values if v is not None and v != 0)
        drawing = Drawing(str(wanted), tuple(order), (series,), key, measure=heading, types=types, flows=flows)
        return Answer(
            asking.report,
            asking.chosen,
            tuple(headings),
            tuple(lines) if has_any else (),
            drawing if has_any else None,
            asking.condition,
            asking.can_drill,
        )


def _behind(asking: Asking, of_all: str, stage: str, *, has_worth: bool, is_first: bool) -> Mapping[str, Behind]:
    """The records behind each number of a stage."""

    def those(what: str, says: Text | None = None) -> Behind:
        return Behind((condition(asking, f"{what} {stage}"), of_all), says=says)

    found = {"reached": those("reached"), "overall": those("reached", CAME), "time": those("left", LEFT)}
    found |= {"lost": those("lost"), "open": those("open")}
    if has_worth:
        found["worth"] = those("reached")
    return found if is_first else {**found, "step": those("reached", CAME)}


def _flows(order: Sequence[str], counts: Sequence[int | Decimal], stages: Mapping[str, Reached]) -> tuple[Flow, ...]:
    """From each stage to the next one, out of it as lost, or nowhere yet."""
    found = []
    for at, stage in enumerate(order[:-1]):
        one = stages[stage]
        found += [Flow(stage, order[at + 1], counts[at + 1]), Flow(stage, LOST, one.lost)]
        found.append(Flow(stage, OPEN, one.count - one.lost))
    return tuple(f for f in found if f.value)


def _of(asking: Asking, pipeline: Pipeline) -> str:
    own = f"{pipeline.field}_pipeline"  # the first pipeline field of an entity has no name of its own before it
    known = asking.store.tenant.model.entities[pipeline.entity].fields
    return f'{own if own in known else "pipeline"} == "{pipeline.key}"'


def _stage_heading(key: Key) -> Heading:
    return Heading(key.key, STAGE, TEXT, "group", group=key)


def _cumulated(counts: Sequence[int | Decimal]) -> list[int | Decimal]:
    """Whoever came further came this far, too."""
    found: list[int | Decimal] = []
    total: int | Decimal = 0
    for count in reversed(counts):
        total += count
        found.append(total)
    return found[::-1]


def _percent(part: int | Decimal, whole: int | Decimal) -> Value:
    return exact.divide(Decimal(part) * 100, Decimal(whole)) if whole else None


def _mean(stage: Reached) -> Value:
    return stage.stayed / stage.stays if stage.stays else None
