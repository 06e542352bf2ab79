"""Trellis needs no superuser: a login that may make roles, and owns its database, is enough."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.conftest import SAMPLE, layers_of

from trellis.storage.apply import apply
from trellis.storage.catalogue import Catalogue
from trellis.storage.database import Database
from trellis.storage.doctor import Patient, examine
from trellis.storage.plan import plan


@pytest.fixture
def modest(database):
    """A database of its own that an ordinary login has opened."""
    with database.connect_driver() as connection:
        connection.execute("CREATE ROLE modest LOGIN CREATEROLE")
        connection.execute("CREATE DATABASE modest OWNER modest TEMPLATE template0 LOCALE_PROVIDER builtin LOCALE 'C'")
    opened = Database.open(
        database.url.set(username="modest", database="modest").render_as_string(hide_password=False), Path()
    )
    yield opened
    opened.close()
    with database.connect_driver() as connection:
        connection.execute("DROP DATABASE modest WITH (FORCE)")
        connection.execute("DROP ROLE modest")


def test_a_tenants_life_without_a_superuser(modest):
    catalogue = Catalogue(modest)
    tenant = catalogue.create("one", layers_of(SAMPLE, "one"), "test")
    other = catalogue.create("two", layers_of(SAMPLE, "two"), "test")
    with tenant.begin() as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar() == tenant.role
        connection.exec_driver_sql("INSERT INTO account (id, name) VALUES (gen_random_uuid(), 'Acme')")
    with tenant.begin() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied for schema"):
        connection.exec_driver_sql(f'SELECT * FROM "{other.schema}".account')
    text = SAMPLE.replace("vip: {type: boolean}", "vip: {type: boolean}\n  fax: {type: text, index: true}")
    tenant = apply(catalogue, plan(tenant, layers_of(text, "one")), "test")
    with tenant.begin() as connection:
        assert connection.exec_driver_sql("SELECT name, fax FROM account").one() == ("Acme", None)
    wrong = [(name, f.text) for name, f in examine(Patient(Path(), Path(), catalogue)) if f.level == "wrong"]
    assert [name for name, _ in wrong if name == "Tenants"] == []
    catalogue.drop("one")
    catalogue.drop("two")
