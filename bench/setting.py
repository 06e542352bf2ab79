"""What the measures work on: a throw-away server, one tenant with many contacts, somebody who is signed in."""

from __future__ import annotations

import argparse
import os
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from bench.fill import fill
from trellis.config.layer import Layer, layer_from_files
from trellis.config.workspace import Workspace
from trellis.formula.reader import Reader
from trellis.identity.person import principal_for, read_person
from trellis.identity.sessions import digest, open_session
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.catalogue import Catalogue, NoSuchTenant
from trellis.storage.database import Database
from trellis.storage.tenant import Tenant
from trellis.web.app import create_tenant_app
from trellis.web.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var" / "bench"
SLUG = "bench"
PROFILE = "label: Bench\nlanguage: en\ntime_zone: Europe/Berlin\ncurrency: EUR\nregion: DE\n"
SERVER = {"shared_buffers": "1GB", "max_wal_size": "4GB", "max_locks_per_transaction": "1024"}
PERSON = uuid.UUID("01900000-0000-7000-9000-000000000001")


@dataclass
class Bench:
    """One run's surroundings."""

    database: Database
    catalogue: Catalogue
    tenant: Tenant
    rows: int
    tenants: int
    seconds: float  # for each comparison

    @cached_property
    def session_secret(self) -> str:
        """The secret of a session of the person."""
        return open_session(self.tenant, PERSON)

    @cached_property
    def principal(self) -> Principal:
        """A sales representative, who may read and change every contact."""
        person = read_person(self.tenant, digest(self.session_secret))
        assert person is not None
        return principal_for(self.tenant, person)

    def store(self) -> Store:
        """The person's door, made anew as every request does."""
        return Store(self.tenant, self.principal)

    def system_store(self) -> Store:
        """The platform's own door."""
        return Store(self.tenant, Principal.system(Reader(currency="EUR", region="DE")))

    @cached_property
    def app(self) -> Flask:
        """Our app of the tenant."""
        return create_tenant_app(self.tenant, Settings(var=VAR), self.catalogue)

    @cached_property
    def client(self) -> FlaskClient:
        """A browser with the person's session."""
        client = self.app.test_client()
        with client.session_transaction() as session:
            session.update({"_user_id": "1", "_fresh": True, "_sid": self.session_secret})
        return client


def open_bench(options: argparse.Namespace) -> Bench:
    """Start the server, and make the tenant with its records unless it is there from an earlier run."""
    VAR.mkdir(parents=True, exist_ok=True)
    database = Database.open(os.environ.get("DATABASE_URL"), VAR, settings=SERVER)
    catalogue = Catalogue(database)
    tenant = _tenant(catalogue, options.rows, fresh=options.fresh)
    return Bench(database, catalogue, tenant, options.rows, options.tenants, options.seconds)


def layers(slug: str = SLUG, **files: str) -> list[Layer]:
    """The core, and a tenant with nothing of its own but what is given."""
    own = {f"schemas/{name}.yaml": text for name, text in files.items()}
    return [Workspace(ROOT).core(), layer_from_files(slug, {"tenant.yaml": f"tenant: {slug}\n{PROFILE}", **own}, slug)]


def _tenant(catalogue: Catalogue, rows: int, *, fresh: bool) -> Tenant:
    """The tenant of an earlier run, when it is made of the same configuration and of as many records."""
    made = layers()
    try:
        entry = catalogue.entry(SLUG)
    except NoSuchTenant:
        entry = None
    if entry is not None:
        kept = catalogue.get(SLUG)
        newest = catalogue.revisions(SLUG)[-1]
        if not fresh and newest.why == _why(rows) and entry.status == "active" and _is_same(kept, made):
            return kept
        catalogue.drop(SLUG)
    print(f"Making {rows:,} contacts …", flush=True)
    tenant = catalogue.create(SLUG, made, "bench", why=_why(rows), status="provisioning")
    fill(tenant, rows, PERSON)
    catalogue.resume(SLUG)
    return catalogue.get(SLUG)


def _why(rows: int) -> str:
    return f"{rows} contacts"


def _is_same(tenant: Tenant, made: list[Layer]) -> bool:
    from trellis.storage.catalogue import compile_or_raise
    from trellis.storage.plan import plan

    return compile_or_raise(made)[0].hash == tenant.model.hash and not plan(tenant, made).steps
