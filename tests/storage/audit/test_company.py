"""What happens to a company as a whole stands in its audit log, which a backup takes along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.conftest import SAMPLE, layers_of

from trellis.storage.apply import apply
from trellis.storage.audit.anchors import verify_tenant
from trellis.storage.backup import back_up, restore
from trellis.storage.catalogue import Catalogue
from trellis.storage.plan import plan
from trellis.storage.tenant import Tenant


def log_of(tenant: Tenant) -> list[tuple[str, dict[str, object]]]:
    audit = tenant.tables.platform.audit
    with tenant.begin() as connection:
        rows = connection.execute(sa.select(audit.c.kind, audit.c.details).order_by(audit.c.id))
        return [(kind, json.loads(details) if details else {}) for kind, details in rows]


def test_made_closed_and_opened(catalogue: Catalogue, tenant: Tenant) -> None:
    catalogue.suspend(tenant.slug)
    catalogue.resume(tenant.slug)
    assert [kind for kind, _ in log_of(tenant)] == ["company.created", "company.suspended", "company.resumed"]
    assert verify_tenant(catalogue, tenant).is_whole


def test_a_configuration_is_applied_and_an_earlier_one_comes_back(catalogue: Catalogue, tenant: Tenant) -> None:
    def publish(text: str) -> None:
        live = catalogue.get(tenant.slug)
        apply(catalogue, plan(live, layers_of(text, tenant.slug)), "anna", "why", keep=True)

    publish(SAMPLE.replace("vip: {type: boolean}", "vip: {type: boolean}\n  note: {type: text}"))
    publish(SAMPLE)
    (_, first), (_, second) = log_of(tenant)[-2:]
    assert [kind for kind, _ in log_of(tenant)] == [
        "company.created",
        "configuration.applied",
        "configuration.rolled-back",
    ]
    assert (first["revision"], first["why"], second["revision"], second["to"]) == (2, "why", 3, 1)


@pytest.mark.usefixtures("tenant")
def test_the_log_comes_back_with_a_backup_and_goes_on(catalogue: Catalogue, tenant: Tenant, tmp_path: Path) -> None:
    target = tmp_path / "backup.zip"
    back_up(catalogue, tenant.slug, target, tmp_path / "files")
    copy = restore(catalogue, target, "anna", tmp_path / "files", slug="audit-copy")
    try:
        told = [kind for kind, _ in log_of(copy)]
        assert told == ["company.created", "company.backed-up", "company.restored", "company.resumed"]
        verdict = verify_tenant(catalogue, copy)
        assert verdict.is_whole
        assert verdict.entries == 4
    finally:
        catalogue.drop("audit-copy")
