"""One run of a report: who asks, what was chosen, and what every kind needs to make its question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trellis.formula.formula import Formula, compile_formula
from trellis.formula.nodes.gathered import Gathered
from trellis.formula.types import Money, Ref, Value
from trellis.model.reports.keys import Key
from trellis.model.reports.report import Measure, Order, Report
from trellis.records.reading.gather import Bundle, Question
from trellis.records.refusal import Fault, Refused
from trellis.reports import conditions
from trellis.reports.params import Chosen, read_params
from trellis.reports.result import Heading
from trellis.reports.unions import CommonScope, asked_branches, asked_of, keeps_back, keeps_filter

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.records.store import Store

MOST_FILLED = 500  # periods without records that are shown between those with some


@dataclass(frozen=True)
class Wishes:
    """What a reader changes for this one look: the order, the columns, the drawing, more filters, the page."""

    sort: tuple[Order, ...] = ()
    columns: tuple[str, ...] = ()
    chart: str | None = None
    filters: tuple[str, ...] = ()
    limit: int | None = None
    place: str | None = None  # where the answer goes: fields may be kept from an export or the API


@dataclass(frozen=True)
class Asking:
    """One run of a report."""

    store: Store
    report: Report
    chosen: Chosen
    wishes: Wishes = field(default_factory=Wishes)
    given: Mapping[str, str] = field(default_factory=dict)  # the params as an address says them

    @property
    def reader(self) -> Reader:
        """Who asks."""
        return self.store.principal.reader

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """The measures that this person may see and wants to."""
        seen = [
            m for m in self.report.measures if not keeps_back(self.store, self.report, m.formula, self.wishes.place)
        ]
        wanted = [m for m in seen if not self.wishes.columns or m.key in self.wishes.columns] or seen
        if self.report.union:  # settled for each of the entities
            return tuple(wanted)
        return tuple(conditions.settled(self.store, self.report, m, self.chosen) for m in wanted)

    @cached_property
    def where(self) -> tuple[Formula | str, ...]:
        """The report's filter, and those of this look; of a union only these: each entity has a filter of its own."""
        if self.report.union:
            return self.wishes.filters
        own = conditions.where(self.store, self.report, self.report.filter, self.chosen)
        return (*own, *self.wishes.filters)

    @cached_property
    def condition(self) -> str:
        """The same as a list takes it."""
        own = self.report.filter
        text = conditions.text_of(own.source, self.report, self.chosen) if own is not None else ""
        return conditions.both(text, *self.wishes.filters)

    @cached_property
    def can_drill(self) -> bool:
        """Whether a list can show this person the records: its filter names nothing that is kept from them."""
        return not keeps_filter(self.store, self.report)

    def question(self, **more: Any) -> Question:
        """A question over the report's records."""
        made: dict[str, Any] = {
            "entity": self.report.entity,
            "where": self.where,
            "keys": self.report.groups,
            "measures": tuple(m.formula for m in self.measures),
            "variables": self.chosen.variables,
        }
        made |= more
        if self.report.union:
            made["union"] = tuple(
                asked_of(self.store, self.report, self.chosen, branch, made, made["measures"])
                for branch in asked_branches(self.store, self.report)
            )
        return Question(**made)

    def compiled(self, source: str) -> Formula:
        """A formula over a record of this look."""
        if not self.report.union:
            return compile_formula(source, conditions.ParamScope.of(self.store, self.report))
        return compile_formula(source, CommonScope(self.report.names))

    def gather(self, **more: Any) -> list[Bundle]:
        """The groups."""
        return self.store.gather(self.question(**more))

    # ── headings ─────────────────────────────────────────────────────────────────────────────────────────

    def key_heading(self, key: Key) -> Heading:
        """The column of a group's values."""
        return Heading(key.key, key.label, key.type, "group", group=key)

    def measure_heading(self, measure: Measure, *, conditions_: tuple[str, ...] = (), **more: Any) -> Heading:
        """The column of a measure."""
        conditions_ = (*conditions_, *self.conditions_of(measure))
        hidden = measure.over in ("share", "change")
        return Heading(
            measure.key,
            measure.label,
            measure.type,
            unit=measure.unit or None,
            scale=measure.scale,
            as_percent=hidden,
            conditions=conditions_,
            can_drill=measure.over is None,
            **more,
        )

    def conditions_of(self, measure: Measure) -> tuple[str, ...]:
        """Which records of a group a measure is about, where not all of them."""
        text = conditions.text_of(measure.condition, self.report, self.chosen) if measure.condition is not None else ""
        return (text,) if text else ()

    # ── order ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def orders(self) -> tuple[Order, ...]:
        """The order that is asked for, then the report's."""
        return (*self.wishes.sort, *self.report.sort)

    def ordered(self, bundles: Sequence[Bundle], at: int, keys: Sequence[Key]) -> list[Bundle]:
        """Groups of one level in order: by a measure or by their own values; what a limit left out comes last."""
        key = keys[at]
        found = list(bundles)
        names = [m.key for m in self.measures]
        own = self.report.sort
        if key.period is not None:  # time goes on, whatever the other groups are ordered by
            own = tuple(o for o in own if o.key == key.key)
        orders = (*self.wishes.sort, *own)
        order = next((o for o in orders if o.key == key.key or o.key in names), Order(key.key))
        found.sort(key=lambda b: sort_key(b.keys[at], key))
        if order.key == key.key:
            if order.descending:
                found.reverse()
                found.sort(key=lambda b: b.keys[at] is None)
        else:
            place = names.index(order.key)
            found.sort(key=lambda b: number(b.values[place]) or 0, reverse=order.descending)
            found.sort(key=lambda b: b.values[place] is None)
        found.sort(key=lambda b: b.is_rest)
        return found

    # ── gaps ─────────────────────────────────────────────────────────────────────────────────────────────

    def nothing(self) -> tuple[Value, ...]:
        """The measures of a group without records."""
        return tuple(of_nothing(m, self.reader) for m in self.measures)

    def filled(self, bundles: list[Bundle], at: int, keys: Sequence[Key]) -> list[Bundle]:
        """The groups of a level with those in between that have no records, where the level is one of time."""
        unit = keys[at].period
        days = [b.keys[at] for b in bundles if b.keys[at] is not None]
        if unit is None or len(days) < 2:
            return bundles
        every, is_cut = unit.each(min(days), max(days), MOST_FILLED)
        if is_cut:  # so few of them have records that gaps would hide these
            return bundles
        like, known = bundles[0].keys, set(days)
        gaps = (tuple(day if n == at else v for n, v in enumerate(like)) for day in every if day not in known)
        return [*bundles, *(Bundle(bundles[0].made_of, values, self.nothing()) for values in gaps)]


def ask(store: Store, report: Report, given: Mapping[str, str], wishes: Wishes | None = None) -> Asking:
    """A run with the params of an address. Raises Refused when one of them is no value."""
    chosen = read_params(report, given, store.principal.reader)
    if chosen.faults:
        raise Refused(list(chosen.faults))
    kept = {key: text for key, text in given.items() if key in report.params}
    return Asking(store, report, chosen, wishes or Wishes(), kept)


def require_order(report: Report, orders: Sequence[Order]) -> None:
    """Refuse an order by what is no column."""
    known = {k.key for k in (*report.groups, *report.across)}
    known |= {m.key for m in report.measures} | {c.key for c in report.columns}
    for order in orders:
        if order.key not in known:
            message = "The report has no column “{name}”."
            raise Refused([Fault("sort", message, "sort", {"name": order.key})])


def of_nothing(measure: Measure, reader: Reader) -> Value:
    """What a measure is of no records: sums and counts are 0, the others blank."""
    node = measure.formula.node
    if not isinstance(node, Gathered) or node.measure not in ("sum", "count", "count_distinct"):
        return None
    if measure.type.kind == "money":
        return Money(0, reader.currency, 0)  # type: ignore[arg-type]
    if measure.type.kind == "duration":
        from datetime import timedelta

        return timedelta()
    return 0


def can_add(measure: Measure) -> bool:
    """Whether the measure of several groups is the sum of theirs."""
    node = measure.formula.node
    return isinstance(node, Gathered) and node.measure in ("sum", "count") and measure.over is None


def added(asking: Asking, measure: Measure, values: Sequence[Value]) -> Value:
    """A measure of several groups together."""
    total = of_nothing(measure, asking.reader)
    for value in values:
        if value is not None:
            total = Money(number(total) + number(value), asking.reader.currency) if _is_money(value) else total + value
    return total


def _is_money(value: Value) -> bool:
    return isinstance(value, Money)


def number(value: Value) -> Any:
    """A value to compare and add: money in the tenant's currency."""
    if isinstance(value, Money):
        return value.base if value.base is not None else value.amount
    return value


def sort_key(value: Value, key: Key) -> tuple[Any, ...]:
    """Where a group stands by its own value: choices in their order, records by title, blanks last."""
    if value is None:
        return (1, 0, "")
    choices = key.type.choices
    if choices is not None and isinstance(value, str):
        order = list(choices)
        return (0, order.index(value) if value in order else len(order), value)
    if isinstance(value, Ref):
        return (0, 0, (value.title or "").casefold(), str(value.id))
    if isinstance(value, str):
        return (0, 0, value.casefold(), value)
    return (0, number(value), "")


def with_total(keys: Sequence[Key]) -> tuple[tuple[int, ...], ...]:
    """The sets of keys for groups within groups: each prefix, down to the total of everything."""
    return tuple(tuple(range(n)) for n in range(len(keys), -1, -1))
