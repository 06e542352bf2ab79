"""How long things are kept: what was deleted in the recycle bin, and who has read personal data."""

from __future__ import annotations

from datetime import timedelta

from trellis.model.compile.context import Context
from trellis.model.compile.item import Item
from trellis.model.durations import read_duration

NEVER = timedelta.max


def purge_after(ctx: Context, item: Item | None) -> timedelta | None:
    """The age at which records in the bin are deleted for good; NEVER where that is said, None where nothing is."""
    written = item.get("purge_after") if item is not None else None
    if written is None:
        return None
    if written.text == "never":
        return NEVER
    found = read_duration(written.text)
    if found is not None and found <= timedelta(0):
        ctx.problem("E209", "a record stays in the bin for some time", written, "such as 90 days, or never")
        return None
    return found


ACCESS_LOG = timedelta(days=365)


def access_log(ctx: Context, item: Item | None) -> timedelta | None:
    """The age at which it is forgotten who has read personal data; None for never."""
    written = item.get("access_log") if item is not None else None
    if written is None:
        return ACCESS_LOG
    if written.text == "never":
        return None
    found = read_duration(written.text)
    if found is None:
        return ACCESS_LOG  # the shape is told already
    if found <= timedelta(0):
        ctx.problem("E209", "the access log is kept for some time", written, "such as 365 days, or never")
        return ACCESS_LOG
    return found
