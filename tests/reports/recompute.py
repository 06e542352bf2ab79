"""Every number of a report once more, in plain Python over the records in hand: no SQL of the report's is used."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import sqlalchemy as sa

from trellis.automation.workflows.codec import thaw
from trellis.formula.env import Env
from trellis.formula.formula import Formula, compile_formula, compile_tree
from trellis.formula.nodes.gathered import GATHERED, Gathered
from trellis.formula.parser import parse
from trellis.formula.pruning import prune
from trellis.formula.types import BOOLEAN, Money, Ref
from trellis.model.reports.keys import BandKey, Key, LevelKey
from trellis.model.reports.report import Condition, Measure, Report
from trellis.model.reports.union import COMMON
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.reading.gather import measures_in
from trellis.records.store import Store
from trellis.reports.conditions import ParamScope, settled
from trellis.reports.kinds.forecast import CATEGORIES, CUMULATIVE
from trellis.reports.params import Chosen
from trellis.reports.result import Answer, Line
from trellis.reports.segments import EIGHT, ELEVEN
from trellis.reports.unions import CommonScope

Records = Sequence[LiveRecord]


class Recomputed:
    """A report's records in hand, with their values by Python."""

    def __init__(self, store: Store, graph: StoreGraph, answer: Answer) -> None:
        self.store, self.graph, self.answer = store, graph, answer
        self.report: Report = answer.report
        self.chosen: Chosen = answer.chosen
        self.reader = store.principal.reader
        self._values: dict[tuple[int, Any], Any] = {}
        if self.report.union:
            self.measures = list(self.report.measures)
            self.records = self.united()
        else:
            self.measures = [settled(store, self.report, m, self.chosen) for m in self.report.measures]
            self.records = self.kept(self.report.entity, self.report.filter)

    def united(self) -> list[Any]:
        """The records of every entity of a union, each as its values under the common names."""
        found: list[Any] = []
        for branch in self.report.union:
            scope = ParamScope.of(self.store, self.report, branch.entity)
            names = {name: compile_formula(source, scope) for name, source in branch.names.items()}
            for record in self.kept(branch.entity, branch.only):
                values = {name: formula.evaluate(self.env(record)) for name, formula in names.items()}
                found.append(Common(record, values))
        condition = self.report.filter
        tree = prune(parse(condition.source), self.chosen.unset(self.report)) if condition is not None else None
        if tree is None or condition is None:
            return found
        formula = compile_tree(tree, condition.source, CommonParams(self.report), expected=BOOLEAN)
        return [r for r in found if formula.evaluate(self.env(r))]

    def kept(self, entity: str, condition: Condition | None) -> list[LiveRecord]:
        """All records of an entity that fit a filter."""
        ids = [r.id for r in self.all(entity)]
        records = [r for r in self.graph.load(entity, ids) if r.row is not None and r.row["deleted_at"] is None]
        if condition is None:
            return records
        tree = prune(parse(condition.source), self.chosen.unset(self.report))
        if tree is None:
            return records
        scope = ParamScope.of(self.store, self.report, entity)
        formula = compile_tree(tree, condition.source, scope, expected=BOOLEAN)
        return [r for r in records if formula.evaluate(self.env(r))]

    def all(self, entity: str) -> Iterator[Any]:
        """Every record of an entity, page by page."""
        cursor = None
        while True:
            page = self.store.list(entity, columns=(), limit=1000, cursor=cursor)
            yield from page.rows
            if (cursor := page.next) is None:
                return

    def env(self, record: LiveRecord) -> Env:
        """What a formula about a record is evaluated with."""
        env = record.env()
        env.variables = self.chosen.variables
        return env

    def of(self, key: Key, record: LiveRecord) -> Any:
        """The group that a record is in."""
        place = (id(key), record.id)
        if place not in self._values:
            self._values[place] = self._of(key, record)
        return self._values[place]

    def _of(self, key: Key, record: LiveRecord) -> Any:
        assert not isinstance(key, LevelKey)
        value = key.formula.evaluate(self.env(record))
        if value is None:
            return False if key.type.kind == "boolean" else None
        if key.period is not None:
            return key.period.start(self.day(value))
        if isinstance(key, BandKey):
            amount = value.base if isinstance(value, Money) else value
            return bisect_right(key.bounds, amount)
        return value.id if isinstance(value, Ref) else value

    def day(self, value: Any) -> date:
        """The reader's day."""
        return value.astimezone(self.reader.time_zone).date() if isinstance(value, datetime) else value

    def measure(self, measure: Measure | Formula, records: Records) -> Any:
        """A measure of some records."""
        formula = measure if isinstance(measure, Formula) else measure.formula
        found = {id(node): self.aggregate(node, records) for node in measures_in(formula)}
        env = Env(None, self.reader, variables={**self.chosen.variables, GATHERED: found})
        return formula.evaluate(env)

    def aggregate(self, node: Gathered, records: Records) -> Any:
        """One aggregate of some records."""
        envs = [self.env(r) for r in records]
        if node.condition is not None:
            envs = [e for e in envs if node.condition.evaluated(e)]
        if node.of is None:
            return Decimal(len(envs))
        values = [v for e in envs if (v := node.of.evaluated(e)) is not None]
        if node.measure == "count":
            return Decimal(len(values))
        if node.measure == "count_distinct":
            return Decimal(len({v.id if isinstance(v, Ref) else v for v in values}))
        if node.of.type.kind == "money":
            amounts = [v.base for v in values if v.base is not None]
            total = STATISTICS[node.measure](amounts)
            return None if total is None else Money(Decimal(total), self.reader.currency, Decimal(total))
        return STATISTICS[node.measure](values)


class CommonParams(CommonScope):
    """The common names of a union, and its params."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.names)
        self._params = {f"param.{key}": p.field.type.formula_type() for key, p in report.params.items()}

    def name(self, name: str) -> Any:
        """The type of a param."""
        return self._params.get(name)


class Common:
    """A record of a union: what it has under the common names."""

    entity = COMMON

    def __init__(self, record: LiveRecord, values: dict[str, Any]) -> None:
        self.id, self._record, self._values = record.id, record, values

    def get(self, name: str) -> Any:
        """What stands for a common name."""
        return self._values[name]

    def env(self) -> Env:
        """What a formula over the common names is evaluated with."""
        env = self._record.env()
        env.record = self
        return env


def _sum(values: Sequence[Any]) -> Any:
    return sum(values, timedelta()) if values and isinstance(values[0], timedelta) else sum(values, Decimal(0))


STATISTICS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "sum": _sum,
    "avg": lambda v: _sum(v) / len(v) if v else None,
    "min": lambda v: min(v, default=None),
    "max": lambda v: max(v, default=None),
    "median": lambda v: median(v) if v else None,
}


def plain(value: Any) -> Any:
    """A value to compare: amounts as numbers, records by their ids."""
    if isinstance(value, Money):
        value = value.base if value.base is not None else value.amount
    if isinstance(value, timedelta):
        return round(value.total_seconds(), 1)
    if isinstance(value, Ref):
        return value.id
    return float(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else value


def differences(store: Store, graph: StoreGraph, answer: Answer) -> list[str]:
    """Where the report and Python do not agree."""
    again = Recomputed(store, graph, answer)
    return [
        f"{answer.report.key}: {place}: report {found!r}, Python {expected!r}"
        for place, found, expected in CHECKS[answer.report.type](again)
        if not _same(found, expected)
    ]


def _same(one: Any, other: Any) -> bool:
    one, other = plain(one), plain(other)
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-6 * max(1.0, abs(one), abs(other))
    if one in (None, 0.0) and other in (None, 0.0):  # of nothing
        return True
    return bool(one == other)


Triples = Iterator[tuple[str, Any, Any]]


def _within(again: Recomputed, keys: Sequence[Key], values: Sequence[Any], records: Records) -> list[LiveRecord]:
    wanted = [plain(v) if isinstance(v, Ref) else v for v in values]
    return [r for r in records if all(again.of(k, r) == v for k, v in zip(keys, wanted, strict=False))]


def _lines(again: Recomputed) -> Iterator[tuple[Line, tuple[Any, ...], list[LiveRecord]]]:
    """The lines with what they are about, and the records that belong to them."""
    keys = again.report.groups
    shown = [line.values[0] for line in again.answer.lines if line.kind == "line" and line.depth == 0]
    for line in again.answer.lines:
        if line.kind == "total":
            yield line, (), list(again.records)
        elif line.kind == "rest":
            known = [plain(v) if isinstance(v, Ref) else v for v in shown]
            yield line, (None,), [r for r in again.records if again.of(keys[0], r) not in known]
        else:
            names = line.values[: line.depth + 1]
            yield line, names, _within(again, keys, names, again.records)


def _summary(again: Recomputed) -> Triples:
    keys, width = again.report.groups, len(again.report.groups)
    groups = {tuple(again.of(k, r) for k in keys) for r in again.records}
    leaves = [line for line in again.answer.lines if line.kind in ("line", "rest")]
    if again.report.limit is None and not any(k.period for k in keys) and keys:
        yield "number of groups", len(leaves), len(groups)
    running: dict[Any, Any] = {}
    for line, names, records in _lines(again):
        for n, measure in enumerate(again.measures):
            expected = again.measure(measure, records)
            found = line.values[width + n]
            if measure.over == "share":
                above = _within(again, keys, names[:-1], again.records)
                whole = plain(again.measure(measure, above))
                expected = plain(expected) / whole * 100 if whole and expected is not None else None
            elif measure.over == "running" and names:
                place = (names[:-1], n)
                running[place] = expected = running.get(place, 0.0) + (plain(expected) or 0.0)
            elif measure.over in ("change", "rank"):
                continue
            yield f"{line.kind} {names} {measure.key}", found, expected


def _pivot(again: Recomputed) -> Triples:
    report, width = again.report, len(again.report.groups)
    cells = 0.0
    for line, names, records in _lines(again):
        for heading, value in zip(again.answer.headings[width:], line.values[width:], strict=True):
            over = [name[1] for name in heading.over if isinstance(name, tuple)]
            inside = _within(again, report.across, over, records) if over else records
            measure = next(m for m in again.measures if m.key == heading.key)
            yield f"{names} × {over} {heading.key}", value, again.measure(measure, inside)
            cells += 1
    assert cells or not again.records


def _trend(again: Recomputed) -> Triples:
    key = again.report.groups[0]
    unit, compare = key.period, again.report.compare
    assert unit is not None
    days = [line.values[0] for line in again.answer.lines if line.kind == "line"]
    for line in again.answer.lines:
        if line.kind == "total":
            records = [r for r in again.records if again.of(key, r) in days]
        else:
            records = _within(again, (key,), line.values[:1], again.records)
        for heading, value in zip(again.answer.headings[1:], line.values[1:], strict=True):
            name, _, what = heading.key.partition(".")
            measure = next(m for m in again.measures if m.key == name)
            if what == "change" or (what and line.kind == "total"):
                continue
            if what == "before":
                day = line.values[0]
                if compare == "previous_period":
                    past = unit.shift(day, -1)
                else:
                    past = day - timedelta(days=364) if unit.days else unit.shift(day, -(12 // unit.months))
                yield f"{day} before", value, again.measure(measure, _within(again, (key,), (past,), again.records))
            else:
                yield f"{line.values[0]} {name}", value, again.measure(measure, records)


def _forecast(again: Recomputed) -> Triples:
    category, width = again.report.across[0], len(again.report.groups)
    first, *others = again.measures
    parts = {**{c: (c,) for c in CATEGORIES}, **{key: names for key, (_, names) in CUMULATIVE.items()}}
    found = _people_lines(again) if again.report.spec.roll_up else _lines(again)
    for line, names, records in found:
        by_key = dict(zip([h.key for h in again.answer.headings[width:]], line.values[width:], strict=True))
        if "adjustment" in by_key:
            change = _adjusted(again, line)
            yield f"{names} adjustment", by_key["adjustment"], change
            certain = [r for r in records if again.of(category, r) in ("closed", "commit")]
            both = (plain(again.measure(first, certain)) or 0.0) + (plain(change) or 0.0)
            yield f"{names} adjusted", by_key["adjusted"], both
        for key, wanted in parts.items():
            inside = [r for r in records if again.of(category, r) in wanted]
            yield f"{names} {key}", by_key[key], again.measure(first, inside)
        counted = [r for r in records if again.of(category, r) in CATEGORIES]
        for measure in others:
            yield f"{names} {measure.key}", by_key[measure.key], again.measure(measure, counted)


def _team(again: Recomputed, line: Line) -> set[Any] | None:
    """Whose numbers a line of people holds; None for everybody's."""
    keys, at = again.report.groups, len(again.report.groups) - 1
    if line.kind == "total" or line.column < at:
        return None
    person = line.values[len(keys) - 1]
    if line.kind == "line":
        return {plain(person)}
    above = {r.id: r.get("manager").id for r in again.kept("user", None) if r.get("manager") is not None}
    found = {person.id}
    while more := {one for one, over in above.items() if over in found} - found:
        found |= more
    return found


def _people_lines(again: Recomputed) -> Iterator[tuple[Line, tuple[Any, ...], list[LiveRecord]]]:
    """The lines of a forecast that is rolled up over managers."""
    keys = again.report.groups
    for line in again.answer.lines:
        names = () if line.kind == "total" else line.values[: min(line.column + 1, len(keys) - 1)]
        records, team = _within(again, keys, names, again.records), _team(again, line)
        if team is not None:
            records = [r for r in records if again.of(keys[-1], r) in team]
        yield line, (*names, line.values[len(keys) - 1]), records


def _adjusted(again: Recomputed, line: Line) -> Any:
    spec, keys = again.report.spec.adjust, again.report.groups
    names = () if line.kind == "total" else line.values[: min(line.column + 1, len(keys) - 1)]
    records, team = _within(again, spec.keys, names, again.kept(spec.entity, spec.filter)), _team(again, line)
    if team is not None:
        records = [r for r in records if again.of(spec.keys[-1], r) in team]
    return again.measure(spec.value, records)


def _accuracy(again: Recomputed) -> Triples:
    """What was closed anew from the records; what was said from the rows that are kept, read as they are."""
    store, model = again.store, again.store.tenant.model
    forecast = model.reports[again.report.spec.of]
    first, width, unit = forecast.measures[0], len(forecast.groups), forecast.groups[0].period
    records = again.kept(forecast.entity, forecast.filter)
    table = store.tenant.tables.platform.report_snapshot
    with store.transaction() as connection:
        days = {r.day: r.answer["lines"] for r in connection.execute(sa.select(table)) if r.report == forecast.key}
    ahead = timedelta(days=7 * int(again.chosen.values["weeks"]))
    assert unit is not None

    def said(path: Sequence[Any], column: int) -> float:
        wanted = unit.end(path[0]) - timedelta(days=1) - ahead
        day = max(d for d in days if d <= wanted)
        told = [thaw(values) for kind, _depth, values, *_at in days[day] if kind == "line"]
        fits = [v for v in told if [plain(one) for one in v[: len(path)]] == [plain(one) for one in path]]
        return sum(plain(v[column]) or 0.0 for v in fits)

    periods = {line.values[0] for line in again.answer.lines if line.values[0] is not None}
    assert periods or not days
    won = [r for r in records if r.get("forecast_category") == "closed"]
    for line in again.answer.lines:
        if line.kind == "total":
            path: list[Any] = []
            closed = [r for r in won if again.of(forecast.groups[0], r) in periods]
            commit = sum(said([p], width + 4) for p in periods)
        else:
            path = list(line.values[: line.depth + 1 if line.kind == "subtotal" else width])
            closed, commit = _within(again, forecast.groups, path, won), said(path, width + 4)
        expected = plain(again.measure(first, closed)) or 0.0
        yield f"{path} commit", line.values[width], commit
        yield f"{path} closed", line.values[width + 2], expected
        yield f"{path} missed", line.values[width + 3], expected - commit
        accuracy = max(0.0, 100 - abs(expected - commit) / expected * 100) if expected else None
        yield f"{path} accuracy", line.values[width + 4], accuracy


def _table(again: Recomputed) -> Triples:
    lines = [line for line in again.answer.lines if line.kind != "total"]
    yield "records", len(lines), len(again.records)
    by_id = {r.id: r for r in again.records}
    for line in lines:
        record = by_id[line.record.id]
        for column, value in zip(again.report.columns, line.values[1:], strict=True):
            yield f"{record.id} {column.key}", value, column.formula.evaluate(again.env(record))
    total = again.answer.total
    for n, column in enumerate(again.report.columns, 1):
        if total is not None and again.report.totals.get(column.key) == "sum":
            values = [v for r in again.records if (v := column.formula.evaluate(again.env(r))) is not None]
            yield f"total {column.key}", total.values[n], sum(plain(v) for v in values)


def _funnel(again: Recomputed) -> Triples:
    spec = again.report.spec
    pipeline = again.store.tenant.model.pipelines[spec.pipeline]
    prefix = "" if pipeline.field == "stage" else f"{pipeline.field}_"
    records = [r for r in again.records if r.get(f"{prefix}pipeline") == pipeline.key]
    order = [key for key, stage in pipeline.stages.items() if stage.type in ("open", "won", "done")]
    if spec.mode != "cohort":
        for line in again.answer.lines:
            here = [r for r in records if r.get(pipeline.field) == line.values[0]]
            for n, measure in enumerate(again.measures, 1):
                yield f"{line.values[0]} {measure.key}", line.values[n], again.measure(measure, here)
        return
    history = again.store.tenant.tables.platform.stage_history
    with again.store.transaction() as connection:
        rows = connection.execute(sa.select(history)).mappings().all()
    ids = {r.id for r in records}
    furthest: dict[Any, int] = {}
    stays: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        mine = row["entity"] == pipeline.entity and row["field"] == pipeline.field and row["pipeline"] == pipeline.key
        if mine and row["record"] in ids and row["stage"] in order:
            furthest[row["record"]] = max(furthest.get(row["record"], 0), order.index(row["stage"]))
            if row["left_at"] is not None:
                stays[row["stage"]].append((row["left_at"] - row["entered_at"]).total_seconds())
    names = [h.key for h in again.answer.headings]
    for line in again.answer.lines:
        stage, cells = line.values[0], dict(zip(names, line.values, strict=True))
        at = order.index(stage)
        reached = [r for r in records if furthest.get(r.id, -1) >= at]
        yield f"{stage} reached", cells["reached"], len(reached)
        if spec.worth is not None:
            worth = [v for r in reached if (v := spec.worth.evaluate(again.env(r))) is not None]
            yield f"{stage} worth", cells["worth"], sum(plain(v) for v in worth)
        mean = sum(stays[stage]) / len(stays[stage]) if stays[stage] else None
        yield f"{stage} time", cells["time"], None if mean is None else timedelta(seconds=mean)


def _cohort(again: Recomputed) -> Triples:
    spec, key = again.report.spec, again.report.groups[0]
    unit = key.period
    assert unit is not None
    sizes: dict[Any, int] = defaultdict(int)
    for record in again.records:
        sizes[again.of(key, record)] += 1
    seen: dict[Any, set[Any]] = defaultdict(set)
    for record in again.kept(spec.entity, spec.filter):
        came, at = again.of(spec.came, record), again.of(spec.period, record)
        if came is not None and at is not None:
            months = (at.year - came.year) * 12 + at.month - came.month
            node = next(iter(measures_in(spec.count)))
            assert node.of is not None
            who = node.of.evaluated(again.env(record))
            seen[came, (at - came).days // unit.days if unit.days else months // unit.months].add(who.id)
    for line in again.answer.lines:
        if line.kind == "total":
            continue
        came, size, *rates = line.values
        yield f"{came} size", size, sizes[came]
        for n, rate in enumerate(rates):
            if rate is not None:
                yield f"{came} {n}", rate, len(seen[came, n]) / sizes[came] * 100


def _rfm(again: Recomputed) -> Triples:
    report, key = again.report, again.report.groups[0]
    by: dict[Any, list[LiveRecord]] = defaultdict(list)
    for record in again.records:
        if (who := again.of(key, record)) is not None:
            by[who].append(record)
    today, numbers = again.reader.today(), []
    for records in by.values():
        last, times, worth = (again.measure(m, records) for m in again.measures)
        if last is not None:
            numbers.append(((today - again.day(last)).days, int(times), plain(worth) or 0.0))
    if report.spec.scale == "thresholds":
        segments = EIGHT
        given = [report.spec.thresholds.get(k) for k in ("recency", "frequency", "monetary")]
        borders = [float(g[0]) if g else sum(n[at] for n in numbers) / len(numbers) for at, g in enumerate(given)]
        scores = [(int(d <= borders[0]), int(t >= borders[1]), int(w >= borders[2])) for d, t, w in numbers]
    else:
        segments = ELEVEN

        def fifth(at: int, value: float, sign: int) -> int:
            worse = sum(sign * n[at] < sign * value for n in numbers)
            return min(5, worse * 5 // len(numbers) + 1)

        scores = [(fifth(0, d, -1), fifth(1, t, 1), fifth(2, w, 1)) for d, t, w in numbers]
    counts: dict[str, int] = defaultdict(int)
    worths: dict[str, float] = defaultdict(float)
    for (_, _, worth), score in zip(numbers, scores, strict=True):
        name = next(name for name, test in segments if test(*score))
        counts[name] += 1
        worths[name] += worth
    for line in again.answer.lines:
        name = None if line.kind == "total" else str(line.values[0])
        yield f"{name} customers", line.values[1], len(numbers) if name is None else counts[name]
        yield f"{name} worth", line.values[-1], sum(worths.values()) if name is None else worths[name]


def _target(again: Recomputed) -> Triples:
    spec, width = again.report.spec, len(again.report.groups)
    goals = again.kept(spec.entity, spec.filter)
    for line, names, records in _lines(again):
        inside = _within(again, spec.keys, names, goals)
        yield f"{names} target", line.values[-2], again.measure(spec.value, inside)
        for n, measure in enumerate(again.measures):
            yield f"{names} {measure.key}", line.values[width + n], again.measure(measure, records)


CHECKS: dict[str, Callable[[Recomputed], Triples]] = {
    "summary": _summary,
    "pivot": _pivot,
    "ageing": _pivot,
    "trend": _trend,
    "forecast": _forecast,
    "table": _table,
    "list": _table,
    "funnel": _funnel,
    "cohort": _cohort,
    "rfm": _rfm,
    "accuracy": _accuracy,
    "target": _target,
}
