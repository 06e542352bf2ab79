"""A tenant for imports: every kind of field, and links of every kind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tests.records.transfer.samples import YAML

from trellis.formula.reader import Reader
from trellis.records.principal import Principal
from trellis.records.store import Store
from trellis.storage.tenant import Tenant


@pytest.fixture
def tenant(same_tenant: Callable[..., Tenant]) -> Tenant:
    """A tenant of the YAML above."""
    return same_tenant(YAML)


@pytest.fixture
def reader() -> Reader:
    """A reader with a fixed clock."""
    return Reader(now=datetime(2026, 3, 2, 9, tzinfo=UTC))


@pytest.fixture
def store(tenant: Tenant, reader: Reader) -> Store:
    """The system's door."""
    return Store(tenant, Principal.system(reader))
