"""How far records have come in a pipeline, by their stage history: one statement under the reader's permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.formula import Formula
from trellis.formula.sql.scope import SqlMoney
from trellis.formula.types import Value
from trellis.records.reading.filtering import compile_all, require_readable, restrict
from trellis.records.reading.patient import rows_of
from trellis.records.reading.selection import Selection

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope
    from trellis.model.pipeline import Pipeline
    from trellis.records.session import Session

Condition = sa.ColumnElement[bool]
LOST = ("lost", "cancelled")


@dataclass(frozen=True)
class Journey:
    """What is asked: the records of a pipeline that fit, with what each is worth."""

    pipeline: Pipeline
    where: tuple[Formula | str, ...] = ()
    worth: Formula | None = None
    variables: Mapping[str, Value] = field(default_factory=dict)


@dataclass
class Reached:
    """One stage: records for which it was the furthest, those of them that are lost, and the stays in it."""

    count: int = 0
    worth: Decimal = Decimal(0)
    lost: int = 0
    stays: int = 0
    stayed: timedelta = timedelta()


def came_to(scope: SqlScope, pipeline: Pipeline, stages: Sequence[str], *, has_left: bool = False) -> Condition:
    """Whether the record of a row has ever been in one of the stages; `has_left`: and is there no more."""
    session: Session = scope.catalog.session  # type: ignore[attr-defined] # the records' own catalogue has it
    history = session.tables.platform.stage_history.alias()
    own = (history.c.entity == pipeline.entity, history.c.field == pipeline.field, history.c.pipeline == pipeline.key)
    left = (history.c.left_at.is_not(None),) if has_left else ()
    return sa.exists().where(history.c.record == scope.alias.c.id, *own, history.c.stage.in_(stages), *left)


def is_lost(scope: SqlScope, pipeline: Pipeline) -> Condition:
    """Whether the record of a row has left its pipeline without success."""
    return sa.func.coalesce(scope.alias.c[f"{pipeline.field}_type"].in_(LOST), sa.false())


def reached(session: Session, journey: Journey, order: Sequence[str]) -> dict[str, Reached]:
    """The stages of `order`, the first one first, each with the records that came just so far."""
    pipeline = journey.pipeline
    require_readable(session, pipeline.entity)
    selection = Selection(session, pipeline.entity, variables=journey.variables)
    scope = selection.scope
    conditions = restrict(selection, compile_all(session, pipeline.entity, journey.where), many=True)
    worth: Any = sa.literal_column("0", sa.Numeric())
    if journey.worth is not None:
        value = journey.worth.sql(scope)
        worth = value.base if isinstance(value, SqlMoney) else value
    state = scope.alias.c[f"{pipeline.field}_type"]
    rows = sa.select(scope.alias.c.id.label("id"), worth.label("worth"), state.label("state"))
    found = rows.select_from(selection.source()).where(*conditions).cte("found")
    history = session.tables.platform.stage_history
    place = sa.case({key: n for n, key in enumerate(order)}, value=history.c.stage)
    lasted = (history.c.left_at - history.c.entered_at).label("lasted")
    steps = sa.select(history.c.record, place.label("place"), lasted).join(found, found.c.id == history.c.record)
    own = (history.c.entity == pipeline.entity, history.c.field == pipeline.field, history.c.pipeline == pipeline.key)
    stays = steps.where(*own).cte("stays")
    far = sa.select(stays.c.record, sa.func.max(stays.c.place).label("place")).group_by(stays.c.record).cte("far")
    numeric = sa.Numeric()
    furthest = (
        sa.select(
            sa.literal_column("0", sa.Integer()).label("what"),
            far.c.place,
            sa.func.count().label("n"),
            sa.cast(sa.func.coalesce(sa.func.sum(found.c.worth), 0), numeric).label("worth"),
            sa.func.count().filter(found.c.state.in_(LOST)).label("lost"),
        )
        .join(found, found.c.id == far.c.record)
        .where(far.c.place.is_not(None))
        .group_by(far.c.place)
    )
    seconds = sa.cast(sa.func.coalesce(sa.func.sum(sa.extract("epoch", stays.c.lasted)), 0), numeric)
    times = (
        sa.select(
            sa.literal_column("1", sa.Integer()),
            stays.c.place,
            sa.func.count(stays.c.lasted),
            seconds,
            sa.literal_column("0", sa.Integer()),
        )
        .where(stays.c.place.is_not(None))
        .group_by(stays.c.place)
    )
    answer = rows_of(session, sa.union_all(furthest, times))
    stages = {key: Reached() for key in order}
    for what, at, n, amount, lost in answer:
        stage = stages[order[at]]
        if what == 0:
            stage.count, stage.worth, stage.lost = n, amount, lost
        else:
            stage.stays, stage.stayed = n, timedelta(seconds=float(amount))
    return stages
