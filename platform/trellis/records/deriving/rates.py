"""Exchange rates: which one holds for a record at its date, in Python and in SQL.

The platform knows the entity `exchange_rate` by name: `rate` says how many units of the tenant's currency one unit of
`currency` is worth from `valid_from` on. A Model without that entity knows no other currency's worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from trellis.formula.reader import Reader
from trellis.formula.sql.scope import SqlScope
from trellis.formula.types import Ref
from trellis.model.entity import Entity
from trellis.model.model import Model

if TYPE_CHECKING:
    from trellis.records.graph import LiveRecord
    from trellis.records.session import Session

ENTITY = "exchange_rate"


def has_rates(model: Model) -> bool:
    """Whether the Model has a table of rates."""
    entity = model.entities.get(ENTITY)
    return entity is not None and all(name in entity.fields for name in ("currency", "valid_from", "rate"))


def date_path(model: Model, entity: Entity) -> tuple[str, ...]:
    """Where an entity's records have their date: `rate_date`, a part its parent's, the others when they were made."""
    if entity.rate_date is not None:
        return (entity.rate_date,)
    if entity.part_of and entity.parent_field and (parent := model.entities.get(entity.part_of)) is not None:
        return (entity.parent_field, *date_path(model, parent))
    return ("created_at",)


class Rates(Mapping[str, Decimal]):
    """A tenant's rates, read when they are asked for and known for as long as the session works."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._zone = ZoneInfo(session.tenant.profile.time_zone)
        self._found: dict[tuple[str, date], Decimal | None] = {}
        self.missed: set[tuple[str, date]] = set()  # what was asked for and is not known

    def at(self, currency: str, record: object = None) -> Decimal | None:
        """The rate at a record's date; today's for a value that is no record's."""
        from trellis.records.graph import LiveRecord

        return self.on(currency, self.date_of(record) if isinstance(record, LiveRecord) else self._today)

    def on(self, currency: str, day: date) -> Decimal | None:
        """The rate on a day; blank when none is known."""
        key = (currency, day)
        if key not in self._found:
            table = self._session.table(ENTITY)
            statement = (
                sa.select(table.c.rate)
                .where(table.c.currency == currency, table.c.valid_from <= day, table.c.deleted_at.is_(None))
                .order_by(table.c.valid_from.desc(), table.c.id.desc())
                .limit(1)
            )
            with self._session.transaction():
                self._found[key] = self._session.execute(statement).scalar()
        if self._found[key] is None:
            self.missed.add(key)
        return self._found[key]

    def forget(self) -> None:
        """Read everything anew: the rates have changed."""
        self._found.clear()
        self.missed.clear()
        self.__dict__.pop("_currencies", None)

    def date_of(self, record: LiveRecord) -> date:
        """The day whose rates hold for a record, in the tenant's time zone."""
        graph = record.graph
        *links, name = date_path(graph.session.model, record.definition)
        at: LiveRecord | None = record
        for link in links:
            ref = at.value(link) if at is not None else None
            at = graph.follow(ref) if isinstance(ref, Ref) else None
        if at is None:
            return self._today
        found = at.get(name)
        if found is None:
            found = at.value("created_at")
        if isinstance(found, datetime):
            return found.astimezone(self._zone).date()
        return found if isinstance(found, date) else self._today

    @property
    def _today(self) -> date:
        return self._session.reader.now.astimezone(self._zone).date()

    @cached_property
    def _currencies(self) -> tuple[str, ...]:
        table = self._session.table(ENTITY)
        statement = sa.select(table.c.currency).where(table.c.deleted_at.is_(None), table.c.currency.is_not(None))
        with self._session.transaction():
            return tuple(self._session.execute(statement.distinct().order_by(table.c.currency)).scalars())

    def __getitem__(self, currency: str) -> Decimal:
        found = self.on(currency, self._today)
        if found is None:
            raise KeyError(currency)
        return found

    def get(self, currency: str, default: Any = None) -> Any:
        """Nothing: which rate holds is for a record to say, by `at`."""
        return default

    def __iter__(self) -> Iterator[str]:
        return iter(self._currencies)

    def __len__(self) -> int:
        return len(self._currencies)


def reader_with_rates(session: Session, reader: Reader) -> Mapping[str, Decimal]:
    """The rates that a reader's formulas are computed with."""
    return Rates(session) if has_rates(session.model) else reader.rates


def sql_date(session: Session, scope: SqlScope) -> sa.ColumnElement[Any]:
    """The day whose rates hold for the row of a scope."""
    model = session.model
    *links, name = date_path(model, model.entities[scope.entity])
    for link in links:
        entity = model.entities[scope.entity].fields[link].type.formula_type().entities[0]
        scope = scope.follow(link, entity)
    zone = session.tenant.profile.time_zone
    made = _day(scope.alias.c.created_at, zone)
    if name == "created_at":
        return made
    found: Any = scope.field(name)
    kind = model.entities[scope.entity].fields[name].type.formula_type().kind
    return sa.func.coalesce(_day(found, zone) if kind == "datetime" else found, made)


def _day(moment: Any, zone: str) -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.timezone(zone, moment), sa.Date())


def sql_rate(session: Session, scope: SqlScope, currency: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The rate of a currency at the date of the row of a scope; NULL when none is known."""
    home = sa.literal(session.reader.currency, sa.Text())
    if not has_rates(session.model):
        return sa.case((currency == home, sa.literal(1, sa.Numeric())))
    rate = session.table(ENTITY).alias()
    found = (
        sa.select(rate.c.rate)
        .where(rate.c.currency == currency, rate.c.valid_from <= sql_date(session, scope), rate.c.deleted_at.is_(None))
        .order_by(rate.c.valid_from.desc(), rate.c.id.desc())
        .limit(1)
        .correlate_except(rate)
        .scalar_subquery()
    )
    return sa.case((currency == home, sa.literal(1, sa.Numeric())), else_=found)
