"""Counts and totals by the month of a date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.formula import Formula
from trellis.records.reading.filtering import compile_all, in_time, require_readable, restrict
from trellis.records.reading.selection import Selection
from trellis.records.reading.totalling import aggregate, money_totals, read_totals
from trellis.records.record import Group

if TYPE_CHECKING:
    from trellis.records.session import Session


def months(
    session: Session,
    entity: str,
    field: str,
    *,
    totals: Mapping[str, str] | None = None,
    where: Sequence[Formula | str] = (),
    q: str | None = None,
) -> list[Group]:
    """The months that a date field's values lie in, as their first days in the reader's time zone; None for no date."""
    require_readable(session, entity)
    wanted = dict(totals or {})
    selection = Selection(session, entity, late=True)
    selection.slot(field)
    at = selection.columns[-1].element
    if session.entity(entity).fields[field].type.formula_type().kind == "datetime":
        at = sa.func.timezone(str(session.reader.time_zone), at)
    month = sa.cast(sa.func.date_trunc("month", at), sa.Date).label("month")
    expressions = [aggregate(selection, path, kind) for path, kind in wanted.items()]
    money = money_totals(selection, wanted)
    conditions = restrict(selection, compile_all(session, entity, where), q=q, many=True)
    inner = sa.select(month, sa.func.count(), *expressions).select_from(selection.source()).where(*conditions)
    by_month = inner.group_by(sa.literal_column("month"))
    found: list[Group] = []
    with in_time(session, where):
        rows: Sequence[Any] = session.execute(by_month).all()  # as wide as there are totals
    for first, count, *values in rows:
        found.append(Group(first, count, read_totals(session, wanted, money, values)))
    return found
