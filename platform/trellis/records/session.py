"""One principal's work on one tenant: the open transaction, and what every part of the door needs to know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.reader import Reader
from trellis.formula.sql.parameters import read_by
from trellis.model.entity import Entity
from trellis.model.model import Model
from trellis.records import events
from trellis.records.access.permit import Permit
from trellis.records.deriving import money
from trellis.records.deriving.rates import ENTITY as RATES
from trellis.records.deriving.rates import reader_with_rates
from trellis.records.draft import Event
from trellis.records.hooks import Hooks, hooks_of
from trellis.records.pools import keeping
from trellis.records.principal import Principal
from trellis.records.refusal import Missing

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from trellis.records.reading.patient import Tape
    from trellis.records.versions.batches import Batch
    from trellis.storage.tables import Tables
    from trellis.storage.tenant import Tenant

# how many changes this thread of work has committed; whoever wants to do a request again asks it first
commits: ContextVar[int] = ContextVar("commits", default=0)


class Session:
    """Who asks, whose tables, and the transaction that everything joins while it is open."""

    def __init__(self, tenant: Tenant, principal: Principal, *, hooks: Hooks | None = None, cause: Any = None) -> None:
        self.tenant = tenant
        if principal.is_system:  # the platform's own hand is refused by no `has_role(…)` in a rule
            reader = replace(principal.reader, roles=frozenset(tenant.model.roles))
            principal = replace(principal, reader=reader)
        self.cause = cause
        reader = replace(principal.reader, rates=reader_with_rates(self, principal.reader), calendar=tenant.calendar)
        self.principal = principal = replace(principal, reader=reader)
        self.permit = Permit(tenant.model, principal)
        self.is_trial = False  # what is done is rolled back at the end: nothing may be left of it anywhere
        self.import_is_heard = False  # what is imported sets workflows off
        self.patience: timedelta | None = None  # how long a report's statement may take; None: as long as usual
        self.tape: Tape | None = None  # where a report's statements are recorded, or read from
        self._connection: sa.Connection | None = None
        self._before_commit: list[Callable[[], None]] = []
        self._named: set[str] = set()
        self.batch: Batch | None = None  # what every change is part of, while many are made at once
        self._kept_batch: UUID | None = None
        self.is_erasing = False  # a person's data goes for good, whatever locks it
        self.is_unlocked = False  # what has been converted may be written: its conversion is being undone
        self._restricted: frozenset[tuple[str, UUID]] | None = None
        self._alone = False  # nobody else writes until the open transaction ends
        self.heard: frozenset[str] = frozenset()  # the entities that webhooks listen to
        self._writes = False  # the open transaction changes something: the tenant's revision is held
        self.hooks = hooks if hooks is not None else hooks_of(self)

    @property
    def model(self) -> Model:
        """The tenant's model."""
        return self.tenant.model

    @property
    def tables(self) -> Tables:
        """The tenant's tables."""
        return self.tenant.tables

    @property
    def reader(self) -> Reader:
        """Who values are computed for."""
        return self.principal.reader

    @cached_property
    def view_key(self) -> tuple[object, ...]:
        """What the shape of a statement depends on: readers with the same key share statements.

        Who the reader is, and when, is a parameter of the statement; so are settings.
        """
        reader = self.reader
        return (
            self.model.hash,
            self.permit.cache_key,
            reader.me is None,
            reader.my_team is None,
            not reader.team_members,
            reader.contact is None,
            reader.has_shares,
            reader.me is not None and reader.me == reader.my_team,
            str(reader.time_zone),
            reader.currency,
            reader.language,
            reader.region,
            self.tenant.profile.time_zone,  # the day whose exchange rates hold
        )

    @property
    def connection(self) -> sa.Connection:
        """The open transaction's connection."""
        if self._connection is None:
            raise RuntimeError("no transaction is open: call Store.transaction()")
        return self._connection

    def entity(self, key: str) -> Entity:
        """An entity's definition; Missing when there is none of that name."""
        found = self.model.entities.get(key)
        if found is None:
            raise Missing(f"no entity {key!r}")
        return found

    def table(self, entity: str) -> sa.Table:
        """An entity's table."""
        found: sa.Table = self.tables.entity[entity]
        return found

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Join the open transaction, or make one that ends with the block."""
        if self._connection is not None:
            yield self._connection
            return
        with self.tenant.begin() as connection:
            self._connection = connection
            try:
                yield connection
                while self._before_commit:
                    self._before_commit.pop(0)()
            finally:
                self._connection = None
                self._before_commit.clear()
                self._kept_batch = None
                self._restricted = None
                self._named.clear()
                wrote, self._writes = self._writes, False
                self._alone = False
        if wrote:
            commits.set(commits.get() + 1)

    @contextmanager
    def within(self, connection: sa.Connection) -> Iterator[Session]:
        """Work in the tenant's transaction that somebody else has begun, and ends."""
        self._connection = connection
        try:
            yield self
            while self._before_commit:
                self._before_commit.pop(0)()
        finally:
            self._connection = None
            self._before_commit.clear()

    @contextmanager
    def write(self, entity: str | None = None) -> Iterator[sa.Connection]:
        """A change that is wholly done or not at all, also inside a larger transaction that goes on after a refusal.

        Exchange rates are written alone: what others save meanwhile would keep base amounts at the rates of before.
        """
        if self._connection is None:
            with self.transaction() as connection:
                self._hold(connection, alone=entity == RATES)
                yield connection
        else:
            self._hold(self._connection, alone=entity == RATES)
            with self._connection.begin_nested():
                yield self._connection

    def _hold(self, connection: sa.Connection, *, alone: bool) -> None:
        """Write by the tenant's current revision or not at all. Raises RevisionChanged."""
        if not self._writes or (alone and not self._alone):
            self.heard = self.tenant.hold(connection, alone=alone)
            self._writes, self._alone = True, self._alone or alone

    def batch_id(self) -> UUID | None:
        """The batch that a change belongs to, which is kept with the first of them."""
        if self.batch is None:
            return None
        batch = self.batch
        if self._kept_batch != batch.id:  # once in each transaction: an earlier one may have been rolled back
            self._kept_batch = batch.id
            self.before_commit(lambda: batch.store(self))
        return batch.id

    @property
    def restricted(self) -> frozenset[tuple[str, UUID]]:
        """The records of persons whose data may not be worked with: few, and read once in a transaction."""
        if self._restricted is None:
            table = self.tables.platform.privacy
            rows = self.execute(sa.select(table.c.entity, table.c.record).where(table.c.state == "restricted"))
            self._restricted = frozenset((row.entity, row.record) for row in rows)
        return self._restricted

    def forget_restricted(self) -> None:
        """Read anew which persons' data may not be worked with."""
        self._restricted = None

    @contextmanager
    def as_system(self) -> Iterator[None]:
        """Act with the system's rights while the history goes on naming the person."""
        before, self.permit = self.permit, Permit(self.model, Principal.system(self.reader))
        self.__dict__.pop("view_key", None)  # statements of the person are not the system's
        try:
            yield
        finally:
            self.permit = before
            self.__dict__.pop("view_key", None)

    def at(self, moment: datetime) -> Session:
        """The same work in the same transaction, for a reader of another moment."""
        reader = replace(self.reader, now=moment)
        other = Session(self.tenant, replace(self.principal, reader=reader), hooks=self.hooks, cause=self.cause)
        other._connection = self._connection
        other.heard = self.heard
        return other

    def before_commit(self, work: Callable[[], None]) -> None:
        """Do the work once, when the transaction is about to end."""
        self._before_commit.append(work)

    def before_commit_once(self, key: str, work: Callable[[], object]) -> None:
        """Do the work of that name once, however often it is asked for, when the transaction is about to end."""
        if key not in self._named:
            self._named.add(key)

            def run() -> None:
                self._named.discard(key)
                work()

            self.before_commit(run)

    def emit(self, happened: list[Event]) -> None:
        """Tell the listeners what happened, inside the transaction."""
        money.after_events(self, happened)
        keeping.after_events(self, happened)
        for listener in self.hooks.after:
            listener(happened)
        events.write(self, happened)

    def execute(self, statement: sa.Executable, parameters: Any = None) -> sa.CursorResult[Any]:
        """Run a statement in the open transaction, for this reader."""
        with read_by(self.reader):
            return self.connection.execute(statement, parameters)
