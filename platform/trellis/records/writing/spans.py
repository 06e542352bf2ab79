"""Durations that are kept in step with the two points in time that they lie between."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from trellis.formula.types import Value
from trellis.model.fields.duration import Duration
from trellis.records.draft import Draft
from trellis.records.refusal import Fault

SOME_DAY = date(2000, 1, 1)


def keep(draft: Draft) -> None:
    """Set what follows: the duration from start and end, or the end (else the start) from a duration that was given."""
    for field in draft.entity.fields.values():
        if isinstance(field.type, Duration) and field.type.between:
            _keep(draft, field.key, *field.type.between)


def _keep(draft: Draft, name: str, start: str, end: str) -> None:
    begins, ends, length = (draft.value(n) for n in (start, end, name))
    if isinstance(length, timedelta) and _is_news(draft, name):
        if begins is not None and not _is_news(draft, end):
            draft.set(end, later(begins, length))
        elif ends is not None and not _is_news(draft, start):
            draft.set(start, later(ends, -length))
        begins, ends = draft.value(start), draft.value(end)
    if begins is None or ends is None:
        return
    between = distance(begins, ends)
    if between is None:
        return
    if between < timedelta() and (_is_news(draft, start) or _is_news(draft, end) or _is_news(draft, name)):
        label = draft.entity.fields[start].label
        draft.fault(Fault("range", "This must not be before “{field}”.", end, {"field": label}))
    if between != length:
        draft.set(name, between)


def _is_news(draft: Draft, name: str) -> bool:
    return draft.value(name) is not None and draft.has_changed(name)


def distance(begins: Value, ends: Value) -> timedelta | None:
    """From one point in time to another of the same kind."""
    if isinstance(begins, time) and isinstance(ends, time):
        begins, ends = datetime.combine(SOME_DAY, begins), datetime.combine(SOME_DAY, ends)
    found: timedelta | None = ends - begins if type(begins) is type(ends) else None
    return found


def later(moment: Value, length: timedelta) -> Value:
    """A point in time some while later; blank where there is none."""
    try:
        if isinstance(moment, time):
            return (datetime.combine(SOME_DAY, moment) + length).time()
        return moment + length
    except OverflowError:
        return None
