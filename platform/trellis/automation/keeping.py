"""At night: it is forgotten who read personal data long ago, and what nobody confirmed or looked at in time.

The heads of the audit logs are noted.
"""

from __future__ import annotations

from datetime import UTC, datetime

from trellis.automation import clocks
from trellis.automation.forms import looking
from trellis.automation.jobs import Work, kind
from trellis.automation.mail import tracing
from trellis.automation.mail.incoming import fetching
from trellis.records.privacy.access import purge_lines
from trellis.storage.audit.anchors import anchor_now

ACCESS_LOG, HEAD = "privacy.access-log", "audit.head"


@clocks.clock(ACCESS_LOG, cron="41 2 * * *")
def nightly(strike: clocks.Strike) -> None:
    """Every night, for every tenant."""
    strike.defer_for_each_tenant(ACCESS_LOG)
    strike.defer_for_each_tenant(HEAD)


@kind(ACCESS_LOG)
def purge(work: Work) -> None:
    """Remove the lines that are older than the tenant keeps them, and what public forms no longer need."""
    with work.finishing() as connection:
        purge_lines(connection, work.tenant, datetime.now(UTC))
        looking.purge(connection, work.tenant)
        fetching.forget(connection, work.tenant)
        tracing.forget(connection, work.tenant)


@kind(HEAD)
def note_head(work: Work) -> None:
    """Note the head of the tenant's audit log in the catalogue: what is cut off later is noticed by it."""
    anchor_now(work.catalogue, work.tenant)
    with work.finishing():
        pass
