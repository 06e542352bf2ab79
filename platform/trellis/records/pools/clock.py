"""The algebra of a clock: when a record goes back, by each rule, and what an activity does to that."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from trellis.model.pool import Pool, ReleaseRule
from trellis.records.pools.which import name_of

Rules = Sequence[tuple[Pool, ReleaseRule]]


@dataclass(frozen=True, slots=True)
class Hand:
    """One rule's hand of a clock: since when the rule has held for the record, and up to when it keeps its owner."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Clock:
    """For whom it runs, and up to when by each rule. A date that was told is never made an earlier one."""

    owner: UUID | None
    since: datetime
    hands: Mapping[str, Hand] = field(default_factory=dict)  # by pool/rule


def begun(rule: ReleaseRule, now: datetime) -> Hand:
    """The hand of a rule that begins to hold for a record."""
    until = rule.after.after(now)
    return Hand(now, until if rule.at_most is None else min(until, rule.at_most.after(now)))


def renewed(rule: ReleaseRule, hand: Hand, now: datetime) -> Hand:
    """The hand after something has happened: at least so much later than now, and not beyond the rule's most."""
    until = (rule.extend or rule.after).after(now)
    if rule.at_most is not None:
        until = min(until, rule.at_most.after(hand.since))
    return replace(hand, until=max(hand.until, until))


def start(pools: Sequence[Pool], owner: UUID | None, now: datetime) -> Clock:
    """A clock that begins: somebody has just got the record, or nobody has it any more."""
    made = {name_of(p, r): begun(r, now) for p, r in rules_of(pools)} if owner is not None else {}
    return Clock(owner, now, made)


def renew(pools: Sequence[Pool], clock: Clock, names: Collection[str], now: datetime) -> Clock:
    """The clock after something that renews the rules of these names; rules that are new to it begin now."""
    if clock.owner is None:
        return clock
    hands = dict(clock.hands)
    for pool, rule in rules_of(pools):
        name = name_of(pool, rule)
        if name not in hands:
            hands[name] = begun(rule, now)
        elif name in names:
            hands[name] = renewed(rule, hands[name], now)
    return replace(clock, hands=hands)


def postponed(clock: Clock, to: datetime) -> Clock:
    """No date before the moment: what is overdue when a configuration comes into force is not taken at once."""
    hands = {name: replace(hand, until=max(hand.until, to)) for name, hand in clock.hands.items()}
    return replace(clock, hands=hands)


def returns_at(clock: Clock, rules: Rules, locked_until: datetime | None) -> datetime | None:
    """When the record goes back by those of the rules that hold for it; a lock keeps it for as long as it lasts."""
    first = _first(clock, rules)
    return first if first is None or locked_until is None else max(first, locked_until)


def due_at(returns: datetime | None, clock: Clock, rules: Rules, now: datetime) -> datetime | None:
    """When somebody must look next: at the first warning that is still to come, else when the record goes back."""
    if returns is None:
        return None
    return min((moment for moment in warnings(returns, clock, rules) if moment > now), default=returns)


def warnings(returns: datetime, clock: Clock, rules: Rules) -> Iterator[datetime]:
    """When the owner is told beforehand, as the rules that bring the record back first say."""
    for _pool, rule in bringing(clock, rules):
        yield from (span.before(returns) for span in rule.warn)


def bringing(clock: Clock, rules: Rules) -> list[tuple[Pool, ReleaseRule]]:
    """The rules by which the record goes back first."""
    first = _first(clock, rules)
    hands = [(p, r, clock.hands.get(name_of(p, r))) for p, r in rules]
    return [(p, r) for p, r, hand in hands if hand is not None and hand.until == first]


def _first(clock: Clock, rules: Rules) -> datetime | None:
    if clock.owner is None:
        return None
    hands = (clock.hands.get(name_of(pool, rule)) for pool, rule in rules)
    return min((hand.until for hand in hands if hand is not None), default=None)


def rules_of(pools: Sequence[Pool]) -> Iterator[tuple[Pool, ReleaseRule]]:
    """The rules of several pools."""
    return ((pool, rule) for pool in pools for rule in pool.rules)
