"""Why a record has the score that it has: every rule, what it gives, and what time has taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from trellis.automation.scoring import earning
from trellis.automation.scoring.keeping import read_accounts, scorings_of
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.scoring import Scoring
from trellis.model.text import Text
from trellis.records.graph import StoreGraph
from trellis.records.refusal import Missing

if TYPE_CHECKING:
    from trellis.records.store import Store


@dataclass(frozen=True)
class Part:
    """One rule of a scoring and what it gives; `n`: how often it happened, `lost`: what time has taken of it."""

    label: Text
    points: Decimal
    holds: bool
    most: Decimal | None = None
    n: int | None = None
    lost: Decimal = Decimal(0)
    at: datetime | None = None


@dataclass(frozen=True)
class Why:
    """A score with what it is made of. `next_loss`: when time takes something again, and how much."""

    scoring: Scoring
    value: Decimal
    fit: tuple[Part, ...]
    behaviour: tuple[Part, ...]
    next_loss: datetime | None


def scoring_of(store: Store, entity: str, field: str) -> Scoring | None:
    """The scoring that writes a field."""
    return next((one for one in scorings_of(store.tenant.model).of.get(entity, ()) if one.field == field), None)


def why(store: Store, entity: str, id: UUID, field: str) -> Why:
    """What the score of a record is made of. Raises Missing."""
    scoring = scoring_of(store, entity, field)
    if scoring is None or field not in store.readable_fields(entity):
        raise Missing(field)
    with store.transaction():
        store.read(entity, id, fields=())
        session, graph = store.session, StoreGraph(store.session)
        record = graph.follow(Ref(entity, id))
        if record is None:
            raise Missing(f"{entity} {id}")
        env = Env(record, session.reader, graph, old=record)
        account = read_accounts(session, scoring, [id]).get(id)
        worn = earning.wear(scoring, account, session.reader.now) if account is not None else None
        fit = tuple(Part(r.label, r.points, r.when.evaluate(env) is True) for r in scoring.fit)
        happened = worn.earned if worn is not None else {}
        behaviour = []
        for rule in scoring.behaviour:
            one = happened.get(rule.key)
            if one is None:
                behaviour.append(Part(rule.label, rule.points, holds=False, most=rule.at_most, n=0))
            else:
                behaviour.append(Part(rule.label, one.points, True, rule.at_most, one.n, one.lost, one.at))
        value = record.value(field)
        return Why(
            scoring,
            Decimal(str(value or 0)),
            fit,
            tuple(behaviour),
            earning.due_at(scoring, worn) if worn is not None else None,
        )
