"""What a writer gives, taken into a draft: known fields only, allowed ones, parsed by their types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trellis.formula.formula import Formula
from trellis.formula.reader import Reader
from trellis.formula.types import Money
from trellis.model.field import Field
from trellis.model.fields.base import Invalid
from trellis.model.known import currency_codes
from trellis.records import faults
from trellis.records.access.masking import is_masked
from trellis.records.draft import Draft
from trellis.records.pools import standing
from trellis.records.writing import linked
from trellis.records.writing.conditions import is_numbered, is_readonly
from trellis.records.writing.hands import GIVEN_BACK, is_by_hand

if TYPE_CHECKING:
    from trellis.records.refusal import Fault
    from trellis.records.session import Session

NEVER = frozenset({"id", "version"})


def take(session: Session, draft: Draft, values: Mapping[str, Any]) -> None:
    """Parse what was given into the draft. What may not be written is a fault, unless it changes nothing."""
    modes = standing.modes_of(session, draft.old, draft.entity.key)
    covered = modes is not session.permit.modes(draft.entity.key)
    for name, raw in sorted(values.items(), key=lambda given: _turn(draft, given[0])):
        if name in NEVER or _is_lines(draft, name):
            continue
        field = draft.entity.fields.get(name)
        if covered and raw in (None, "", [], ()) and modes.get(name) == "hidden":
            continue  # what a pool hides is blank to who sends the record back as they have it
        if field is None or modes.get(name) == "hidden":
            draft.fault(faults.unknown_field(session, draft.entity.key, name))
            continue
        if modes.get(name) == "masked" and is_masked(raw):
            continue
        draft.given[name] = raw
        try:
            value = field.type.parse(raw, reader_of(draft, field))
        except Invalid as error:
            if _is_open(session, draft, field, modes.get(name)):
                draft.fault(faults.invalid(name, error))
            else:
                draft.fault(_closed(field, modes.get(name)))
            continue
        if not _is_open(session, draft, field, modes.get(name)):
            if _differs(draft, field, value, raw) or linked.given_columns(draft, field):
                draft.fault(_closed(field, modes.get(name)))
            continue
        if value is None and is_by_hand(draft.means) and is_numbered(draft, field):
            continue  # an empty cell of a file takes no number away
        draft.set(name, value)


def closed(session: Session, draft: Draft, field: Field) -> Fault | None:
    """Why this writer may not set the field of this record; None where they may."""
    mode = standing.modes_of(session, draft.old, draft.entity.key).get(field.key)
    return None if mode != "hidden" and _is_open(session, draft, field, mode) else _closed(field, mode)


def _turn(draft: Draft, name: str) -> tuple[bool, bool]:
    """When a field is taken: those that depend on what else was given come after it."""
    field = draft.entity.fields.get(name)
    return (field is not None and field.readonly_when is not None, _has_currency(draft, name))


def _has_currency(draft: Draft, name: str) -> bool:
    """Whether the field's currency is another field's to say, which is then to be read first."""
    field = draft.entity.fields.get(name)
    return field is not None and isinstance(getattr(field.type, "currency", None), Formula)


def reader_of(draft: Draft, field: Field) -> Reader:
    """Who a value is read for: an amount without a currency is in that of the record, if it says one."""
    reader: Reader = draft.record.graph.session.reader
    currency = getattr(field.type, "currency", None)
    code = currency.evaluate(draft.env()) if isinstance(currency, Formula) else None
    return replace(reader, currency=code) if isinstance(code, str) and code in currency_codes() else reader


def _is_open(session: Session, draft: Draft, field: Field, mode: str | None) -> bool:
    """Whether this writer may set the field in this record."""
    if field.is_derived:
        return False
    if session.principal.is_system:
        return True
    if mode in ("readonly", "masked"):  # a right, which binds whoever has no more of it, also a workflow of theirs
        return draft.means in GIVEN_BACK
    if not is_by_hand(draft.means):
        return True
    if field.system:
        return field.key == "position"
    return not is_readonly(draft, field)


def _differs(draft: Draft, field: Field, value: Any, raw: Any) -> bool:
    """Whether a field that may not be written would change: forms send back what they were given."""
    if field.is_derived:
        return False  # computed anyway: what a form or an export sends along does no harm
    before = draft.before(field.key)
    if isinstance(value, Money) and isinstance(before, Money):
        return (value.amount, value.currency) != (before.amount, before.currency)
    return bool(value != before)


def _closed(field: Field, mode: str | None) -> Fault:
    return faults.readonly(field.key) if mode is None else faults.forbidden_field(field.key)


def _is_lines(draft: Draft, name: str) -> bool:
    return name in draft.entity.inverses and name not in draft.entity.fields
