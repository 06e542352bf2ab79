"""The doctor's look at the queue."""

from __future__ import annotations

from collections.abc import Iterator

from trellis.automation.state import depths, workers
from trellis.storage.doctor import Finding, Patient, check

LONG = 600  # seconds that a job may wait before it is worth a word


@check("Queue")
def _queue(patient: Patient) -> Iterator[Finding]:
    """Whether anybody works, whether jobs wait for long, and what was given up."""
    if patient.catalogue is None:
        return
    database = patient.catalogue.database
    found, at_work = depths(database), workers(database)
    entries = {entry.role: entry for entry in patient.catalogue.list()}
    waiting = {role: d for role, d in found.items() if d.waiting and role in entries}
    active = {role: d for role, d in waiting.items() if entries[role].status == "active"}
    jobs = sum(d.waiting for d in active.values())
    if active and not at_work:
        mend = "Start `trellis worker`, or `trellis serve --work`."
        yield Finding("wrong", f"{jobs} jobs wait, and no worker is at work", mend)
    for role, depth in active.items():
        if at_work and depth.oldest > LONG:
            text = f"{entries[role].slug}: {depth.waiting} jobs wait, the oldest for {depth.oldest / 60:.0f} minutes"
            yield Finding("advice", text, "Start more workers, or look into what takes so long: `trellis jobs list`.")
    for role, depth in found.items():
        if depth.dead:
            slug = entries[role].slug if role in entries else "(platform)"
            mend = f"`trellis jobs dead {slug}` tells why; `trellis jobs retry {slug}` tries them once more."
            yield Finding("advice", f"{slug}: {depth.dead} jobs were given up", mend)
    yield Finding("ok", f"{jobs} jobs wait; {at_work} workers at work")
