"""Work on old records after a revision: remembered in its transaction, so that being killed leaves nothing undone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.storage.hooks import after_publish
from trellis.storage.schema import followups
from trellis.storage.tenant import RevisionChanged

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

LOCK = 7274  # advisory locks (LOCK, hash of the slug): who is doing a tenant's work
log = logging.getLogger(__name__)


def remember(connection: Connection, slug: str, before: int) -> None:
    """Note, in the transaction that publishes, that there is work to do."""
    connection.execute(insert(followups).values(tenant=slug, before=before).on_conflict_do_nothing())


def pending(catalogue: Catalogue) -> dict[str, int]:
    """The tenants whose old records are still to be worked on, with the revision they were written by."""
    first = sa.select(followups.c.tenant, sa.func.min(followups.c.before)).group_by(followups.c.tenant)
    with catalogue.database.engine.begin() as connection:
        return {row[0]: row[1] for row in connection.execute(first)}


def follow_up(catalogue: Catalogue, slug: str, *known: Tenant, wait: bool = True) -> bool:
    """Do a tenant's work; whether nothing is left of it. What is `known` of its revisions is not compiled again.

    Without `wait`, leave it alone while somebody else is at it. What goes wrong is logged, and tried again later.
    """
    with _turn(catalogue, slug, wait) as mine:
        number = pending(catalogue).get(slug)
        if number is None:
            return True
        if not mine:
            return False
        at = {t.revision: t for t in known}
        tenant = at.get(catalogue.entry(slug).revision) or catalogue.get(slug)
        old = at.get(number) or _as_of(catalogue, tenant, number)
        try:
            for hook in after_publish:
                hook(tenant, old)
        except RevisionChanged:
            return False  # whoever has published that does this, too
        except Exception as error:
            if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:  # the server was stopped
                log.warning("work on the old records of %s was interrupted; the next start goes on with it", slug)
            else:
                log.exception("work on the old records of %s failed; trellis doctor tells how to go on", slug)
            return False
        done = (followups.c.tenant == slug) & (followups.c.before < tenant.revision)
        with catalogue.database.engine.begin() as connection:
            connection.execute(sa.delete(followups).where(done))
        return True


def follow_up_all(catalogue: Catalogue) -> None:
    """Go on with what a killed process has left, unless another process is at it."""
    for slug in pending(catalogue):
        try:
            follow_up(catalogue, slug, wait=False)
        except Exception:
            log.exception("work on the old records of %s failed", slug)


def _as_of(catalogue: Catalogue, tenant: Tenant, number: int) -> Tenant:
    """The tenant as it was; one without entities when that cannot be known, so that all of the work is done."""
    from trellis.storage.catalogue import BrokenConfiguration, compile_or_raise

    try:
        model = compile_or_raise(catalogue.revision(tenant.slug, number).layers)[0]
    except (BrokenConfiguration, LookupError):
        model = replace(tenant.model, entities={})
    return replace(tenant, model=model, revision=number)


@contextmanager
def _turn(catalogue: Catalogue, slug: str, wait: bool) -> Iterator[bool]:
    """Hold the tenant's turn; false when somebody else has it and we do not wait."""
    key = sa.func.hashtext(slug)
    with catalogue.database.engine.connect() as connection:
        connection.exec_driver_sql("SET lock_timeout = 0; SET statement_timeout = 0")
        take = sa.func.pg_advisory_lock if wait else sa.func.pg_try_advisory_lock
        mine = connection.execute(sa.select(take(LOCK, key))).scalar() is not False
        connection.commit()
        try:
            yield mine
        finally:
            try:
                if mine:
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(LOCK, key)))
                connection.exec_driver_sql("RESET lock_timeout; RESET statement_timeout")
                connection.commit()
            except sa.exc.DBAPIError as error:
                if not error.connection_invalidated:  # a connection that is gone holds no lock
                    raise
