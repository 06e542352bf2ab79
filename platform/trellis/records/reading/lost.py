"""Records that have left somebody's sight: what a change feed tells without saying anything of them.

A record is told only where the history shows that the person could read it before: the permission is asked of the
record as it was before each of its changes. What the history cannot answer (other records, who a record was shared
with) counts as "could not": nobody learns of a record that was never theirs to see.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DataError
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BooleanClauseList, ColumnClause, Grouping
from sqlalchemy.sql.selectable import FromClause, SelectBase

from trellis.records.privacy.leaving_out import leaving_out
from trellis.records.reading.catalog import system_scope
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.records.session import Session

Place = Sequence[Any]  # the moment and the id that a row of the feed is ordered by
FIXED = ("id", "created_by", "created_at")


def lost(session: Session, key: str, since: datetime, after: Place | None, until: Place | None) -> list[UUID]:
    """The records changed since then, between two places of the feed, that were in this person's reach and are not."""
    entity = session.entity(key)
    scope = system_scope(session, key)
    table: Any = scope.alias.c
    reach = session.permit.reach("read", scope)
    hidden = leaving_out(session, entity, table.id)
    found: list[UUID] = []
    if reach is not None:
        states = session.tables.platform.history.alias()
        was = _Past(session, entity, scope.alias, states).of(reach)
        if was is not None:
            before = sa.exists().where(
                states.c.entity == key,
                states.c.record == table.id,
                states.c.at >= since,
                states.c.kind != "create",
                was,
            )
            place = sa.tuple_(table.updated_at, table.id)
            wanted = [table.updated_at >= since, sa.func.coalesce(reach, sa.false()).is_(False), before]
            wanted += [place > sa.tuple_(*_bound(after))] if after is not None else []
            wanted += [place <= sa.tuple_(*_bound(until))] if until is not None else []
            statement = sa.select(table.id).select_from(scope.joined()).where(*wanted)
            found += _answer(session, statement.order_by(table.updated_at, table.id))
    if hidden is not None and after is None:
        found += _restricted(session, key, since, reach, scope)
    return found


def _answer(session: Session, statement: sa.Select[Any]) -> Sequence[UUID]:
    """What the history answers: nothing, where a field was of another type then and its value does not fit this one."""
    with session.transaction() as connection:
        try:
            with connection.begin_nested():
                return session.execute(statement).scalars().all()
        except DataError:
            return ()


def _bound(place: Place) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    return sa.literal(place[0], sa.DateTime(timezone=True)), sa.literal(place[1], sa.Uuid())


def _restricted(
    session: Session, key: str, since: datetime, reach: sa.ColumnElement[bool] | None, scope: Any
) -> list[UUID]:
    """Those whose data is not to be worked with from a moment since then on, of what is in reach otherwise."""
    table = session.tables.platform.privacy
    restricted = sa.exists().where(
        table.c.entity == key, table.c.record == scope.alias.c.id, table.c.state == "restricted", table.c.at >= since
    )
    statement = sa.select(scope.alias.c.id).select_from(scope.joined()).where(restricted)
    return list(session.execute(statement if reach is None else statement.where(reach)).scalars())


class _Past:
    """A permission's predicate over a record as it was before one of its changes."""

    def __init__(self, session: Session, entity: Entity, alias: FromClause, states: sa.FromClause) -> None:
        self._entity = entity
        self._alias = alias
        self._states = states
        self._history = session.tables.platform.history
        self._fields = {short(key): field for key, field in entity.fields.items()}

    def of(self, predicate: Any) -> sa.ColumnElement[bool] | None:
        """The predicate then; of alternatives, those that the history can answer. None: nothing of it."""
        if isinstance(predicate, Grouping):
            return self.of(predicate.element)
        if isinstance(predicate, BooleanClauseList) and predicate.operator is operators.or_:
            known = [was for part in predicate.clauses if (was := self.of(part)) is not None]
            return sa.or_(*known) if known else None
        if isinstance(predicate, BooleanClauseList) and predicate.operator is operators.and_:
            every = [was for part in predicate.clauses if (was := self.of(part)) is not None]
            return sa.and_(*every) if len(every) == len(predicate.clauses) else None
        if not all(map(self._is_known, visitors.iterate(predicate))):
            return None
        then: sa.ColumnElement[bool] = visitors.replacement_traverse(predicate, {}, self._replaced)
        return then

    def _is_known(self, element: Any) -> bool:
        """Whether the history tells what the element was."""
        if isinstance(element, (SelectBase, FromClause)):
            return False
        if not isinstance(element, ColumnClause) or element.table is None:
            return True
        if element.table is not self._alias:
            return False
        field = self._fields.get(element.name)
        if field is None:
            return element.name in FIXED
        whole = set(field.type.columns()) == {""} and not isinstance(element.type, ARRAY)
        return whole and field.audit and not field.is_derived

    def _replaced(self, element: Any, **_more: Any) -> Any:
        if isinstance(element, ColumnClause) and element.table is self._alias and element.name not in FIXED:
            return self._before(element)
        return None

    def _before(self, column: ColumnClause[Any]) -> sa.ColumnElement[Any]:
        """The column's value before the state's change: what the first change from then on says was there."""
        history, states = self._history.alias(), self._states.c
        each = sa.func.jsonb_array_elements(history.c.changes).table_valued(sa.column("value", JSONB)).lateral()
        change = (
            sa.select(each.c.value)
            .select_from(history.join(each, sa.true()))
            .where(
                history.c.entity == self._entity.key,
                history.c.record == states.record,
                history.c.id >= states.id,
                each.c.value[0].astext == self._fields[column.name].key,
            )
            .order_by(history.c.id)
            .limit(1)
            .scalar_subquery()
        )
        was = sa.type_coerce(change, JSONB)[1]
        text = was["id"].astext if isinstance(column.type, sa.Uuid) else was.op("#>>")(sa.text("'{}'"))
        return sa.case((change.is_not(None), sa.cast(text, column.type)), else_=column)
