"""A report's page, or a file of it, with what a run in the background has computed."""

from __future__ import annotations

from flask import abort

from trellis.records.store import Store
from trellis.reports.background.kept import store_of
from trellis.reports.background.runs import Run, run_of
from trellis.web.reports.asked import Asked


def run_asked(store: Store, asked: Asked) -> Run | None:
    """The run that an address names: one of the person's own, of this report."""
    if not asked.ran:
        return None
    found = run_of(store, asked.ran)
    if found.report != asked.report.key:
        abort(404)
    return found


def door_of(store: Store, found: Run | None) -> Store:
    """The door that gives a run's rows; the reader's own where there is none. Raises Refused."""
    return store if found is None else store_of(store, found)
