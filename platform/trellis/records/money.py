"""Money's third part: the amount in the tenant's currency, at the rate of the moment it was entered."""

from __future__ import annotations

from decimal import Decimal

from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.records.draft import Draft


def fill_base(draft: Draft) -> None:
    """Give new amounts their base; an amount that stays keeps the rate it had."""
    reader = draft.record.graph.session.reader
    for field in draft.entity.fields.values():
        if field.type.formula_type().kind != "money" or field.is_derived or not field.is_stored:
            continue
        value = draft.value(field.key)
        if isinstance(value, Money) and value.base is None:
            draft.set(field.key, Money(value.amount, value.currency, base_of(value, draft.before(field.key), reader)))


def base_of(value: Money, before: Money | None, reader: Reader) -> Decimal | None:
    """The amount in the tenant's currency; blank when no rate is known."""
    if value.currency == reader.currency:
        return value.amount
    if before is not None and before.base is not None and before.currency == value.currency and before.amount:
        return before.base if value.amount == before.amount else value.amount * before.base / before.amount
    rate = reader.rates.get(value.currency)
    return None if rate is None else value.amount * rate
