"""The checks of machine, database and tenants."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trellis.storage.audit.chain import watch
from trellis.storage.audit.tables import APPEND_ONLY, READ_ONLY
from trellis.storage.catalogue import BrokenConfiguration
from trellis.storage.database import OLDEST_VERSION
from trellis.storage.doctor import Finding, Patient, check
from trellis.storage.followups import pending
from trellis.storage.plan import plan_compiled

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

LITTLE_SPACE = 2_000_000_000
CLOCK_DRIFT = 5  # seconds


@check("Python")
def _python(patient: Patient) -> Iterator[Finding]:
    version = ".".join(str(n) for n in sys.version_info[:3])
    yield Finding("ok", version)


@check("Requirements")
def _requirements(patient: Patient) -> Iterator[Finding]:
    file = patient.root / "requirements.txt"
    if not file.exists():
        return
    wrong = []
    for name, wanted in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s\\;]+)", file.read_text(), re.MULTILINE):
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "nothing"
        if found != wanted:
            wrong.append(f"{name} {wanted} is wanted, {found} is there")
    if wrong:
        mend = "Run `make run`, or: .venv/bin/pip install -r requirements.txt"
        yield Finding("wrong", "; ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""), mend)
    else:
        yield Finding("ok", "as locked")


@check("Disk")
def _disk(patient: Patient) -> Iterator[Finding]:
    place = patient.var if patient.var.exists() else patient.root
    free = shutil.disk_usage(place).free
    text = f"{free / 1e9:.1f} GB free at {place}"
    if free < LITTLE_SPACE:
        yield Finding("wrong", text, "Free some space: PostgreSQL stops when the disk is full.")
    else:
        yield Finding("ok", text)


@check("Database")
def _database(patient: Patient) -> Iterator[Finding]:
    if patient.catalogue is None:
        mend = "Look at DATABASE_URL, or, for the embedded PostgreSQL, at var/postgres/log."
        yield Finding("wrong", patient.trouble, mend)
        return
    with patient.catalogue.database.engine.begin() as connection:
        row = connection.exec_driver_sql(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,"
            " current_setting('server_encoding'), lower('ÄЖ') = 'äж', now(),"
            " (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user),"
            " has_database_privilege(current_database(), 'CREATE'), current_user, current_database()"
        ).one()
    version, major, encoding, folds, clock, makes_roles, makes_schemas, user, name = row
    yield Finding("ok", f"PostgreSQL {version}")
    if major < OLDEST_VERSION:
        yield Finding("wrong", f"PostgreSQL {major} is too old", f"Upgrade it to {OLDEST_VERSION} or later.")
    if encoding != "UTF8":
        yield Finding("wrong", f"the encoding is {encoding}", "Make the database anew with ENCODING 'UTF8'.")
    if not folds:
        mend = "Make the database anew with a UTF-8 locale, for example: CREATE DATABASE … LOCALE 'C.UTF-8'"
        yield Finding("wrong", "upper and lower case of other scripts are not known", mend)
    if not makes_roles:
        yield Finding("wrong", f"{user} cannot make roles for tenants", f'As superuser: ALTER ROLE "{user}" CREATEROLE')
    if not makes_schemas:
        mend = f'As superuser: GRANT CREATE ON DATABASE "{name}" TO "{user}"'
        yield Finding("wrong", f"{user} cannot make schemas for tenants", mend)
    drift = abs(clock.timestamp() - time.time())
    if drift > CLOCK_DRIFT:
        mend = "Let both machines follow the same time servers."
        yield Finding("wrong", f"this machine's clock and the database's are {drift:.0f} s apart", mend)


@check("Tenants")
def _tenants(patient: Patient) -> Iterator[Finding]:
    if patient.catalogue is None:
        return
    for entry in patient.catalogue.list():
        try:
            tenant = patient.catalogue.get(entry.slug)
        except BrokenConfiguration as error:
            mend = f"Correct the configuration and run `trellis apply {entry.slug}`."
            yield Finding("wrong", f"{entry.slug}: this version does not take its configuration: {error}", mend)
            continue
        findings = list(_tenant(tenant))
        yield from findings or [Finding("ok", f"{entry.slug}: revision {entry.revision}, {entry.status}")]


def _tenant(tenant: Tenant) -> Iterator[Finding]:
    steps = plan_compiled(tenant, (), tenant.model, tenant.profile).steps
    if steps:
        text = f"{tenant.slug}: the tables are not what its configuration says: {steps[0].text}"
        more = f" and {len(steps) - 1} more" if len(steps) > 1 else ""
        mend = f"Look with `trellis plan {tenant.slug} --live`, then run `trellis apply {tenant.slug} --live`."
        yield Finding("wrong", text + more, mend)
    with tenant.database.engine.begin() as connection:
        rows = connection.exec_driver_sql(_RIGHTS, {"schema": tenant.schema, "role": tenant.role})
        rights = {r.name: r for r in rows}
        is_watched = watch(connection, tenant.schema)
    if not is_watched:
        mend = f"Run `trellis apply {tenant.slug} --live`, then `trellis audit verify --tenant {tenant.slug}`."
        yield Finding("wrong", f"{tenant.slug}: the triggers that keep the audit log are missing or switched off", mend)
    for name, table in tenant.tables.metadata.tables.items():
        right = rights.get(name)
        grows = bool(table.info.get(APPEND_ONLY))
        adds = not table.info.get(READ_ONLY)
        if right is None or right.writes == grows or right.adds != adds:
            mend = f"Run `trellis apply {tenant.slug} --live`, which gives the rights anew."
            yield Finding("wrong", f"{tenant.slug}: the rights on {name} are not as they should be", mend)


@check("Old records")
def _old_records(patient: Patient) -> Iterator[Finding]:
    for slug in pending(patient.catalogue) if patient.catalogue is not None else ():
        mend = (
            f"A running apply is at it, or was stopped: `trellis apply {slug} --live` goes on, so does the next start."
        )
        yield Finding("advice", f"{slug}: old records are not yet what its last revision makes of them", mend)


_RIGHTS = """
SELECT c.relname AS name,
    has_table_privilege(%(role)s, c.oid, 'UPDATE') AND has_table_privilege(%(role)s, c.oid, 'DELETE') AS writes,
    has_table_privilege(%(role)s, c.oid, 'SELECT') AND has_table_privilege(%(role)s, c.oid, 'INSERT') AS adds
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p')
"""
