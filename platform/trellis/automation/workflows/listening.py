"""Events set workflows off, and wake runs that wait for a record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.events import Happening, listener
from trellis.automation.jobs import defer_many
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.happened import as_it_became, as_it_was
from trellis.automation.workflows.listeners import listeners
from trellis.automation.workflows.run import run_of
from trellis.automation.workflows.sequences import would_stop
from trellis.automation.workflows.starting import FEW, Start, job_of, start
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.automation.triggers import OnRecord
from trellis.model.automation.workflow import Workflow
from trellis.model.model import Model
from trellis.records import events
from trellis.records.draft import Event
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.session import Session

QUIET = frozenset({"import"})  # rules and `before` workflows have seen to these records, the others are left out

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant


def heard(model: Model) -> frozenset[str]:
    """The entities whose events matter to workflows: what sets them off, and what a wait may look at."""
    return frozenset(listeners(model).after) | listeners(model).awaited


def matters(model: Model, event: Event) -> bool:
    """Whether an event may set a workflow off, or end a wait: others are not even written down."""
    found = listeners(model)
    if event.entity in found.awaited:
        return True
    pairs = found.after.get(event.entity, ())
    if event.means in QUIET:
        return False
    fields = found.stages.get(event.entity, frozenset())
    return any(is_meant(t, event.kind, event.changed, fields) for t, _workflow in pairs)


if heard not in [one.hears for one in events.by_model]:
    events.by_model.append(events.ModelListener(heard, matters))


@listener("workflows")
def tell(connection: sa.Connection, tenant: Tenant, happened: Sequence[Happening]) -> None:
    """Begin the runs that events set off, and wake those that wait for their records."""
    found = listeners(tenant.model).after
    mine = [one for one in happened if one.entity in found and one.means not in QUIET]
    if mine:
        with Session(tenant, system_of(tenant)).within(connection) as session:
            starts = list(_starts(session, mine))
        start(connection, tenant, starts)
    _wake(connection, tenant, happened)


def _starts(session: Session, happened: Sequence[Happening]) -> Iterator[Start]:
    graph, found = StoreGraph(session), listeners(session.model)
    by_entity: dict[str, list[UUID]] = defaultdict(list)
    for one in happened:
        by_entity[one.entity].append(one.record)
    for entity, ids in by_entity.items():
        graph.load(entity, ids)
    together = Counter(map(_together, happened))
    for one in happened:
        record = graph.follow(Ref(one.entity, one.record))
        if not isinstance(record, LiveRecord):
            continue  # purged since: nothing is left to work on
        begun: set[str] = set()
        fields = found.stages.get(one.entity, frozenset())
        for trigger, workflow in found.after[one.entity]:
            if (
                workflow.key not in begun
                and is_meant(trigger, one.kind, one.changes, fields)
                and _holds(session, workflow, one, record)
            ):
                begun.add(workflow.key)
                yield _start(workflow, one, crowd=together[_together(one)] > FEW)


def _together(one: Happening) -> tuple[object, ...]:
    """What changes have in common that were made at once: an import's, a bulk edit's."""
    return one.batch or one.at, one.by


def _start(workflow: Workflow, one: Happening, *, crowd: bool) -> Start:
    cause = one.cause if isinstance(one.cause, dict) else {}
    return Start(
        workflow,
        "record",
        Ref(one.entity, one.record),
        by=one.by,
        by_name=one.by_name,
        event={"kind": one.kind, "changes": dict(one.changes), "means": one.means, "version": one.version},
        chain=cause.get("chain", ()) if "workflow" in cause else (),
        crowd=crowd or bool(cause.get("crowd")),
    )


def is_meant(trigger: OnRecord, kind: str, changes: Mapping[str, Sequence[Any]], stages: Set[str]) -> bool:
    """Whether an event is one of those that a trigger listens to.

    `changes`: by field, what it was and what it is. `stages`: the fields that hold the entity's stages.
    """
    changed = changes.keys()
    if kind == "created":
        return trigger.created or _enters(trigger, changes, stages)
    if kind == "deleted":
        return trigger.deleted
    if kind == "restored":
        return trigger.restored
    if kind in ("linked", "unlinked"):
        wanted = trigger.linked if kind == "linked" else trigger.unlinked
        return bool(wanted) and wanted in changed
    if kind not in ("updated", "converted", "merged"):
        return False
    if trigger.changed & changed or (trigger.updated and not trigger.changed):
        return True
    return _enters(trigger, changes, stages)


def _enters(trigger: OnRecord, changes: Mapping[str, Sequence[Any]], stages: Set[str]) -> bool:
    """Whether a stage is entered or left that the trigger names."""
    if not trigger.enter and not trigger.leave:
        return False
    return any(
        (bool(trigger.enter) and ("*" in trigger.enter or new in trigger.enter))
        or (old is not None and bool(trigger.leave) and ("*" in trigger.leave or old in trigger.leave))
        for name, (old, new) in changes.items()
        if old != new and name in stages
    )


def _holds(session: Session, workflow: Workflow, one: Happening, record: LiveRecord) -> bool:
    """Whether the workflow's condition holds for the record as the event left it."""
    condition = workflow.bodies[one.entity].when
    if condition is None and workflow.sequence is None:
        return True
    is_new = one.kind == "created"
    now_ = as_it_became(session, record, one.changes)
    old = as_it_was(session, record, one.changes, is_new=is_new)
    me = Ref("user", one.by, one.by_name) if one.by is not None else None  # whose change it was
    reader = replace(session.reader, me=me)
    env = Env(now_, reader, record.graph, old=old, is_new=is_new, variables={"record": now_, "old": old})
    if would_stop(workflow, env):
        return False
    return condition is None or condition.evaluate(env) is True


def _wake(connection: sa.Connection, tenant: Tenant, happened: Sequence[Happening]) -> None:
    """Let runs that wait for one of the records look again."""
    tables = tenant.tables.platform
    watch, run = tables.run_watch, tables.run
    wanted = sa.tuple_(watch.c.entity, watch.c.record).in_({(one.entity, one.record) for one in happened})
    statement = sa.select(run).where(run.c.id.in_(sa.select(watch.c.run).where(wanted)), run.c.state == "waiting")
    defer_many(connection, [job_of(run_of(dict(row))) for row in connection.execute(statement).mappings()])
