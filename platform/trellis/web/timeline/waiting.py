"""Whether an activity with a day to come is still waited for: its own list of what is open says it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.web.lists.todo import plan_of

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.records.record import Record
    from trellis.web.timeline.activities import Activity


class Waiting:
    """The filter of an activity's list of what is open, asked of records in hand as their owner would."""

    def __init__(self, activity: Activity, readable: Collection[str], reader: Reader) -> None:
        plan = plan_of(activity.entity)
        self._owner = activity.entity.owner_field or ""
        self._reader = reader
        self._filter = plan[0].filter if plan is not None and plan[1] == activity.at else None
        if self._filter is not None and not (
            self._filter.uses <= {"me", "now"}
            and all(len(path) == 1 and path[0] in readable for path in self._filter.reads)
        ):
            self._filter = None  # it asks for more than the timeline reads

    @property
    def reads(self) -> list[str]:
        """The fields that it asks for; none where nothing says what is open."""
        return sorted(path[0] for path in self._filter.reads) if self._filter is not None else []

    def is_over(self, record: Record) -> bool:
        """Whether nobody waits for it any more: it is done, or was dropped."""
        if self._filter is None:
            return False
        owner = record.get(self._owner)
        reader = replace(self._reader, me=owner if isinstance(owner, Ref) else None)
        return self._filter.evaluate(Env(record, reader)) is not True
