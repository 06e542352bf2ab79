"""Widgets for dates and times, typed as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from trellis.model.field import Field
from trellis.web.widgets.base import Widget, widget
from trellis.web.widgets.submitted import Submitted

if TYPE_CHECKING:
    from trellis.web.widgets.bound import BoundField


@widget("date")
class Day(Widget):
    """A day: "tomorrow", "+3d", "next fri", or from the browser's calendar."""

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The exact date for the calendar."""
        value = bound.value
        return {"native": "date", "iso": value.isoformat() if isinstance(value, date) else ""}


@widget("datetime")
class Moment(Widget):
    """A day with a time, in the reader's zone."""

    @property
    def template(self) -> str:
        """The same as for a day."""
        return "widgets/date.html"

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The exact time for the calendar."""
        value = bound.value
        local = value.astimezone(bound.reader.time_zone) if isinstance(value, datetime) else None
        return {
            "native": "datetime-local",
            "iso": local.strftime("%Y-%m-%dT%H:%M") if local else "",
        }


@widget("time")
class TimeOfDay(Widget):
    """A time of day."""

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """Read back live."""
        return {"live": True}

    @property
    def template(self) -> str:
        """The same as for a duration."""
        return "widgets/duration.html"


@widget("reminders")
class Reminders(Widget):
    """Lengths of time before the start, one a row."""

    compact: ClassVar[bool] = False
    label_for: ClassVar[bool] = False

    @property
    def template(self) -> str:
        """The same as for a list of texts."""
        return "widgets/list.html"

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """What was typed, blank rows left out."""
        return sent.texts(name or field.key)

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The rows."""
        value = bound.value or ()
        if isinstance(value, str):
            items = value.split("\n")
        elif bound.typed:
            items = [str(item) for item in value]
        else:
            items = [part.strip() for part in bound.field.type.display(value, bound.reader).split(",")]
        return {"items": items or [""]}
