"""At night it is forgotten who read personal data long ago, by what the tenant says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from tests.conftest import SAMPLE, layers_of

from trellis.automation import jobs
from trellis.automation.keeping import ACCESS_LOG, HEAD
from trellis.automation.worker import drain
from trellis.model.compile import compile_layers
from trellis.storage.audit.anchors import anchors_of
from trellis.storage.audit.verify import head_of
from trellis.storage.catalogue import Catalogue
from trellis.storage.tenant import Tenant


@pytest.mark.parametrize(
    ("written", "left"), [("", 2), ("privacy: {access_log: 30 days}", 1), ("privacy: {access_log: never}", 3)]
)
def test_old_lines_are_removed(
    catalogue: Catalogue, make_tenant: Callable[..., Tenant], written: str, left: int
) -> None:
    tenant = make_tenant(SAMPLE, profile=written)
    table, now = tenant.tables.platform.access, datetime.now(UTC)
    with tenant.begin() as connection:
        for days in (1, 100, 400):
            row = {"how": "record", "entity": "contact", "record": uuid4(), "at": now - timedelta(days=days)}
            connection.execute(sa.insert(table), row)
        jobs.defer(connection, ACCESS_LOG)
    drain(catalogue)
    with tenant.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == left


@pytest.mark.parametrize(("wrong", "code"), [("0 days", "E209"), ("some time", "E208")])
def test_a_time_that_is_none_is_told(wrong: str, code: str) -> None:
    problems = compile_layers(layers_of(SAMPLE, profile=f"privacy: {{access_log: {wrong}}}\n")).problems
    assert [p.code for p in problems if p.is_error] == [code]


def test_the_head_of_the_audit_log_is_noted_where_the_tenant_cannot_reach(catalogue: Catalogue, tenant: Tenant) -> None:
    with tenant.begin() as connection:
        head = head_of(connection, tenant)
        jobs.defer(connection, HEAD)
    drain(catalogue)
    assert head.number
    assert anchors_of(catalogue, tenant.slug) == [head]
