"""What happens by itself in a scenario: jobs done at once, and the clock that is moved from one event to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from trellis.automation.clock import now
from trellis.automation.mail.account import account_of
from trellis.automation.mail.letter import Letter, message_id
from trellis.automation.messages.outbox import settle
from trellis.automation.worker.drain import promote, take
from trellis.automation.worker.runner import Runner, Taken
from trellis.automation.workflows.acting import system_of
from trellis.formula.clock import FAR, move_to
from trellis.model.sealing import unseal
from trellis.packaging.scenarios.alarms import Alarms
from trellis.packaging.scenarios.findings import Failed, Finding
from trellis.records.store import Store

if TYPE_CHECKING:
    from trellis.packaging.scenarios.play import Play
    from trellis.storage.tenant import Tenant

MOST = 5_000  # jobs of one scenario
MAIL, MESSAGE, CALL = "mail.send", "message.send", "workflows.request"
NEXT = "SELECT min(at) FROM trellis_queue.later WHERE queue = %s"
DEAD = """
SELECT kind, error FROM trellis_queue.dead WHERE queue = %(role)s
UNION ALL SELECT kind, args->>'error' FROM trellis_queue.later WHERE queue = %(role)s AND args->>'error' IS NOT NULL
"""


@dataclass(frozen=True)
class Posted:
    """A letter that would have gone out."""

    to: str
    letter: Letter
    message_id: str


@dataclass(frozen=True)
class Told:
    """A short message that would have gone out."""

    channel: str
    to: str
    text: str


class _Only:
    """The scenario's tenant, for whoever asks for a tenant."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.catalogue = play.stage.catalogue

    def get(self, role: str) -> Tenant:
        """The scenario's tenant, with the scenario's settings."""
        return self.play.tenant

    def forget(self, role: str) -> None:
        """There is no other revision."""


class Hands:
    """The worker of a scenario."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.database = play.tenant.database
        self.role = play.tenant.role
        only: Any = _Only(play)
        self.runner = Runner(only, self.database)
        self.alarms = Alarms(play)
        self.done = 0
        self.changes = 0  # jobs that may have changed something

    def settle(self) -> None:
        """Do everything that can be done at this moment."""
        while True:
            taken = take(self.database, self.play.stage.worker, [], self.role)
            if taken is None:
                if not promote(self.database, now() + FAR, self.role):
                    return
                continue
            self.done += 1
            if self.done > MOST:
                raise Failed(Finding(self.play.scenario.mark, f"more than {MOST} jobs: does one ask for itself again?"))
            self._do(taken)

    def advance(self, until: datetime) -> None:
        """Let time pass, and everything happen at its moment."""
        self.alarms.begin(until)
        while (moment := self._next(until)) is not None:
            move_to(max(moment, now()))
            self.alarms.strike(moment)
            self.settle()
            self._still()
        move_to(until)
        self.alarms.passed(until)
        self.settle()

    def _still(self) -> None:
        """Clocks that look again and again are struck by the alarms, not by jobs of their own."""
        kinds = [beat.kind for beat in self.alarms.beats]
        if kinds:
            with self.database.engine.begin() as connection:
                gone = "DELETE FROM trellis_queue.later WHERE queue = %s AND kind = ANY (%s)"
                connection.exec_driver_sql(gone, (self.role, kinds))

    def _next(self, until: datetime) -> datetime | None:
        """When something happens next, up to a moment."""
        with self.database.engine.begin() as connection:
            found = connection.exec_driver_sql(NEXT, (self.role,)).scalar()
        job = found - FAR if found is not None else None
        limit = job if job is not None and job <= until else until
        struck = self.alarms.next(limit)
        if struck is not None and (job is None or struck <= job):
            return struck
        return job if job is not None and job <= until else None

    def _do(self, taken: Taken) -> None:
        self.changes += taken.kind not in {beat.kind for beat in self.alarms.beats}
        if taken.kind == MAIL:
            self._post(taken)
        elif taken.kind == MESSAGE:
            self._message(taken)
        elif taken.kind == CALL:
            self._call(taken)
        else:
            self.runner.run(taken)

    def _post(self, taken: Taken) -> None:
        """Keep a letter instead of sending it."""
        table, tenant = self.play.tenant.tables.platform.mail, self.play.tenant
        id = UUID(taken.args["payload"]["mail"])
        with tenant.begin() as connection:
            row = connection.execute(sa.select(table).where(table.c.id == id)).one()
            sent = sa.update(table).where(table.c.id == id)
            connection.execute(sent.values(state="sent", body=None, sent_at=now()))
            _finish(connection, taken)
        account = account_of(tenant)
        name = message_id(account, row.message or id) if account is not None else ""
        self.play.letters.append(Posted(row.to, Letter.of_data(orjson.loads(unseal(row.body))), name))

    def _message(self, taken: Taken) -> None:
        """Keep a short message instead of sending it."""
        store, id = Store(self.play.tenant, system_of(self.play.tenant)), UUID(taken.args["payload"]["message"])
        table = self.play.tenant.tables.platform.mail
        with store.transaction() as connection:
            row = connection.execute(sa.select(table).where(table.c.id == id)).one()
            settle(connection, store, id, "sent", None)
            _finish(connection, taken)
        self.play.messages.append(Told(row.channel, row.to, unseal(row.body)))

    def _call(self, taken: Taken) -> None:
        """Answer a request instead of sending it."""
        sent: Mapping[str, Any] = taken.args["payload"]
        self.play.requests.append(dict(sent))
        from trellis.automation.workflows.steps.requesting import answered

        with self.play.tenant.begin() as connection:
            answered(connection, self.play.tenant, UUID(sent["run"]), {"status": 200, "body": {}})
            _finish(connection, taken)

    def broken(self, expected: set[str]) -> list[Finding]:
        """Runs that have failed, and jobs that were given up, though nobody expects it."""
        table, mark = self.play.tenant.tables.platform.run, self.play.scenario.mark
        rows = self.play.rows(sa.select(table.c.workflow, table.c.error).where(table.c.state == "failed"))
        found = [
            Finding(mark, f"the workflow {row['workflow']} has failed", "it runs", (row["error"] or {}).get("text", ""))
            for row in rows
            if row["workflow"] not in expected
        ]
        with self.database.engine.begin() as connection:
            dead = connection.exec_driver_sql(DEAD, {"role": self.role}).all()
        return [*found, *(Finding(mark, f"a job has failed: {kind}", "it is done", error) for kind, error in dead)]


def _finish(connection: Any, taken: Taken) -> None:
    connection.exec_driver_sql("SELECT trellis_jobs.done(%s, %s)", (taken.id, taken.worker))
