"""The nights before a demo was made: how its forecasts would have been kept, from when its records were made and moved.

Demo data says when a record was made and since when it is in its stage. In between it went through the stages before,
fast through the first ones. Records are set to what they were on a day in a transaction that is rolled back; the report
runs over them as it does each night: what is kept is the report's own answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.clock import now
from trellis.model.pipeline import Pipeline
from trellis.records.store import Store
from trellis.reports.run import run
from trellis.reports.schedule.keeping import digest_of, lines_to_keep

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from trellis.model.reports.report import Report
    from trellis.storage.tenant import Tenant

NIGHTS = 14
EACH = timedelta(days=14)
AT = time(23, 50)


class _Undo(Exception):
    """Ends a transaction without a trace."""


def keep_past(tenant: Tenant, store: Store) -> None:
    """Keep how the forecasts stood on nights of the last months."""
    zone = ZoneInfo(tenant.profile.time_zone)
    first = datetime.combine(now().astimezone(zone).date() - timedelta(days=1), AT, zone)
    for report in tenant.model.reports.values():
        if report.type != "forecast" or not report.snapshot:
            continue
        found = list(_nights(tenant, store, report, [first - EACH * n for n in range(NIGHTS)]))
        if found:
            table = tenant.tables.platform.report_snapshot
            made = insert(table).on_conflict_do_nothing()
            with tenant.begin() as connection:
                connection.execute(made, found)


def _nights(tenant: Tenant, store: Store, report: Report, moments: Sequence[datetime]) -> Iterator[dict[str, Any]]:
    """The rows of a report's nights, the latest first: each leaves less of the records' lives to take back."""
    rows: list[dict[str, Any]] = []
    digest = digest_of(tenant, report)
    try:
        with store.transaction() as connection:
            for moment in moments:
                _take_back(connection, tenant, report.entity, moment)
                then = Store(tenant, store.session.at(moment).principal)
                with then.session.within(connection):
                    lines = lines_to_keep(run(then, report, {}))
                if lines:
                    kept = {"report": report.key, "day": moment.date(), "at": moment, "digest": digest}
                    rows.append({**kept, "answer": {"lines": lines}})
            raise _Undo
    except _Undo:
        return iter(rows)


def _take_back(connection: Connection, tenant: Tenant, entity: str, moment: datetime) -> None:
    """Set the records to what they were at a moment."""
    table = tenant.tables.entity[entity]
    pipelines = [p for p in tenant.model.entities[entity].pipelines.values() if p.field == "stage"]
    connection.execute(sa.update(table).where(table.c.created_at > moment).values(deleted_at=moment))
    moved = sa.select(table.c.id, table.c.pipeline, table.c.stage, table.c.created_at, table.c.stage_since)
    rows = connection.execute(moved.where(table.c.stage_since > moment, table.c.created_at <= moment)).all()
    by_key: Mapping[str, Pipeline] = {p.key: p for p in pipelines}
    for id, key, stage, made, since in rows:
        pipeline = by_key.get(key)
        was = _stage_at(pipeline, stage, (moment - made) / (since - made)) if pipeline is not None else None
        if was is not None and pipeline is not None:
            values = {"stage": was, "stage_type": "open", "probability": pipeline.stages[was].probability}
            connection.execute(sa.update(table).where(table.c.id == id).values(**values))


def _stage_at(pipeline: Pipeline, stage: str, part: float) -> str | None:
    """The stage that a record was in after a part of its way to the one where it is."""
    keys = list(pipeline.stages)
    before = keys[: keys.index(stage)] if stage in keys else []
    path = [key for key in before if pipeline.stages[key].type == "open"]
    return path[min(len(path) - 1, int(part**0.5 * len(path)))] if path else None
