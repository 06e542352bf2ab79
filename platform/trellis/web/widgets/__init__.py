"""Widgets: how a field is edited. A widget reads a submitted form into a raw value and gives its template a context."""

from __future__ import annotations

from trellis.web.widgets import address, choice, compound, files, link, number, text, time
from trellis.web.widgets.base import WIDGETS, Widget, widget, widget_of
from trellis.web.widgets.bound import BoundField
from trellis.web.widgets.submitted import PRESENT, Submitted

__all__ = [
    "PRESENT",
    "WIDGETS",
    "BoundField",
    "Submitted",
    "Widget",
    "address",
    "choice",
    "compound",
    "files",
    "link",
    "number",
    "text",
    "time",
    "widget",
    "widget_of",
]
