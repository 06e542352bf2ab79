"""The audit log only grows, and whatever is done to it past the database's own refusal is found."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from tests.conftest import SAMPLE

from trellis.storage.audit import Actor, note
from trellis.storage.audit.anchors import anchor_now, anchors_of, verify_tenant
from trellis.storage.audit.chain import GENESIS
from trellis.storage.audit.verify import Head, verify
from trellis.storage.catalogue import Catalogue
from trellis.storage.live import owner_connection
from trellis.storage.tenant import Tenant


@pytest.fixture
def tenant(same_tenant: Callable[..., Tenant]) -> Tenant:
    """The small sample, as new for every test."""
    return same_tenant(SAMPLE)


def write(tenant: Tenant, count: int = 1) -> None:
    for n in range(count):
        with tenant.begin() as connection:
            note(connection, tenant, "sign-in.failed", label=f"nobody-{n}@example.com", details={"tries": n})


def tamper(tenant: Tenant, *statements: str) -> None:
    """What somebody with the owner's rights can do who knows of the triggers."""
    with owner_connection(tenant) as connection, connection.begin():
        for table in ("_audit", "_audit_seal"):
            connection.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        for statement in statements:
            connection.exec_driver_sql(statement)
        for table in ("_audit", "_audit_seal"):
            connection.exec_driver_sql(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')


def found(tenant: Tenant, *anchors: Head) -> list[tuple[str, int | None]]:
    with tenant.begin() as connection:
        return [(f.kind, f.number) for f in verify(connection, tenant, anchors).findings]


def ids(tenant: Tenant) -> list[int]:
    audit = tenant.tables.platform.audit
    with tenant.begin() as connection:
        return list(connection.execute(sa.select(audit.c.id).order_by(audit.c.id)).scalars())


def start(tenant: Tenant) -> int:
    """How long the chain is already: making the tenant may have written to it."""
    return len(ids(tenant))


def test_every_value_an_entry_can_have_is_hashed_alike_by_database_and_check(tenant: Tenant) -> None:
    who = Actor(uuid4(), "Zoë 周\n\\'\"", "page", "2001:db8::1", "r-1")
    with tenant.begin() as connection:
        details = {"b": [1, None, True, "ä"], "a": {"x": datetime(2026, 1, 1, tzinfo=UTC)}}
        note(connection, tenant, "key.created", by=who, entity="user", record=uuid4(), label="", details=details)
        note(connection, tenant, "sign-in.failed")
    with tenant.begin() as connection:
        verdict = verify(connection, tenant)
    assert verdict.is_whole
    assert verdict.entries == verdict.head.number == len(ids(tenant))
    assert verdict.head.hash != GENESIS


def test_details_never_hold_what_is_called_a_secret(tenant: Tenant) -> None:
    with tenant.begin() as connection:
        told = {"password": "hunter2", "client_secret": "s3", "token": "t", "name": "a\0b", "keys": ["k"] * 60}
        note(connection, tenant, "webhook.created", details=told)
        text = connection.execute(sa.select(tenant.tables.platform.audit.c.details)).scalars().all()[-1]
    assert "hunter2" not in text
    assert "s3" not in text
    assert '"name":"ab"' in text
    assert "+10" in text


def test_an_unknown_kind_is_a_mistake_of_ours(tenant: Tenant) -> None:
    with tenant.begin() as connection, pytest.raises(ValueError, match="no such kind"):
        note(connection, tenant, "sign-in.teleported")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE \"_audit\" SET kind = 'x'",
        'DELETE FROM "_audit"',
        "UPDATE \"_audit_seal\" SET hash = 'x'",
        'DELETE FROM "_audit_seal"',
        "INSERT INTO \"_audit_seal\" (number, entry, previous, hash) VALUES (99, 99, 'a', 'b')",
        'TRUNCATE "_audit"',
    ],
)
def test_the_database_refuses_the_tenant(tenant: Tenant, statement: str) -> None:
    write(tenant)
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), tenant.begin() as connection:
        connection.exec_driver_sql(statement)
    assert found(tenant) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE \"_audit\" SET kind = 'x'",
        'UPDATE "_audit" SET label = NULL',
        'DELETE FROM "_audit"',
        'TRUNCATE "_audit"',
        'DELETE FROM "_audit_seal"',
    ],
)
def test_the_database_refuses_its_owner_too(tenant: Tenant, statement: str) -> None:
    write(tenant)
    with (
        pytest.raises(sa.exc.ProgrammingError, match="only grows"),
        owner_connection(tenant) as connection,
        connection.begin(),
    ):
        connection.exec_driver_sql(statement)


def test_a_changed_entry_is_named(tenant: Tenant) -> None:
    write(tenant, 3)
    first = start(tenant) - 2
    tamper(tenant, f"UPDATE \"_audit\" SET by_name = 'Nobody' WHERE id = {ids(tenant)[first]}")
    assert found(tenant) == [("changed", first + 1)]


def test_changed_details_are_named(tenant: Tenant) -> None:
    write(tenant, 2)
    tamper(tenant, f"UPDATE \"_audit\" SET details = '{{}}' WHERE id = {ids(tenant)[-1]}")
    assert found(tenant) == [("changed", start(tenant))]


def test_details_that_no_erasure_took_away_are_named(tenant: Tenant) -> None:
    write(tenant, 2)
    taken = 'UPDATE "_audit" SET label = NULL, details = NULL, salt = NULL WHERE id = '
    tamper(tenant, f"{taken}{ids(tenant)[-1]}")
    assert found(tenant) == [("changed", start(tenant))]
    with tenant.begin() as connection:
        note(connection, tenant, "privacy.erased", details={"forgotten": [ids(tenant)[-1]]})
    assert found(tenant) == []


def test_a_removed_entry_is_named(tenant: Tenant) -> None:
    write(tenant, 3)
    tamper(tenant, f'DELETE FROM "_audit" WHERE id = {ids(tenant)[-2]}')
    assert found(tenant) == [("removed", start(tenant))]


def test_an_entry_removed_with_its_link_leaves_a_gap(tenant: Tenant) -> None:
    write(tenant, 4)
    gone, place = ids(tenant)[-2], start(tenant) - 1
    tamper(tenant, f'DELETE FROM "_audit" WHERE id = {gone}', f'DELETE FROM "_audit_seal" WHERE entry = {gone}')
    assert found(tenant) == [("removed", place)]


def test_an_inserted_entry_is_named(tenant: Tenant) -> None:
    write(tenant)
    tamper(tenant, "INSERT INTO \"_audit\" (kind, means, digest) VALUES ('sign-in.succeeded', 'page', 'x')")
    assert found(tenant) == [("inserted", None)]


def test_an_entry_that_was_written_anew_with_its_hash_breaks_the_chain(tenant: Tenant) -> None:
    write(tenant, 3)
    place = start(tenant) - 1
    tamper(tenant, f"UPDATE \"_audit_seal\" SET hash = repeat('a', 64) WHERE number = {place}")
    assert found(tenant) == [("changed", place), ("changed", place + 1)]


def test_what_is_cut_off_at_the_end_is_noticed_by_a_head_kept_elsewhere(catalogue: Catalogue, tenant: Tenant) -> None:
    write(tenant, 3)
    head = anchor_now(catalogue, tenant)
    assert anchors_of(catalogue, tenant.slug)[-1] == head == Head.parse(str(head))
    cut = f'IN (SELECT entry FROM "_audit_seal" WHERE number > {head.number - 2})'
    tamper(tenant, f'DELETE FROM "_audit" WHERE id {cut}', f'DELETE FROM "_audit_seal" WHERE entry {cut}')
    assert found(tenant) == []  # by itself the shorter chain is whole
    verdict = verify_tenant(catalogue, tenant)
    assert [(f.kind, f.number) for f in verdict.findings] == [("truncated", head.number)]


def test_a_log_that_was_written_anew_is_not_the_one_of_the_head(tenant: Tenant) -> None:
    write(tenant, 2)
    assert found(tenant, Head(1, "b" * 64)) == [("changed", 1)]


def test_what_is_rolled_back_leaves_no_gap(tenant: Tenant) -> None:
    write(tenant)
    with tenant.begin() as connection:
        note(connection, tenant, "data.imported")
        connection.rollback()
    write(tenant)
    assert found(tenant) == []


def test_a_long_transaction_keeps_nobody_waiting_and_writers_at_once_make_one_chain(tenant: Tenant) -> None:
    before = start(tenant)
    with tenant.begin() as long:
        note(long, tenant, "data.imported", label="first written, last committed")
        threads = [threading.Thread(target=write, args=(tenant, 5)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
    seal = tenant.tables.platform.audit_seal
    with tenant.begin() as connection:
        last = connection.execute(sa.select(seal.c.entry).order_by(seal.c.number.desc()).limit(1)).scalar_one()
        verdict = verify(connection, tenant)
    assert verdict.is_whole
    assert verdict.entries == before + 21
    assert last == ids(tenant)[before]


def test_a_head_is_read_as_it_is_printed() -> None:
    read: Callable[[str], Head] = Head.parse
    assert read(f" 7:{'A' * 64}\n") == Head(7, "a" * 64)
    for wrong in ("", "7", "x:" + "a" * 64, "7:abc"):
        with pytest.raises(ValueError, match="no head"):
            read(wrong)
