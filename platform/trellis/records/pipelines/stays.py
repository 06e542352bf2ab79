"""The stage history: when a record came into each stage and left it, and so how long it has been there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

if TYPE_CHECKING:
    from trellis.records.draft import Draft
    from trellis.records.session import Session
    from trellis.records.store import Store


@dataclass(frozen=True, slots=True)
class Stay:
    """A record's time in one stage. `pipeline` and `stage` may be gone from the configuration by now."""

    pipeline: str
    stage: str
    type: str
    entered: datetime
    left: datetime | None
    by: UUID | None  # who moved it there

    def lasted(self, now: datetime) -> timedelta:
        """How long it was there, or has been so far."""
        return (self.left or now) - self.entered


def read_stays(store: Store, entity: str, id: UUID, field: str) -> list[Stay]:
    """Every stay of a record, the earliest first; call it for records that were read."""
    table = store.tenant.tables.platform.stage_history
    wanted = sa.select(
        table.c.pipeline, table.c.stage, table.c.stage_type, table.c.entered_at, table.c.left_at, table.c.by
    )
    wanted = wanted.where(table.c.entity == entity, table.c.record == id, table.c.field == field)
    with store.transaction() as connection:
        rows = connection.execute(wanted.order_by(table.c.entered_at, table.c.id)).all()
    return [Stay(*row) for row in rows]


def time_in_stages(stays: Iterable[Stay], pipeline: str, now: datetime) -> dict[str, timedelta]:
    """The time spent in each stage of a pipeline so far, the current one included."""
    spent: dict[str, timedelta] = defaultdict(timedelta)
    for stay in stays:
        if stay.pipeline == pipeline:
            spent[stay.stage] += stay.lasted(now)
    return dict(spent)


def taken(session: Session, draft: Draft, field: str) -> Decimal | None:
    """The probability that the stored record took when it came into its stage."""
    table = session.tables.platform.stage_history
    wanted = sa.select(table.c.probability).where(table.c.entity == draft.entity.key, table.c.field == field)
    found: Decimal | None = session.execute(
        wanted.where(table.c.record == draft.record.id, table.c.left_at.is_(None)).limit(1)
    ).scalar()
    return found


def record(session: Session, drafts: Sequence[Draft]) -> None:
    """Close the rows of stages that are left, and open one for each stage that is entered."""
    from trellis.records.pipelines.pipeline import enters, pipeline_of, tracks

    table = session.tables.platform.stage_history
    opened: list[dict[str, Any]] = []
    for draft in drafts:
        for track in tracks(draft.entity):
            if not enters(draft, track):
                continue
            fields = draft.entity.fields
            at = (draft.value(track.since) if track.since in fields else None) or session.reader.now
            if not draft.is_new:
                session.execute(
                    sa.update(table)
                    .where(table.c.entity == draft.entity.key, table.c.record == draft.record.id)
                    .where(table.c.field == track.field, table.c.left_at.is_(None))
                    .values(left_at=at)
                )
            key, pipeline = draft.value(track.field), pipeline_of(draft, track)
            stage = pipeline.stages.get(key or "") if pipeline is not None else None
            if pipeline is None or stage is None:
                continue
            opened.append(
                {
                    "entity": draft.entity.key,
                    "record": draft.record.id,
                    "field": track.field,
                    "pipeline": pipeline.key,
                    "stage": stage.key,
                    "stage_type": stage.type,
                    "previous": draft.before(track.field),
                    "probability": stage.probability,
                    "entered_at": at,
                    "by": session.principal.id,
                }
            )
    if opened:
        session.execute(sa.insert(table), opened)
