"""Having the tables of slow reports watched, so that their answers can be remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trellis.automation import clocks
from trellis.automation.jobs import Backoff, Work, defer, kind
from trellis.records.reading import remembered
from trellis.storage.watching import forget_changes, watch

if TYPE_CHECKING:
    from trellis.records.session import Session

WATCH, FORGET = "reports.watch", "reports.forget-changes"
_asked: set[tuple[str, str]] = set()


@kind(WATCH, retry=Backoff(tries=20, first=2))  # somebody may be writing to a table just then
def watch_tables(work: Work) -> None:
    """Watch the tables of a slow report."""
    known = set(work.tenant.tables.metadata.tables)
    watch(work.tenant, [name for name in work.payload["tables"] if name in known])


@clocks.clock(FORGET, cron="23 3 * * *")
def nightly(strike: clocks.Strike) -> None:
    """Every night, for every tenant."""
    strike.defer_for_each_tenant(FORGET)


@kind(FORGET)
def forget(work: Work) -> None:
    """Forget who has written what long ago."""
    with work.finishing() as connection:
        forget_changes(connection, work.tenant)


def _have_watched(session: Session, names: Sequence[str]) -> None:
    """Ask for the tables of a slow statement to be watched, once from each process."""
    wanted = [name for name in names if (session.tenant.schema, name) not in _asked]
    if wanted:
        _asked.update((session.tenant.schema, name) for name in wanted)
        with session.transaction() as connection:
            defer(connection, WATCH, {"tables": wanted}, lock="reports.watch")


remembered.on_slow.append(_have_watched)
