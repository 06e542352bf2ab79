"""A tenant that an earlier version of Trellis has made is brought up to this one when it is opened."""

from __future__ import annotations

import threading

import pytest
from tests.conftest import SAMPLE
from tests.storage.test_plan import insert, run

import trellis.identity  # noqa: F401 - registers what follows an apply
from trellis.packaging.provision import system_store
from trellis.storage.followups import pending
from trellis.storage.plan import plan_compiled
from trellis.storage.upgrade import WHY, UpgradeNeeded, missing_columns, missing_indexes, up_to_date


def wait_for_work(catalogue, slug):
    for thread in threading.enumerate():
        if thread.name == "trellis-upgrade":
            thread.join(20)
    assert slug not in pending(catalogue)


def as_owner(catalogue, tenant, sql):
    with catalogue.database.engine.begin() as connection:
        connection.exec_driver_sql(f'SET LOCAL search_path TO "{tenant.schema}"')
        connection.exec_driver_sql(sql)


def test_what_is_as_it_should_be_is_left_alone(tenant, catalogue):
    assert missing_columns(tenant) == {}
    assert up_to_date(catalogue, tenant.slug).revision == 1


def test_tables_and_columns_of_the_platform_come_with_a_revision_that_says_why(tenant, catalogue):
    as_owner(catalogue, tenant, "DROP TABLE _api_key CASCADE; ALTER TABLE _history DROP COLUMN means")
    assert missing_columns(tenant)["_history"] == {"means"}
    upgraded = up_to_date(catalogue, tenant.slug)
    assert (upgraded.revision, missing_columns(upgraded)) == (2, {})
    first = catalogue.revisions(tenant.slug)[0]
    assert (first.who, first.why) == ("trellis", WHY)
    assert plan_compiled(upgraded, [], upgraded.model, upgraded.profile).is_empty
    system_store(upgraded).create("account", {"name": "Acme"})  # with the rights on them
    assert up_to_date(catalogue, tenant.slug).revision == 2


def test_indexes_come_too(tenant, catalogue):
    as_owner(catalogue, tenant, "DROP INDEX _run_event, _mail_reply")
    assert missing_indexes(tenant) == {"_run_event", "_mail_reply"}
    upgraded = up_to_date(catalogue, tenant.slug)
    assert (upgraded.revision, missing_indexes(upgraded)) == (2, set())
    assert plan_compiled(upgraded, [], upgraded.model, upgraded.profile).is_empty
    assert up_to_date(catalogue, tenant.slug).revision == 2


def test_what_is_derived_is_computed_for_old_records(make_tenant, catalogue):
    counted = SAMPLE.replace(
        "vip: {type: boolean}", "vip: {type: boolean}\n  people: {type: integer, rollup: count(contacts)}"
    )
    tenant = make_tenant(counted)
    acme = insert(tenant, "account", name="Acme")
    insert(tenant, "contact", name="a", account=acme)
    as_owner(catalogue, tenant, "ALTER TABLE account DROP COLUMN people")
    upgraded = up_to_date(catalogue, tenant.slug)
    wait_for_work(catalogue, tenant.slug)
    assert run(upgraded, "SELECT people FROM account") == [(1,)]


def test_what_has_no_place_any_more_is_left_for_a_person(tenant, catalogue):
    acme = insert(tenant, "account", name="Acme")
    change = "ALTER TABLE account ADD COLUMN former text; UPDATE account SET former = 'x'"
    as_owner(catalogue, tenant, f"{change}; ALTER TABLE _history DROP COLUMN means")
    upgraded = up_to_date(catalogue, tenant.slug)
    assert missing_columns(upgraded) == {}
    assert run(upgraded, "SELECT id, former FROM account") == [(acme, "x")]
    assert [s.name for s in plan_compiled(upgraded, [], upgraded.model, upgraded.profile).destroys] == ["former"]


def test_rows_that_do_not_fit_stop_it_and_the_message_says_what_to_do(make_tenant, catalogue):
    tenant = make_tenant(
        SAMPLE.replace("vip: {type: boolean}", "vip: {type: boolean}\n  code: {type: text, unique: true}")
    )
    insert(tenant, "account", name="Acme", code="a")
    insert(tenant, "account", name="Bold", code="b")
    indexes = (
        "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'account'"
        " AND indexdef LIKE '%%UNIQUE%%code%%'"
    )
    drop = "".join(f'DROP INDEX "{name}"; ' for (name,) in run(tenant, indexes))
    as_owner(catalogue, tenant, drop + "UPDATE account SET code = 'same'; DROP TABLE _api_key CASCADE")
    with pytest.raises(UpgradeNeeded, match=f"trellis plan {tenant.slug} --live"):
        up_to_date(catalogue, tenant.slug)
    assert catalogue.entry(tenant.slug).revision == 1


def test_two_nodes_that_start_at_once_upgrade_it_once(tenant, catalogue):
    as_owner(catalogue, tenant, "DROP TABLE _api_key CASCADE")
    found = []
    nodes = [threading.Thread(target=lambda: found.append(up_to_date(catalogue, tenant.slug).revision)) for _ in "ab"]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join()
    assert found == [2, 2]
