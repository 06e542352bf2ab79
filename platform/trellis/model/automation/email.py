"""An `email:` document: a message with a record's values in it."""

from __future__ import annotations

from dataclasses import dataclass

from trellis.formula.formula import Formula
from trellis.model.automation.steps import NOTHING
from trellis.model.given import Given
from trellis.model.text import NO_TEXT, Text
from trellis.model.tracking import Tracking


@dataclass(frozen=True)
class EmailTemplate:
    """A message: Markdown, or HTML by hand. `consent`: it goes only where this holds for the record."""

    key: str
    entity: str | None
    subject: Given
    body: Given = NOTHING
    html: Given = NOTHING
    sender: Given = NOTHING
    reply_to: Given = NOTHING
    consent: Formula | None = None
    unsubscribe: bool = False  # one may do without it, and opt out by a link
    label: Text = NO_TEXT
    track: Tracking | None = None
