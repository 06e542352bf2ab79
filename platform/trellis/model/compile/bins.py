"""How long what was deleted stays in the recycle bin."""

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
