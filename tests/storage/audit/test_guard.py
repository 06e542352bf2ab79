"""The guard of the audit log comes to tenants that were there before it, and the doctor misses it when it is gone."""

from __future__ import annotations

from trellis.storage.audit import note
from trellis.storage.audit.chain import watch
from trellis.storage.audit.verify import verify
from trellis.storage.catalogue import Catalogue
from trellis.storage.checks import _tenant
from trellis.storage.ddl import seal_statements
from trellis.storage.live import owner_connection
from trellis.storage.tenant import Tenant
from trellis.storage.upgrade import up_to_date


def as_owner(tenant: Tenant, *statements: str) -> None:
    with owner_connection(tenant) as connection, connection.begin():
        for statement in statements:
            connection.exec_driver_sql(statement)


def is_watched(tenant: Tenant) -> bool:
    with tenant.database.engine.begin() as connection:
        return watch(connection, tenant.schema)


def complaints(tenant: Tenant) -> list[str]:
    return [finding.text for finding in _tenant(tenant)]


def test_a_tenant_without_a_log_gets_one_with_its_guard(catalogue: Catalogue, tenant: Tenant) -> None:
    drop = [f'DROP TABLE "{name}" CASCADE' for name in ("_audit_seal", "_audit", "_access", "_privacy")]
    as_owner(tenant, *drop, "DROP FUNCTION _audit_seal_entry, _audit_keep")
    catalogue.suspend(tenant.slug)  # nothing to tell it to
    catalogue.resume(tenant.slug)
    upgraded = up_to_date(catalogue, tenant.slug)
    assert is_watched(upgraded)
    with upgraded.begin() as connection:
        note(connection, upgraded, "sign-in.failed", label="x")
    with upgraded.begin() as connection:
        verdict = verify(connection, upgraded)
    assert (verdict.is_whole, verdict.entries) == (True, 2)
    assert complaints(upgraded) == []


def test_a_guard_that_is_off_is_told_and_comes_back(tenant: Tenant) -> None:
    assert complaints(tenant) == []
    as_owner(tenant, 'ALTER TABLE "_audit" DISABLE TRIGGER "_audit_kept"')
    assert any("audit log" in text for text in complaints(tenant))
    as_owner(tenant, 'DROP TRIGGER "_audit_sealed" ON "_audit"')
    as_owner(tenant, *seal_statements(tenant.schema))
    assert complaints(tenant) == []
