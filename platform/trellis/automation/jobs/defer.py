"""Putting jobs into the queue, within the transaction of the change that asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trellis.automation.jobs.kind import KINDS, Kind
from trellis.storage.queue import enqueue, row

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from trellis.storage.catalogue import Entry
    from trellis.storage.tenant import Tenant


@dataclass(frozen=True)
class Job:
    """A job to be: its payload is JSON, small, and holds no secret. Jobs with the same `lock` run one at a time."""

    kind: Kind | str
    payload: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None  # not before; None: as soon as the transaction is committed
    lock: str | None = None
    priority: int | None = None  # None: the kind's


def defer(
    connection: Connection,
    kind: Kind | str,
    payload: Mapping[str, Any] | None = None,
    *,
    at: datetime | None = None,
    lock: str | None = None,
    priority: int | None = None,
    tenant: Tenant | Entry | None = None,
) -> None:
    """Put one job into the queue. Within a tenant's transaction it is the tenant's; else `tenant` says whose it is.

    It comes true with the connection's transaction, and with nothing else: what is rolled back was never asked for.
    """
    defer_many(connection, [Job(kind, payload or {}, at, lock, priority)], tenant=tenant)


def defer_many(connection: Connection, jobs: Sequence[Job], *, tenant: Tenant | Entry | None = None) -> None:
    """Put jobs into the queue in one statement."""
    if jobs:
        enqueue(connection, [_row(job) for job in jobs], tenant.role if tenant is not None else None)


def _row(job: Job) -> dict[str, Any]:
    kind = job.kind if isinstance(job.kind, Kind) else KINDS.get(job.kind)
    name = kind.name if kind is not None else str(job.kind)  # a kind whose module this process has not imported
    priority = job.priority if job.priority is not None else kind.priority if kind is not None else 0
    return row(name, job.payload, at=job.at, lock=job.lock, priority=priority)
