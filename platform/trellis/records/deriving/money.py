"""Money's third part: the amount in the tenant's currency, at the exchange rate of the record's date.

The rule, for every writer: an amount's base is the amount times the rate that the table of rates gives for its currency
on the record's date (`rate_date`, a part's parent's date, else the day of creation). It is kept with the record, and
moves when the amount, the date or that rate is changed; where no rate is known it is blank.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula import exact
from trellis.formula.types import Money
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.deriving import rates
from trellis.records.draft import Draft, Event
from trellis.records.refusal import Fault
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session


def money_fields(entity: Entity) -> list[Field]:
    """The fields whose amounts are entered, and so have a base that is kept."""
    return [*entity.entered_money]


def fill_base(draft: Draft) -> None:
    """Give the amounts of a draft their base, at the rate of the draft's date."""
    for field in draft.entity.entered_money:
        value = draft.value(field.key)
        if isinstance(value, Money) and (base := base_of(value, draft)) != value.base:
            draft.set(field.key, Money(value.amount, value.currency, base))


def base_of(value: Money, draft: Draft) -> Decimal | None:
    """The amount in the tenant's currency; blank when no rate is known."""
    reader = draft.record.graph.session.reader
    if value.currency == reader.currency:
        return value.amount
    at = getattr(reader.rates, "at", None)
    rate = reader.rates.get(value.currency) if at is None else at(value.currency, draft.record)
    return None if rate is None else exact.multiply(value.amount, rate)


def why_blank(draft: Draft, field: Field) -> Fault | None:
    """The rate that is missing where a default could not say an amount."""
    rates_ = draft.record.graph.session.reader.rates
    if field.default is None or field.type.formula_type().kind != "money" or not isinstance(rates_, rates.Rates):
        return None
    rates_.missed.clear()
    field.default.evaluate(draft.env())
    if not rates_.missed:
        return None
    currency, day = min(rates_.missed)
    return Fault(
        "rate", "There is no exchange rate for {currency} on {date}.", field.key, {"currency": currency, "date": day}
    )


def dates_its_lines(draft: Draft, part: Entity) -> bool:
    """Whether the draft's date has changed, by which the money of its lines is worth something else."""
    if part.rate_date is not None or draft.is_new:
        return False
    own = draft.entity.rate_date
    return own is not None and draft.has_changed(own) and bool(money_fields(part))


# ── when rates change ────────────────────────────────────────────────────────────────────────────────────────


def after_events(session: Session, events: Sequence[Event]) -> None:
    """Rates that came, went or changed move the base amounts they concern, before the transaction ends."""
    if not any(event.entity == rates.ENTITY for event in events) or not rates.has_rates(session.model):
        return
    forget = getattr(session.reader.rates, "forget", None)
    if forget is not None:
        forget()
    session.before_commit_once(rates.ENTITY, partial(refresh, session))


def refresh(session: Session, entities: Sequence[str] | None = None) -> int:
    """Compute every base amount anew and write those that differ, then the roll-ups over them; how many records moved.

    Also records in the bin: they may come back.
    """
    from trellis.records.deriving import rollups

    _recompute_sums(session, entities)
    moved = 0
    for entity in [session.entity(key) for key in entities] if entities is not None else _with_money(session):
        names = [f.key for f in money_fields(entity)]
        changed = list(session.execute(_refresh_statement(session, entity, names)).scalars())
        moved += len(changed)
        rollups.after_fields(session, entity.key, names, changed)
    return moved


def _recompute_sums(session: Session, entities: Sequence[str] | None) -> None:
    """Roll-ups that make an amount of another currency: money(sum(lines.amount.amount), currency)."""
    from trellis.records.deriving import rollups

    for entity in session.model.entities.values():
        names = [f.key for f in entity.fields.values() if f.rollup is not None and "currency" in f.rollup.uses]
        if not names or (entities is not None and entity.key not in entities):
            continue
        table = session.table(entity.key)
        foreign = [table.c[short(f"{name}_currency")].is_distinct_from(session.reader.currency) for name in names]
        ids = set(session.execute(sa.select(table.c.id).where(sa.or_(*foreign))).scalars())
        rollups.recompute(session, {(entity.key, name): ids for name in names}, looking=True)


def _with_money(session: Session) -> Iterator[Entity]:
    return (entity for entity in session.model.entities.values() if money_fields(entity))


def _refresh_statement(session: Session, entity: Entity, names: Sequence[str]) -> sa.UpdateBase:
    """One statement that brings an entity's base amounts up to the table of rates."""
    from trellis.records.reading.catalog import system_scope

    table = session.table(entity.key)
    scope = system_scope(session, entity.key)
    row = scope.alias
    new: dict[str, sa.ColumnElement[Any]] = {}
    foreign: list[sa.ColumnElement[bool]] = []
    for name in names:
        currency = row.c[short(f"{name}_currency")]
        rate = rates.sql_rate(session, scope, currency)
        new[short(f"{name}_base")] = row.c[short(name)] * rate
        at_par = row.c[short(f"{name}_base")].is_not_distinct_from(row.c[short(name)])
        foreign.append(sa.not_(sa.and_(currency == session.reader.currency, at_par)))
    computed = sa.select(row.c.id, *(e.label(f"v_{n}") for n, e in new.items()))
    found = computed.select_from(scope.joined()).where(sa.or_(*foreign)).subquery()
    differs = sa.or_(*(table.c[n].is_distinct_from(found.c[f"v_{n}"]) for n in new))
    return (
        sa.update(table)
        .where(table.c.id == found.c.id, differs)
        .values({n: found.c[f"v_{n}"] for n in new})
        .returning(table.c.id)
    )
