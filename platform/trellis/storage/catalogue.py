"""The catalogue: which tenants there are, where they lie, and what each is made of."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.config.layer import Layer, layer_from_files
from trellis.storage import ddl
from trellis.storage.audit.company import note_company, note_status
from trellis.storage.database import Database
from trellis.storage.hooks import after_apply
from trellis.storage.letters import bring_letters
from trellis.storage.names import short, sql_name, sql_text
from trellis.storage.queue import forget, install_queue
from trellis.storage.schema import SCHEMA, metadata, revisions, tenants
from trellis.storage.tables import tables_for
from trellis.storage.tenant import Tenant, describe_schema

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Row

    from trellis.config.problem import Problem
    from trellis.model.model import Model
    from trellis.model.profile import TenantProfile

SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_SLUG = 48
ORDER = 7_272_001  # the advisory lock under which the catalogue's own tables are made
# installations that are older than this column get it here
_HAS_ORIGIN = (
    "EXISTS (SELECT 1 FROM pg_attribute"
    " WHERE attrelid = to_regclass('trellis.revisions') AND attname = 'origin' AND NOT attisdropped)"
)
_ADD_ORIGIN = "ALTER TABLE trellis.revisions ADD COLUMN IF NOT EXISTS origin text NOT NULL DEFAULT 'files'"


class NoSuchTenant(LookupError):
    """No tenant has this slug."""


class TenantExists(ValueError):
    """A tenant with this slug is there already."""


class BrokenConfiguration(ValueError):
    """A configuration with errors is never published; `problems` says what is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        errors = [p for p in problems if p.is_error]
        super().__init__("; ".join(f"{p.mark}: {p.code} {p.message}" for p in errors[:5]) or "broken configuration")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Entry:
    """One tenant in the catalogue's list."""

    slug: str
    label: str
    schema: str
    role: str
    status: str
    revision: int
    created_at: datetime
    database: str | None = None


@dataclass(frozen=True)
class Revision:
    """One published configuration of a tenant."""

    tenant: str
    number: int
    at: datetime
    who: str
    why: str
    hash: str
    layers: tuple[Layer, ...] = ()
    steps: tuple[str, ...] = ()
    origin: str = "files"  # or "studio": written in the browser


class Catalogue:
    """The tenants of an installation. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._elsewhere: dict[str, Database] = {}
        self._guard = threading.Lock()
        self._prepare()
        install_queue(database.engine)

    def _prepare(self) -> None:
        """Make the catalogue's own tables if they are not there, in a schema that tenants cannot look into."""
        with self.database.engine.begin() as connection:
            made: list[sa.ColumnElement[Any]] = [sa.func.to_regclass(name) for name in metadata.tables]
            made.append(sa.select(sa.func.count()).where(sa.text(_HAS_ORIGIN)).scalar_subquery())
            if all(connection.execute(sa.select(*made)).one()):
                return
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ORDER)))
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            connection.exec_driver_sql(f"REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC")
            metadata.create_all(connection)
            connection.exec_driver_sql(_ADD_ORIGIN)

    # reading

    def list(self) -> list[Entry]:
        """Every tenant, by slug."""
        with self.database.engine.begin() as connection:
            return [_entry(row) for row in connection.execute(sa.select(tenants).order_by(tenants.c.slug))]

    def entry(self, slug: str) -> Entry:
        """One tenant's line in the list. Raises NoSuchTenant."""
        with self.database.engine.begin() as connection:
            row = connection.execute(sa.select(tenants).where(tenants.c.slug == slug)).one_or_none()
        if row is None:
            raise NoSuchTenant(slug)
        return _entry(row)

    def get(self, slug: str) -> Tenant:
        """A tenant with the Model of its current revision. Raises NoSuchTenant."""
        entry = self.entry(slug)
        revision = self.revision(slug, entry.revision)
        return self.tenant(entry, *compile_or_raise(revision.layers))

    def tenant(self, entry: Entry, model: Model, profile: TenantProfile) -> Tenant:
        """The tenant of an entry, with a Model."""
        return Tenant(
            slug=entry.slug,
            schema=entry.schema,
            role=entry.role,
            profile=profile,
            model=model,
            tables=tables_for(model),
            revision=entry.revision,
            status=entry.status,
            database=self.database_at(entry.database),
        )

    def revision(self, slug: str, number: int) -> Revision:
        """A revision with its configuration. Raises LookupError."""
        with self.database.engine.begin() as connection:
            row = connection.execute(
                sa.select(revisions).where(revisions.c.tenant == slug, revisions.c.number == number)
            ).one_or_none()
        if row is None:
            raise LookupError(f"tenant {slug} has no revision {number}")
        return _revision(row)

    def revisions(self, slug: str) -> Sequence[Revision]:
        """A tenant's revisions, the newest first, without their configuration."""
        columns = [c for c in revisions.c if c.name != "layers"]
        query = sa.select(*columns).where(revisions.c.tenant == slug).order_by(revisions.c.number.desc())
        with self.database.engine.begin() as connection:
            return [_revision(row) for row in connection.execute(query)]

    def database_at(self, address: str | None) -> Database:
        """The database that a tenant's data lies in: this one, or another, opened once."""
        if address is None:
            return self.database
        with self._guard:
            if address not in self._elsewhere:
                opened = Database.open(address, Path())
                install_queue(opened.engine)
                self._elsewhere[address] = opened
            return self._elsewhere[address]

    # changing

    def create(self, slug: str, layers: Sequence[Layer], who: str, *, why: str = "", status: str = "active") -> Tenant:
        """Make a tenant: schema, role, tables, first revision, all in one transaction.

        With the status `provisioning` it stays closed until `resume`: its data is still to be loaded.
        Raises TenantExists, and BrokenConfiguration when the layers have errors.
        """
        return self.create_compiled(slug, layers, *compile_or_raise(layers), who, why=why, status=status)

    def create_compiled(
        self,
        slug: str,
        layers: Sequence[Layer],
        model: Model,
        profile: TenantProfile,
        who: str,
        *,
        why: str = "",
        status: str = "active",
    ) -> Tenant:
        """Make a tenant of a Model that is compiled already."""
        check_slug(slug)
        schema, tables = short(f"t_{slug}"), tables_for(model)
        with self.database.engine.begin() as connection:
            role = short(f"trellis:{connection.exec_driver_sql('SELECT current_database()').scalar()}:{slug}")
            lock_tenant(connection, slug)
            if connection.execute(sa.select(tenants.c.slug).where(tenants.c.slug == slug)).first():
                raise TenantExists(f"there is a tenant {slug} already")
            _make_role(connection, role)
            run_script(connection, f"CREATE SCHEMA {sql_name(schema)}; {describe_schema(schema, slug, 1)}")
            bring_letters(connection, schema)
            row = {"slug": slug, "label": profile.label, "schema": schema, "role": role, "revision": 1}
            connection.execute(sa.insert(tenants).values(**row, status=status))
            connection.execute(
                sa.insert(revisions).values(**revision_row(slug, 1, layers, model, who, why or "Created"))
            )
            grants = ";\n".join(ddl.grant_statements(schema, role, tables))
            path = f"SET LOCAL search_path TO {sql_name(schema)}, pg_catalog"
            run_script(connection, f"{path};\n{ddl.create_all(model, tables)};\n{grants}")
            tenant = Tenant(slug, schema, role, profile, model, tables, 1, status, self.database)
            for hook in after_apply:
                hook(connection, tenant, None)
            note_company(connection, tenant, "company.created", who, {"why": why} if why else None)
            announce(connection, slug, 1)
        return tenant

    def suspend(self, slug: str) -> None:
        """Close a tenant; its data stays."""
        self._set_status(slug, "suspended")
        note_status(self, self.entry(slug), "company.suspended")

    def resume(self, slug: str) -> None:
        """Open a suspended tenant again."""
        self._set_status(slug, "active")
        note_status(self, self.entry(slug), "company.resumed")

    def drop(self, slug: str) -> None:
        """Destroy a tenant: its data, its role and every revision."""
        entry = self.entry(slug)
        with self.database_at(entry.database).engine.begin() as connection:
            lock_tenant(connection, slug)
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            forget(connection, entry.role)
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {sql_name(entry.schema)} CASCADE")
            if _role_exists(connection, entry.role):
                connection.exec_driver_sql(f"DROP ROLE {sql_name(entry.role)}")
        with self.database.engine.begin() as connection:
            connection.execute(sa.delete(tenants).where(tenants.c.slug == slug))
            announce(connection, slug, 0)

    def _set_status(self, slug: str, status: str) -> None:
        with self.database.engine.begin() as connection:
            changed = connection.execute(
                sa.update(tenants).where(tenants.c.slug == slug).values(status=status).returning(tenants.c.revision)
            ).one_or_none()
            if changed is None:
                raise NoSuchTenant(slug)
            announce(connection, slug, changed.revision)


def check_slug(slug: str) -> None:
    """Raise ValueError for what cannot be a tenant's slug."""
    if not SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise ValueError(f"{slug!r} cannot be a tenant's name: small letters, digits and single hyphens, at most 48")


def compile_or_raise(layers: Sequence[Layer]) -> tuple[Model, TenantProfile]:
    """The Model and the profile of the layers. Raises BrokenConfiguration when there are errors in them."""
    from trellis.model.compile import compile_layers  # reads YAML and every kind: only when something is compiled

    compiled = compile_layers(list(layers))
    if compiled.model is None or compiled.profile is None or any(p.is_error for p in compiled.problems):
        raise BrokenConfiguration(compiled.problems)
    return compiled.model, compiled.profile


def revision_row(
    slug: str,
    number: int,
    layers: Sequence[Layer],
    model: Model,
    who: str,
    why: str,
    steps: Sequence[str] = (),
    origin: str = "files",
) -> dict[str, Any]:
    """A revision as a row of the catalogue."""
    files = [{"name": x.name, "folder": x.folder, "files": x.text()} for x in layers]
    return {
        "tenant": slug,
        "number": number,
        "who": who,
        "why": why,
        "hash": model.hash,
        "layers": files,
        "steps": list(steps),
        "origin": origin,
    }


def announce(connection: Connection, slug: str, revision: int) -> None:
    """Tell every node, when the transaction commits, that a tenant has changed."""
    connection.exec_driver_sql("SELECT pg_notify('trellis_revision', %s)", (f"{slug} {revision}",))


def run_script(connection: Connection, script: str) -> None:
    """Run several statements in one round trip."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(script)


def lock_tenant(connection: Connection, slug: str) -> None:
    """Wait for other changes of the same tenant; held to the end of the transaction."""
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7272))", (slug,))


def is_locked(connection: Connection, slug: str) -> bool:
    """Whether a change of the tenant is going on, for which another would have to wait."""
    query = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 7272))"
    return not connection.exec_driver_sql(query, (slug,)).scalar_one()


def _role_exists(connection: Connection, role: str) -> bool:
    return connection.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).first() is not None


def _make_role(connection: Connection, role: str) -> None:
    """A role that cannot log in and owns nothing; our login may become it."""
    name = sql_name(role)
    if not _role_exists(connection, role):
        connection.exec_driver_sql(f"CREATE ROLE {name} NOLOGIN NOINHERIT")
    superuser = connection.exec_driver_sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").scalar()
    if not superuser:
        connection.exec_driver_sql(f"GRANT {name} TO CURRENT_USER")
    connection.exec_driver_sql(f"COMMENT ON ROLE {name} IS {sql_text('a Trellis tenant')}")


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        slug=row.slug,
        label=row.label,
        schema=row.schema,
        role=row.role,
        status=row.status,
        revision=row.revision,
        created_at=row.created_at,
        database=row.database,
    )


def _revision(row: Row[Any]) -> Revision:
    stored = row._mapping.get("layers") or ()
    return Revision(
        tenant=row.tenant,
        number=row.number,
        at=row.at,
        who=row.who,
        why=row.why,
        hash=row.hash,
        layers=tuple(layer_from_files(x["name"], x["files"], x.get("folder", "")) for x in stored),
        steps=tuple(row.steps),
        origin=row.origin,
    )
