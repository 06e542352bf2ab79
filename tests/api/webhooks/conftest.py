"""A receiver on loopback, which the operator lets through, and webhooks of the office."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from tests.api.conftest import Office
from tests.api.webhooks.receiver import Receiver

import trellis.api.webhooks.purging
import trellis.api.webhooks.telling  # noqa: F401 - as a worker has it
from trellis.api.webhooks.keeping import Wanted, create
from trellis.api.webhooks.webhook import Webhook
from trellis.identity.person import principal_for, read_person_by_id
from trellis.records.store import Store

Make = Callable[..., Webhook]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("TRELLIS_OUTGOING_ALLOW", "127.0.0.1")
    made = Receiver()
    made.start()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def no_webhooks(office: Office) -> Iterator[None]:
    """Each test begins and ends without any, and without jobs of an earlier one, which would have their turn first."""
    with office.tenant.database.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL search_path TO trellis_queue")  # its triggers count on it
        connection.exec_driver_sql(
            "DELETE FROM trellis_queue.procrastinate_jobs WHERE queue_name = %s", (office.tenant.role,)
        )
    yield
    tables = office.tenant.tables.platform
    with office.tenant.begin() as connection:
        for table in (tables.webhook_attempt, tables.webhook_message, tables.webhook, tables.event):
            connection.execute(sa.delete(table))


@pytest.fixture
def make(office: Office, receiver: Receiver) -> Make:
    """Make a webhook at the receiver, of the manager's unless somebody else owns it."""

    def made(entity: str = "account", events: tuple[str, ...] = ("created", "updated"), **given: Any) -> Webhook:
        owner: UUID = given.pop("owner", office.mona)
        wanted = Wanted(given.pop("name", "Test"), given.pop("url", receiver.url), entity, events, owner, **given)
        return create(office.tenant, wanted, by=office.mona)[0]

    return made


@pytest.fixture
def store(office: Office) -> Store:
    """The manager's door."""
    with office.tenant.begin() as connection:
        person = read_person_by_id(connection, office.tenant, office.mona)
    assert person is not None
    return Store(office.tenant, principal_for(office.tenant, person))
