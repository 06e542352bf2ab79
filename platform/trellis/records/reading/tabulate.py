"""Records as rows of values that formulas give: a report's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.formula import Formula
from trellis.formula.sql.scope import SqlLink
from trellis.formula.types import Ref, Value
from trellis.model.view import Sort
from trellis.records.reading.filtering import compile_all, require_readable, restrict
from trellis.records.reading.paging import SortKey
from trellis.records.reading.patient import rows_of
from trellis.records.reading.selection import Selection, value_slot
from trellis.records.record import Slot

if TYPE_CHECKING:
    from trellis.records.session import Session


@dataclass(frozen=True)
class Wanted:
    """A column: a field's path, which is read as everywhere, or a formula."""

    formula: Formula
    path: str | None = None


@dataclass(frozen=True)
class Sheet:
    """What is asked: columns of an entity's records in some order."""

    entity: str
    columns: tuple[Wanted, ...]
    where: tuple[Formula | str, ...] = ()
    sort: tuple[Sort, ...] = ()
    variables: Mapping[str, Value] = field(default_factory=dict)
    limit: int = 500


@dataclass(frozen=True)
class SheetRow:
    """A record with its values."""

    record: Ref
    values: tuple[Value, ...]


def tabulate(session: Session, sheet: Sheet) -> tuple[list[SheetRow], bool]:
    """The rows, and whether there are more than were wanted. Raises Refused, Forbidden, Missing."""
    require_readable(session, sheet.entity)
    selection = Selection(session, sheet.entity, variables=sheet.variables)
    place = selection.add(selection.alias.c.id)
    titled = selection.add(selection.catalog.title(selection.scope))
    slots = [_slot(selection, column) for column in sheet.columns]
    conditions = restrict(selection, compile_all(session, sheet.entity, sheet.where), many=True)
    keys = [selection.sort_key(s.path, descending=s.descending) for s in sheet.sort]
    keys.append(SortKey(selection.alias.c.id, keys[-1].descending if keys else True, nullable=False))
    statement = selection.select().where(*conditions).order_by(*(k.order() for k in keys)).limit(sheet.limit + 1)
    rows = rows_of(session, statement)
    found = [_row(sheet, row, place, titled, slots) for row in rows[: sheet.limit]]
    return found, len(rows) > sheet.limit


def _row(sheet: Sheet, row: Sequence[Any], place: int, titled: int, slots: Sequence[Slot]) -> SheetRow:
    return SheetRow(Ref(sheet.entity, row[place], row[titled]), tuple(slot(row) for slot in slots))


def _slot(selection: Selection, column: Wanted) -> Slot:
    if column.path is not None:
        return selection.slot(column.path)
    value, kind = column.formula.sql(selection.scope), column.formula.type
    if kind.kind != "record" or isinstance(value, SqlLink) or not isinstance(value, sa.ColumnElement):
        return value_slot(selection, value)
    target = kind.entities[0]
    key, title = selection.add(value), selection.add(selection.title_query(target, value))
    return lambda row: None if row[key] is None else Ref(target, row[key], row[title])
