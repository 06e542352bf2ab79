"""Events: what happened to records, written in the transaction of the change, if there is anybody who listens.

Who listens is known before anything is written: the tenant's webhooks are read with its revision, at no cost of their
own, and the Model says which entities its workflows listen to. A save that nobody listens to writes nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.clock import alarm, now
from trellis.formula.types import Ref, Value
from trellis.model.field import Field
from trellis.model.fields.relations import ref_json
from trellis.records.draft import Event
from trellis.records.kept import kept
from trellis.storage import queue

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.records.session import Session

DISPATCH = "events.dispatch"  # the kind of job that tells everybody: automation/events
PRIORITY = 10  # what has happened is told before what was told earlier is all done
GATHERED = timedelta(seconds=1)
EVERY = "*"
SECRET = "•••"  # that a secret was there is told, not which
AUTOMATED = "import-automated"  # the means of an import that sets workflows off, as whoever imports has asked for
UNTOLD = frozenset({"purged", "unmerged"})  # nobody's business any more, or told by what it restores


@dataclass(frozen=True)
class ModelListener:
    """Listeners that the Model says: whose records they hear, and which of their events matter."""

    hears: Callable[[Model], frozenset[str]]
    matters: Callable[[Model, Event], bool]


by_model: list[ModelListener] = []  # automation registers its workflows here


def heard_by_model(model: Model) -> frozenset[str]:
    """The entities that a Model's own listeners hear."""
    found: frozenset[str] = kept(
        (model.hash, "heard", len(by_model)), lambda: frozenset().union(*(one.hears(model) for one in by_model))
    )
    return found


def write(session: Session, events: Sequence[Event]) -> None:
    """Write down what somebody listens to, and ask for it to be told when the transaction is committed."""
    heard, by_workflows = session.heard, heard_by_model(session.model)
    if not heard and not by_workflows:
        return
    if session.import_is_heard:
        events = [replace(e, means=AUTOMATED) if e.means == "import" else e for e in events]
    wanted = [
        e
        for e in events
        if e.kind not in UNTOLD
        and (
            EVERY in heard
            or e.entity in heard
            or (e.entity in by_workflows and any(one.matters(session.model, e) for one in by_model))
        )
    ]
    if not wanted:
        return
    session.execute(sa.insert(session.tables.platform.event), [_row(session, event) for event in wanted])
    session.before_commit_once("events", lambda: _ask(session))


def _ask(session: Session) -> None:
    """One job for the whole transaction, however many records it changed.

    What runs of a crowd change is told a little later: one job then tells what many of them have done.
    """
    cause, at = session.cause, now() + GATHERED
    waits = isinstance(cause, Mapping) and bool(cause.get("crowd")) and alarm(at) == at
    asked = queue.row(DISPATCH, {}, lock="events", priority=PRIORITY, at=at if waits else None)
    queue.enqueue(session.connection, [asked])


def _row(session: Session, event: Event) -> dict[str, Any]:
    principal, cause = session.principal, session.cause
    return {
        "at": session.reader.now,
        "entity": event.entity,
        "record": event.id,
        "kind": event.kind,
        "version": event.version,
        "means": event.means,
        "by": principal.id,
        "by_name": principal.name or None,
        "cause": cause,
        "depth": int(cause.get("depth", 0)) if isinstance(cause, Mapping) else 0,
        "batch": session.batch_id(),
        "changes": _changes(session, event),
    }


def _changes(session: Session, event: Event) -> dict[str, Any]:
    fields = session.model.entities[event.entity].fields
    found = {}
    for name, (old, new) in event.changed.items():
        if old is None and new is None:
            continue
        field = fields.get(name)
        found[name] = [_told(field, old), _told(field, new)]
    return found


def _told(field: Field | None, value: Value) -> Any:
    """A value as JSON that its field reads again."""
    if value is None:
        return None
    if isinstance(value, Ref):
        return ref_json(value)
    if field is None:
        return str(value)
    return SECRET if field.type.name == "secret" else field.type.to_json(value)
