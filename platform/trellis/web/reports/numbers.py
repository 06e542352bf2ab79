"""`counted("report", "number")` in a filter, for people: what the report and its number are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from trellis.records.reading.counted import NAME
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.reports.counted import Counted, read
from trellis.web.i18n import say
from trellis.web.reports.words import Words

if TYPE_CHECKING:
    from trellis.records.store import Store

CALL = re.compile(NAME + r'\("((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\)')


def numbers_said(store: Store, text: str) -> str:
    """A filter with the numbers of reports by their names; one that is no more stays as it is written."""
    return CALL.sub(lambda found: _said(store, found), text) if NAME in text else text


def _said(store: Store, found: re.Match[str]) -> str:
    address, number = (part.replace('\\"', '"').replace("\\\\", "\\") for part in found.groups())
    try:
        report, counted = read(store, address, number)
    except (Refused, Missing, Forbidden):
        return found[0]
    return str(
        _("“%(report)s”: %(number)s", report=say(report.label), number=_named(Words(store.principal.reader), counted))
    )


def _named(words: Words, counted: Counted) -> str:
    label = words.text(counted.label)
    if counted.of is None:
        return label
    key, value = counted.of
    of = words.group(key, value) if key is not None else words.text(value)
    return f"{of} · {label}"
