"""Widgets for dates and times, typed as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from trellis.formula.types import Value
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
        return {
            "native": "date",
            "text": bound.text,
            "exact": "",
            "iso": value.isoformat() if isinstance(value, date) else "",
        }


@widget("datetime")
class Moment(Widget):
    """A day with a time, in the reader's zone."""

    @property
    def template(self) -> str:
        """The same as for a day."""
        return "widgets/date.html"

    def read(self, sent: Submitted, field: Field, name: str | None = None) -> Any:
        """What was typed; the exact moment, seconds included, where the text is still the one that was shown."""
        name = name or field.key
        text, part = sent.text(name), sent.below(name)
        return (part.text("exact") or text) if text is not None and text == part.text("shown") else text

    def fill(self, bound: BoundField) -> Mapping[str, Any]:
        """The text with the moment that it stands for."""
        shown = self.context(bound)
        return {"": shown["text"], "shown": shown["text"], "exact": shown["exact"]}

    def context(self, bound: BoundField) -> Mapping[str, Any]:
        """The moment to the minute, and exactly."""
        value = _exact(bound.value)
        local = value.astimezone(bound.reader.time_zone) if isinstance(value, datetime) else None
        text = bound.field.type.display(value, bound.reader) if local else bound.text
        return {
            "native": "datetime-local",
            "iso": local.strftime("%Y-%m-%dT%H:%M") if local else "",
            "text": text,
            "exact": value.isoformat() if local else "",
        }


def _exact(value: Value) -> Value:
    """A moment that comes back from a refused form as it was read there; other texts stay as they were typed."""
    if not isinstance(value, str):
        return value
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    return at if at.tzinfo is not None else value


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
