"""What became of a button that was pressed, for the person who looks at the page meanwhile."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.automation.workflows.codec import thaw
from trellis.automation.workflows.looking import run_row
from trellis.automation.workflows.run import OVER
from trellis.formula.types import Ref
from trellis.model.automation import steps
from trellis.records.refusal import Forbidden, Missing

if TYPE_CHECKING:
    from trellis.automation.workflows.buttons import Button
    from trellis.records.record import Record
    from trellis.records.store import Store

PATIENCE = 2.0  # seconds that a person waits for an answer: most runs take a fraction of it
PAUSE = 0.06


@dataclass(frozen=True)
class Became:
    """How far the run has come: its state, the record that it made, and what went wrong."""

    state: str
    made: Record | None = None
    error: Mapping[str, Any] | None = None


def await_run(store: Store, button: Button, run: UUID, patience: float = PATIENCE) -> Became:
    """Wait until the run is over or waits for something itself, but not longer than a person has patience."""
    until = time.monotonic() + patience
    while True:
        with store.transaction() as connection:
            row = run_row(connection, store.tenant, run)
        if row is None:
            return Became("done")
        if row["state"] in OVER or row["state"] == "waiting" or time.monotonic() >= until:
            made = _made(store, button, row["variables"] or {}) if row["state"] == "done" else None
            return Became(row["state"], made, row["error"])
        time.sleep(PAUSE)


def _made(store: Store, button: Button, variables: Mapping[str, Any]) -> Record | None:
    """The one record that the workflow is there to make, if it is, and this person may see it."""
    created = [
        step
        for step in button.workflow.bodies[button.trigger.entity].steps
        if isinstance(step, steps.Create) and step.name
    ]
    if len(created) != 1 or store.tenant.model.entities[created[0].entity].part_of:
        return None
    ref = thaw(variables.get(created[0].name or ""))
    try:
        return store.read(ref.entity, ref.id, fields=()) if isinstance(ref, Ref) else None
    except (Missing, Forbidden):
        return None
