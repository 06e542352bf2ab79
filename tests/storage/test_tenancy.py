"""The wall between tenants is the database's own."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from tests.storage.models import small_model

from trellis.storage.catalogue import Catalogue, NoSuchTenant, TenantExists


@pytest.fixture
def two(make_tenant):
    """Two tenants of the same Model."""
    return make_tenant(model=small_model()), make_tenant(model=small_model())


def test_another_tenants_table_is_refused_by_its_full_name(two):
    mine, other = two
    with mine.begin() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied for schema"):
        connection.exec_driver_sql(f'SELECT * FROM "{other.schema}".account')


def test_the_catalogue_is_refused(two):
    mine, _ = two
    with mine.begin() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied for schema"):
        connection.exec_driver_sql("SELECT * FROM trellis.tenants")


def test_search_path_does_not_lead_into_another_tenant(two):
    mine, other = two
    with mine.begin() as connection:
        connection.exec_driver_sql(f'SET LOCAL search_path TO "{other.schema}"')
        with pytest.raises(sa.exc.ProgrammingError, match="does not exist"):
            connection.exec_driver_sql("SELECT * FROM account")


def test_a_tenant_cannot_change_its_tables(two):
    mine, _ = two
    with mine.begin() as connection, pytest.raises(sa.exc.ProgrammingError, match="must be owner"):
        connection.exec_driver_sql("ALTER TABLE account ADD COLUMN x text")


def test_a_tenant_cannot_make_tables(two):
    mine, _ = two
    with mine.begin() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.exec_driver_sql("CREATE TABLE x (a int)")


@pytest.mark.parametrize("statement", ["UPDATE _history SET means = 'x'", "DELETE FROM _history", "TRUNCATE _history"])
def test_history_only_grows(two, statement):
    mine, _ = two
    with mine.begin() as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.exec_driver_sql(statement)


def test_history_grows(two):
    mine, _ = two
    history = mine.tables.platform.history
    with mine.begin() as connection:
        row = {"entity": "account", "record": sa.text("gen_random_uuid()"), "kind": "create", "means": "page"}
        connection.execute(sa.insert(history).values(**row))
        assert connection.execute(sa.select(sa.func.count()).select_from(history)).scalar() == 1


def test_the_transaction_ends_with_the_role(two, database):
    mine, _ = two
    with mine.begin() as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar() == mine.role
    with database.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar() != mine.role


def test_an_exception_rolls_back(two):
    mine, _ = two
    account = mine.tables.entity["account"]

    def write_and_fail():
        with mine.begin() as connection:
            connection.execute(sa.insert(account).values(id=sa.text("gen_random_uuid()"), name="x"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    with mine.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(account)).scalar() == 0


def test_a_connection_that_died_in_the_pool_is_replaced(two, database):
    mine, _ = two
    with mine.begin() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with database.connect_driver() as other:
        other.execute("SELECT pg_terminate_backend(%s, 1000)", (pid,))
    with mine.begin() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1


def test_a_tenant_is_made_once(two, catalogue):
    mine, _ = two
    with pytest.raises(TenantExists):
        catalogue.create_compiled(mine.slug, [], mine.model, mine.profile, "test")


@pytest.mark.parametrize("slug", ["", "A", "a b", "a_b", "-a", "a--b", "x" * 60, 'a"; drop'])
def test_hostile_names_are_refused(catalogue: Catalogue, slug):
    model = small_model()
    with pytest.raises(ValueError, match="cannot be a tenant's name"):
        catalogue.create_compiled(slug, [], model, None, "test")


def test_drop_leaves_nothing(catalogue: Catalogue, database):
    from trellis.model.profile import TenantProfile

    tenant = catalogue.create_compiled("gone", [], small_model(), TenantProfile("gone", "Gone"), "test")
    catalogue.drop("gone")
    with pytest.raises(NoSuchTenant):
        catalogue.entry("gone")
    with database.engine.begin() as connection:
        for left, name in (("pg_roles WHERE rolname", tenant.role), ("pg_namespace WHERE nspname", tenant.schema)):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {left} = %s", (name,)).scalar() == 0


def test_the_text_of_an_error_holds_no_values(tenant):
    with pytest.raises(sa.exc.DBAPIError) as error, tenant.begin() as connection:
        connection.execute(sa.text("SELECT length(:kept), 1 / 0"), {"kept": "a very private word"})
    assert "private" not in str(error.value)
