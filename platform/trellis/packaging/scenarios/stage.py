"""The throw-away tenant that scenarios are played on: made once for a layer, and made clean again for each of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from trellis.automation.mail.account import INSTALLATION, SENDER
from trellis.automation.worker.drain import registered
from trellis.model import sealing
from trellis.model.compile import compile_layers
from trellis.model.profile import TenantProfile
from trellis.model.sign_in import MessageWay
from trellis.packaging.provision import load_layers
from trellis.storage.catalogue import BrokenConfiguration
from trellis.storage.names import sql_name, sql_text

if TYPE_CHECKING:
    from trellis.config.layer import Layer
    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant

_numbers = itertools.count(1)
# nobody is there: letters of a scenario are looked at, never sent
POST = {INSTALLATION: "smtp://scenario.invalid:25?security=none", SENDER: "Scenario <scenario@scenario.invalid>"}

TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r' ORDER BY c.relname
"""
COLUMNS = """
SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
FROM information_schema.columns WHERE table_schema = %s AND is_generated = 'NEVER' GROUP BY table_name
"""


class Stage:
    """A tenant with its layers' seed data and nothing else."""

    def __init__(self, catalogue: Catalogue, tenant: Tenant, worker: int) -> None:
        self.catalogue = catalogue
        self.tenant = tenant
        self.worker = worker
        self._kept = f"{tenant.schema}_kept"
        self._script = self._remember()

    def clean(self) -> None:
        """Let everything be as it was when the stage was made."""
        with self.tenant.database.engine.begin() as connection:
            _run(connection, self._script)
            connection.exec_driver_sql("SELECT trellis_queue.forget(%s)", (self.tenant.role,))

    def with_settings(self, settings: Any) -> Tenant:
        """The tenant with settings of a scenario's own."""
        profile = self.tenant.profile
        return replace(self.tenant, profile=replace(profile, settings={**profile.settings, **settings}))

    def _remember(self) -> str:
        """Keep the rows that are there; the script that brings back exactly them."""
        schema, kept = sql_name(self.tenant.schema), sql_name(self._kept)
        with self.tenant.database.engine.begin() as connection:
            names = [row[0] for row in connection.exec_driver_sql(TABLES, (self.tenant.schema,))]
            columns = {row[0]: row[1] for row in connection.exec_driver_sql(COLUMNS, (self.tenant.schema,))}
            counted = " UNION ALL ".join(
                f"(SELECT {sql_text(name)} AS name FROM {schema}.{sql_name(name)} LIMIT 1)" for name in names
            )
            filled = [row[0] for row in connection.exec_driver_sql(counted)]
            _run(connection, f"CREATE SCHEMA {kept}")
            back = []
            for name in filled:
                table = sql_name(name)
                _run(connection, f"CREATE TABLE {kept}.{table} AS SELECT {columns[name]} FROM {schema}.{table}")
                back.append(
                    f"INSERT INTO {schema}.{table} ({columns[name]}) OVERRIDING SYSTEM VALUE "
                    f"SELECT {columns[name]} FROM {kept}.{table}"
                )
        gone = [f"DELETE FROM {schema}.{sql_name(name)}" for name in names]
        # what holds tables together, and what keeps the audit log from being changed, stands back for this transaction
        return ";\n".join(["SET LOCAL session_replication_role = replica", *gone, *back])

    def close(self) -> None:
        """Take the tenant away."""
        with self.tenant.database.engine.begin() as connection:
            _run(connection, f"DROP SCHEMA IF EXISTS {sql_name(self._kept)} CASCADE")
        self.catalogue.drop(self.tenant.slug)


@contextmanager
def open_stage(catalogue: Catalogue, layers: Sequence[Layer]) -> Iterator[Stage]:
    """Make a stage of layers. Raises BrokenConfiguration. What their seed data lacks is a ValueError."""
    compiled = compile_layers(list(layers))
    model, profile = compiled.model, compiled.profile
    if model is None:
        raise BrokenConfiguration(compiled.problems)
    slug = f"scenario-{os.getpid()}-{next(_numbers)}"
    settings = {key: setting.default for key, setting in model.settings.items()}
    own = profile or TenantProfile(slug, "Scenario", settings=settings)
    tenant = catalogue.create_compiled(
        slug, [], model, replace(own, mail=None, messages={**NOBODY, **own.messages}), "scenario"
    )
    try:
        with _sealed(), _posted(), registered(tenant.database) as worker:
            failures = load_layers(tenant, layers, ("seed",))
            if failures:
                raise ValueError("; ".join(failures))
            stage = Stage(catalogue, tenant, worker)
            try:
                yield stage
            finally:
                stage.close()
    except BaseException:
        if any(entry.slug == slug for entry in catalogue.list()):
            catalogue.drop(slug)
        raise


NOBODY = {channel: MessageWay("http", url="https://scenario.invalid/") for channel in ("sms", "chat")}
"""Gateways that nobody is behind: what goes by them is looked at, never sent."""


@contextmanager
def _sealed() -> Iterator[None]:
    """A key that seals letters and secrets, where the installation has none."""
    before = list(sealing._keys)
    sealing.use_keys(Fernet.generate_key())
    try:
        yield
    finally:
        sealing._keys[:] = before


@contextmanager
def _posted() -> Iterator[None]:
    """A mail account that nobody is behind."""
    before = {name: os.environ.get(name) for name in POST}
    os.environ.update(POST)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _run(connection: Any, script: str) -> None:
    connection.connection.driver_connection.execute(script)
