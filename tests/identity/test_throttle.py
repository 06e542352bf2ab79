"""Guessing is stopped, by account and by address, in whatever process it is tried."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.web.frame_tenants import YAML

from trellis.identity import throttle
from trellis.identity.throttle import account_key, address_key, begin_attempt, forgive, take_back


@pytest.fixture
def tenant(same_tenant: Any) -> Any:
    return same_tenant(YAML, profile="sign_in: {lockout: {attempts: 8, for: 20 minutes}}\n")


def test_waits_grow_to_the_lockout(tenant: Any) -> None:
    key = account_key(tenant, "anna@x.example")
    waits = [key.wait(failures) for failures in range(1, 10)]
    assert waits[:4] == [timedelta()] * 4
    assert waits[4:7] == [timedelta(seconds=s) for s in (15, 30, 60)]
    assert waits[7:] == [timedelta(minutes=20)] * 2


def test_an_account_waits_after_its_free_attempts_and_the_wait_is_no_failure(tenant: Any) -> None:
    key = account_key(tenant, "Anna@x.example ")
    assert [begin_attempt(tenant, key) for _ in range(throttle.FREE)] == [timedelta()] * throttle.FREE
    for _ in range(5):
        assert timedelta() < begin_attempt(tenant, account_key(tenant, "anna@x.example")) <= timedelta(seconds=15)
    assert begin_attempt(tenant, account_key(tenant, "bob@x.example")) == timedelta()
    assert begin_attempt(tenant, account_key(tenant, "anna@x.example", is_known_device=True)) == timedelta()
    forgive(tenant, key)
    assert begin_attempt(tenant, key) == timedelta()


def test_an_address_that_succeeds_keeps_the_failures_of_others(tenant: Any) -> None:
    key = address_key("198.51.100.7")
    for _ in range(throttle.FREE_OF_ADDRESS - 1):
        assert begin_attempt(tenant, key) == timedelta()
        take_back(tenant, key)
    for _ in range(throttle.FREE_OF_ADDRESS):
        assert begin_attempt(tenant, key) == timedelta()
    assert begin_attempt(tenant, key) > timedelta()


def test_an_ipv6_subscriber_is_one_address() -> None:
    assert address_key("2001:db8:1:2::3") == address_key("2001:db8:1:2:ffff::9")
    assert address_key("2001:db8:1:3::3") != address_key("2001:db8:1:2::3")
    assert address_key(None).name == "address:"


def test_many_at_once_find_each_other(tenant: Any) -> None:
    key, outcomes = account_key(tenant, "anna@x.example"), []

    def attempt() -> None:
        outcomes.append(begin_attempt(tenant, key))

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(timedelta()) == throttle.FREE


def test_what_was_long_ago_is_forgotten(tenant: Any) -> None:
    key = account_key(tenant, "anna@x.example")
    table = tenant.tables.platform.attempt
    for _ in range(throttle.FREE):
        begin_attempt(tenant, key)
    old = sa.func.now() - throttle.FORGOTTEN - timedelta(hours=1)
    with tenant.begin() as connection:
        connection.execute(sa.update(table).values(last_at=old, until=old))
    assert begin_attempt(tenant, key) == timedelta()
    assert begin_attempt(tenant, key) == timedelta()
    with tenant.begin() as connection:
        throttle.forget_old_attempts(connection, tenant)
        assert connection.execute(sa.select(table.c.failures)).scalars().all() == [2]
        connection.execute(sa.update(table).values(last_at=old))
        throttle.forget_old_attempts(connection, tenant)
        assert not connection.execute(sa.select(table)).all()
