"""The algebra of a score: what behaviour earns, what time takes of it, and what comes of both with the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from trellis.model.scoring import Behaviour, Scoring

NOTHING = Decimal(0)
MOST_PERIODS = 10_000


@dataclass(frozen=True, slots=True)
class Earned:
    """What one behaviour has earned: how often it happened, what is left of its points, what time took, when it was."""

    n: int
    points: Decimal
    lost: Decimal
    at: datetime


@dataclass(frozen=True)
class Account:
    """What the behaviour of one record has earned; `at` is when time began to run for the next loss."""

    at: datetime
    earned: Mapping[str, Earned] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        """What is left of everything."""
        return sum((one.points for one in self.earned.values()), NOTHING)


def earn(scoring: Scoring, account: Account, behaviour: Behaviour, now: datetime) -> Account:
    """The account after something has happened; time begins to run anew."""
    worn = wear(scoring, account, now)
    known = worn.earned.get(behaviour.key, Earned(0, NOTHING, NOTHING, now))
    points = known.points + behaviour.points
    if behaviour.at_most is not None:
        points = min(points, max(behaviour.at_most, known.points))
    made = Earned(known.n + 1, points, known.lost, now)
    return Account(now, {**worn.earned, behaviour.key: made})


def wear(scoring: Scoring, account: Account, now: datetime) -> Account:
    """The account without what time has taken by now: of what happened longest ago first."""
    decay, earned, at = scoring.decay, dict(account.earned), account.at
    if decay is None:
        return account
    for _ in range(MOST_PERIODS):
        due = decay.every.after(at)
        left = sum((one.points for one in earned.values()), NOTHING)
        if due > now or due <= at or left <= 0:
            break
        at, gone = due, min(decay.points, left)
        for key, one in sorted(earned.items(), key=lambda item: item[1].at):
            taken = min(gone, max(one.points, NOTHING))
            earned[key] = replace(one, points=one.points - taken, lost=one.lost + taken)
            gone -= taken
    return Account(at, earned)


def together(scoring: Scoring, accounts: Sequence[Account], now: datetime) -> Account:
    """What several records have earned that are one from now on; each behaviour up to its most."""
    worn = [wear(scoring, account, now) for account in accounts]
    most = {rule.key: rule.at_most for rule in scoring.behaviour}
    earned: dict[str, Earned] = {}
    for key, one in ((key, one) for account in worn for key, one in account.earned.items()):
        known = earned.get(key)
        if known is not None:
            one = Earned(known.n + one.n, known.points + one.points, known.lost + one.lost, max(known.at, one.at))
        cap = most.get(key)
        earned[key] = one if cap is None else replace(one, points=min(one.points, cap))
    return Account(max(account.at for account in worn), earned)


def due_at(scoring: Scoring, account: Account) -> datetime | None:
    """When time takes something next; None: there is nothing to take."""
    if scoring.decay is None or account.total <= 0:
        return None
    due = scoring.decay.every.after(account.at)
    return due if due > account.at else None


def score(scoring: Scoring, fit: Decimal, account: Account | None) -> Decimal:
    """What is written: never less than nothing, nor more than the scoring's most."""
    found = max(fit + (account.total if account is not None else NOTHING), NOTHING)
    return found if scoring.at_most is None else min(found, scoring.at_most)


def to_json(account: Account) -> dict[str, Any]:
    """What has been earned, as it is kept."""
    return {
        key: {"n": one.n, "points": str(one.points), "lost": str(one.lost), "at": one.at.isoformat()}
        for key, one in account.earned.items()
    }


def from_json(at: datetime, earned: Mapping[str, Any]) -> Account:
    """The same, read again."""
    return Account(
        at,
        {
            key: Earned(one["n"], Decimal(one["points"]), Decimal(one["lost"]), datetime.fromisoformat(one["at"]))
            for key, one in earned.items()
        },
    )
