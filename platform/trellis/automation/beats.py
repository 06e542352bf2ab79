"""A tenant's clocks that are no workflow's: each looks again and again at what is due, as long as there is a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.clock import now
from trellis.automation.jobs import Work, defer
from trellis.automation.workflows.timing import BEAT

if TYPE_CHECKING:
    from datetime import datetime

    from trellis.storage.tenant import Tenant

EVERY = timedelta(minutes=5)
BEATS: dict[str, Beat] = {}


@dataclass(frozen=True)
class Beat:
    """A clock by its key among the timers, and the kind of job that looks."""

    key: str
    kind: str

    def __post_init__(self) -> None:
        """Be known to whoever moves the clock."""
        BEATS[self.key] = self

    @property
    def timer(self) -> str:
        """What its row is called."""
        return f"{BEAT}{self.key}"

    def keep(self, connection: sa.Connection, tenant: Tenant, *, wanted: bool) -> None:
        """Let it run, or no more; a published configuration and a restored backup ask for it."""
        table = tenant.tables.platform.timer
        if not wanted:
            connection.execute(sa.delete(table).where(table.c.key == self.timer))
            return
        at = now() + EVERY
        values = {"digest": "", "last_at": now(), "next_at": at}
        made = insert(table).values(key=self.timer, **values)
        connection.execute(made.on_conflict_do_update(index_elements=[table.c.key], set_=values))
        self._ask(connection, at, tenant)

    def strike(self, work: Work, look: Callable[[sa.Connection, Tenant], bool]) -> None:
        """Look, once for each time, and again at once where there is more to do."""
        with work.finishing() as connection:
            table = work.tenant.tables.platform.timer
            mine = table.c.key == self.timer
            row = connection.execute(sa.select(table).where(mine).with_for_update()).one_or_none()
            if row is None or row.next_at.isoformat() != work.payload["at"]:
                return  # it was stopped, or another job looks
            more = look(connection, work.tenant)
            at = now() + (timedelta() if more else EVERY)
            connection.execute(sa.update(table).where(mine).values(last_at=now(), next_at=at))
            self._ask(connection, at)

    def now(self, connection: sa.Connection, tenant: Tenant) -> None:
        """Let it look at this moment, where it runs at all; the next time is nobody's: a scenario's clock is moved."""
        table, at = tenant.tables.platform.timer, now()
        moved = sa.update(table).where(table.c.key == self.timer).values(next_at=at)
        if connection.execute(moved).rowcount:
            self._ask(connection, at, tenant)

    def _ask(self, connection: sa.Connection, at: datetime, tenant: Tenant | None = None) -> None:
        defer(connection, self.kind, {"at": at.isoformat()}, at=at, lock=self.timer, tenant=tenant)
