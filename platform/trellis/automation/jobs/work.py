"""What the function of a kind is given: one job, and the tenant that it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.storage.catalogue import Catalogue
    from trellis.storage.tenant import Tenant


class Lost(Exception):
    """The job is no longer this worker's: it was thought dead, and another one does it. Nothing of this stays."""


@dataclass
class Work:
    """One try of one job."""

    kind: str
    payload: Mapping[str, Any]
    uid: UUID  # the same in every try: the key by which others recognise what they were sent already
    tries: int  # that have failed before this one
    job: int
    worker: int
    catalogue: Catalogue
    of: Tenant | None = None
    is_done: bool = field(default=False, init=False)

    @property
    def tenant(self) -> Tenant:
        """Whose job it is; the platform's own have no tenant."""
        if self.of is None:
            raise LookupError(f"{self.kind} is the platform's own job: it has no tenant")
        return self.of

    @contextmanager
    def finishing(self) -> Iterator[Connection]:
        """A transaction as the tenant with whose commit the job is done: its effects come true exactly once."""
        with self.tenant.begin() as connection:
            yield connection
            self.finish(connection)

    def finish(self, connection: Connection) -> None:
        """Mark the job as done in a transaction that is open already, a Store's say. Raises Lost."""
        answer = connection.exec_driver_sql("SELECT trellis_jobs.done(%s, %s)", (self.job, self.worker)).scalar_one()
        if not answer:
            raise Lost(f"{self.kind} {self.uid}")
        self.is_done = True

    def absorb(self, connection: Connection, *, lock: str | None = None) -> int:
        """Take the tenant's other jobs of this kind (and lock) along: this run does what they ask for; how many waited.

        What they were to see must be read after this, in a statement of its own.
        """
        given = (self.kind, lock)
        return int(connection.exec_driver_sql("SELECT trellis_jobs.absorb(%s, %s)", given).scalar_one())
