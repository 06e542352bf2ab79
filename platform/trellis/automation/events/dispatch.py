"""The job that tells events to everybody: one at a time for each tenant, so that the order is kept."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from trellis.automation.events.happening import Happening
from trellis.automation.events.listeners import LISTENERS, Listener
from trellis.automation.jobs import GiveUp, Work, defer, kind
from trellis.records.events import DISPATCH, PRIORITY

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.tenant import Tenant

log = logging.getLogger(__name__)
AT_ONCE = 100  # events told in one transaction, which must not take too long: listeners read each record


@kind(DISPATCH, priority=PRIORITY)
def dispatch(work: Work) -> None:
    """Tell the oldest events, and take them away with the same commit: each is told once, and none is lost."""
    table = work.tenant.tables.platform.event
    with work.finishing() as connection:
        work.absorb(connection)
        rows = connection.execute(sa.select(table).order_by(table.c.id).limit(AT_ONCE).with_for_update()).mappings()
        happened = [Happening(**row) for row in rows]
        for name, tell in LISTENERS.items():
            _tell(connection, work.tenant, name, tell, happened)
        if happened:
            connection.execute(sa.delete(table).where(table.c.id.in_([h.id for h in happened])))
        if len(happened) == AT_ONCE:
            defer(connection, DISPATCH, lock="events")


def _tell(connection: Connection, tenant: Tenant, name: str, tell: Listener, happened: Sequence[Happening]) -> None:
    """Tell one listener. An event that it falls over goes on as a job of its own and holds up no other."""
    if not happened:
        return
    try:
        with connection.begin_nested():
            tell(connection, tenant, happened)
    except sa.exc.OperationalError:
        raise  # the database is away: all of it once more
    except Exception:
        if len(happened) > 1:
            for one in happened:
                _tell(connection, tenant, name, tell, [one])
            return
        log.exception("%s fell over an event; it is told again by itself", name)
        defer(connection, again, {"listener": name, "event": happened[0].as_json()})


@kind("events.again")
def again(work: Work) -> None:
    """Tell one event to one listener that fell over it."""
    tell = LISTENERS.get(work.payload["listener"])
    if tell is None:
        raise GiveUp(f"nobody is called {work.payload['listener']}")
    with work.finishing() as connection:
        tell(connection, work.tenant, [Happening.from_json(work.payload["event"])])
