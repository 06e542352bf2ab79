"""A tenant whose tables an earlier version of Trellis made: brought up to this one by the same plan and apply."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from trellis.storage.apply import PlanOutdated, apply
from trellis.storage.followups import follow_up, remember
from trellis.storage.names import sql_name
from trellis.storage.plan import plan_compiled

if TYPE_CHECKING:
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

WHY = "Upgrade of Trellis"
ATTEMPTS = 5  # other nodes start at the same moment, and one of them is first
log = logging.getLogger(__name__)


class UpgradeNeeded(Exception):
    """The tables are an earlier version's, and only a person may say that they change: the text says how."""


def up_to_date(catalogue: Catalogue, slug: str) -> Tenant:
    """A tenant whose tables have every column that this version reads. Raises UpgradeNeeded, and as Catalogue.get.

    What is there is read in one query; only when something is missing is a plan made and applied, but for what
    it would take away: that is left for a person, and `trellis doctor` tells of it.
    """
    for _ in range(ATTEMPTS):
        tenant = catalogue.get(slug)
        missing = missing_columns(tenant)
        if not missing and not missing_indexes(tenant):
            return tenant
        try:
            return _upgrade(catalogue, tenant, missing)
        except PlanOutdated:
            continue
    raise UpgradeNeeded(f"{slug} was changed again and again while it was to be upgraded: start once more")


def missing_columns(tenant: Tenant) -> dict[str, set[str]]:
    """By table, the columns that this version needs and the database does not have."""
    with tenant.database.engine.begin() as connection:
        rows = connection.exec_driver_sql(_COLUMNS, (sql_name(tenant.schema),))
        live = {(table, column) for table, column in rows}
    missing: dict[str, set[str]] = {}
    for name, table in tenant.tables.metadata.tables.items():
        if lacking := {c.name for c in table.columns if (name, c.name) not in live}:
            missing[name] = lacking
    return missing


def missing_indexes(tenant: Tenant) -> set[str]:
    """The indexes that this version needs and the database does not have, or has left unfinished."""
    with tenant.database.engine.begin() as connection:
        live = set(connection.exec_driver_sql(_INDEXES, (sql_name(tenant.schema),)).scalars())
    tables = tenant.tables.metadata.tables.values()
    return {str(index.name) for table in tables for index in table.indexes} - live


def _upgrade(catalogue: Catalogue, tenant: Tenant, missing: dict[str, set[str]]) -> Tenant:
    layers = catalogue.revision(tenant.slug, tenant.revision).layers
    planned = plan_compiled(tenant, layers, tenant.model, tenant.profile)
    if planned.failing and not missing:  # only indexes are missing: without them it is slower, and works
        log.warning("%s lacks indexes that cannot be made: see `trellis plan %s --live`", tenant.slug, tenant.slug)
        return tenant
    if planned.failing:
        raise UpgradeNeeded(
            f"the tables of {tenant.slug} are an earlier version's, and some rows do not fit this one. "
            f"`trellis plan {tenant.slug} --live` shows them; correct them, then run "
            f"`trellis apply {tenant.slug} --live`. In the way: {' '.join(s.text for s in planned.failing)}"
        )
    records = any(table.name in missing for table in tenant.tables.entity.values())
    if records:  # before the change, so that being killed in between forgets nothing
        with catalogue.database.engine.begin() as connection:
            remember(connection, tenant.slug, 0)  # no such revision: all that is derived is computed anew
    upgraded = apply(catalogue, planned, "trellis", WHY, keep=True, follow=False)
    done = " ".join(s.text for s in planned.steps if not s.destroys)
    log.warning("upgraded the tables of %s: %s", tenant.slug, done)
    if records:  # what may take long is nothing that a page should wait for
        threading.Thread(target=follow_up, args=(catalogue, tenant.slug), name="trellis-upgrade", daemon=True).start()
    return upgraded


_COLUMNS = """
SELECT c.relname, a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = to_regnamespace(%s)::oid AND c.relkind IN ('r', 'p')
"""
_INDEXES = """
SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relnamespace = to_regnamespace(%s)::oid AND i.indisvalid
"""
