"""What a run has computed: frozen for its reader, and played back only with the rights that it was computed with."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import sqlalchemy as sa

from trellis.automation.workflows.codec import freeze, thaw
from trellis.records.reading.patient import Tape
from trellis.records.refusal import Fault, Refused
from trellis.records.store import Store

if TYPE_CHECKING:
    from trellis.reports.background.runs import Run

LARGEST = 30_000_000  # bytes, packed


def frozen(tape: Tape) -> bytes:
    """The rows of a run as bytes. Raises Refused when they are too many to keep."""
    told = {mark: [[freeze(value) for value in row] for row in rows] for mark, rows in tape.rows.items()}
    packed = zlib.compress(orjson.dumps(told), 3)
    if len(packed) > LARGEST:
        message = "The answer is too large to keep. Narrow the report by its filters, or group by less."
        raise Refused([Fault("large", message)])
    return packed


def rights_of(store: Store) -> str:
    """What a person may see, in short: another text where roles, teams, shares or the configuration have changed."""
    permit, reader = store.session.permit, store.principal.reader
    share = store.tenant.tables.platform.share
    mine = sa.or_(share.c.user == store.principal.id, share.c.team.in_(list(reader.team_ids)))
    still = sa.or_(share.c.until.is_(None), share.c.until >= reader.today())
    with store.transaction() as connection:
        shared = connection.execute(sa.select(share.c.id, share.c.level).where(mine, still).order_by(share.c.id)).all()
    said = (
        store.tenant.model.hash,
        repr(permit.cache_key),
        sorted(map(str, reader.team_members)),
        sorted(map(str, reader.team_ids)),
        sorted(reader.teams),
        str(reader.contact),
        str(reader.my_team and reader.my_team.id),
        [(str(id), level) for id, level in shared],
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()


def store_of(store: Store, run: Run) -> Store:
    """A door that reads a run's rows instead of records, at the moment that it was computed.

    Raises Refused where the person's rights are others now.
    """
    table = store.tenant.tables.platform.report_run
    with store.transaction() as connection:
        packed = connection.execute(sa.select(table.c.rows).where(table.c.id == run.id)).scalar()
    if run.state != "done" or packed is None or run.started_at is None:
        raise Refused([Fault("unready", "This report is not ready.")])
    if run.rights != rights_of(store):
        message = "What you may see has changed since this was computed. Run it again."
        raise Refused([Fault("outgrown", message)])
    told = orjson.loads(zlib.decompress(packed))
    tape = Tape({mark: [tuple(thaw(value) for value in row) for row in rows] for mark, rows in told.items()})
    reader = replace(store.principal.reader, now=run.started_at, language=run.language)
    then = Store(store.tenant, replace(store.principal, reader=reader))
    then.session.tape = tape
    return then
