"""Statements that are kept prepared: right for every tenant and every Model, and never too many of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from psycopg import _queries
from tests.storage.models import small_model

from trellis.storage.prepared import KEPT, MOST

READ = sa.text("SELECT value FROM thing").execution_options(**KEPT)


@pytest.fixture
def two(make_tenant):
    """Two tenants of the same Model, whose `thing` holds a text in one and a number in the other."""
    model = small_model()
    mine, other = make_tenant(model=model), make_tenant(model=model)
    thing(mine, "text", "'one'")
    thing(other, "integer", "2")
    return mine, other


def thing(tenant, type_, value):
    """The tenant's `thing` anew."""
    with tenant.database.engine.begin() as connection:
        for statement in (
            f'DROP TABLE IF EXISTS "{tenant.schema}".thing',
            f'CREATE TABLE "{tenant.schema}".thing AS SELECT {value}::{type_} AS value',
            f'GRANT SELECT ON "{tenant.schema}".thing TO "{tenant.role}"',
        ):
            connection.exec_driver_sql(statement)


def read(tenant):
    with tenant.begin() as connection:
        return connection.execute(READ).scalar_one()


def kept(tenant):
    with tenant.begin() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar_one()


def test_every_tenant_reads_its_own_table_by_the_same_text(two):
    mine, other = two
    assert [read(tenant) for tenant in (mine, other, mine, other)] == ["one", 2, "one", 2]
    assert kept(mine) >= 2


def test_another_model_of_the_tenant_is_another_statement(two):
    mine, _ = two
    assert read(mine) == "one"
    thing(mine, "integer", "3")
    assert read(replace(mine, model=small_model())) == 3


def test_a_kept_statement_runs_with_the_rights_of_its_transaction(two):
    mine, other = two
    read(mine)
    with mine.begin() as connection:
        connection.exec_driver_sql(f'SET LOCAL ROLE "{other.role}"')
        with pytest.raises(sa.exc.ProgrammingError, match="does not exist"):  # in no schema that it may use
            connection.execute(READ)


def test_what_asks_for_nothing_is_not_kept(two):
    mine, _ = two
    read(mine)
    before = kept(mine)
    with mine.begin() as connection:
        for _ in range(10):
            connection.execute(sa.text("SELECT value, 1 FROM thing")).all()
    assert kept(mine) == before


def test_the_places_of_values_in_a_long_statement_are_found_once(two, monkeypatch):
    mine, _ = two
    looked, split = [], _queries._split_query
    monkeypatch.setattr(_queries, "_split_query", lambda text, *more: looked.append(text) or split(text, *more))
    long = sa.text(f"SELECT value FROM thing WHERE '{'x' * 10_000}' <> :given")
    with mine.begin() as connection:
        for given in ("one", "two", "three"):
            connection.execute(long, {"given": given}).all()
    assert sum(len(text) > 10_000 for text in looked) == 1


def test_the_least_used_are_forgotten(two):
    mine, _ = two
    with mine.begin() as connection:
        for number in range(MOST + 10):
            connection.execute(sa.text(f"SELECT value, {number} FROM thing").execution_options(**KEPT)).all()
    assert kept(mine) <= MOST + 1
