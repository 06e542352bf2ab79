"""Buttons that workflows put on records: who sees them, and what pressing one does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.workflows.answers import read
from trellis.automation.workflows.starting import Start, start
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.automation.triggers import OnButton
from trellis.model.automation.workflow import Workflow
from trellis.records.graph import StoreGraph
from trellis.records.kept import kept
from trellis.records.refusal import Fault, Missing, Refused

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.records.store import Store


@dataclass(frozen=True)
class Button:
    """A button: of which workflow, and how it looks."""

    workflow: Workflow
    trigger: OnButton

    @property
    def key(self) -> str:
        """What its address says."""
        return self.workflow.key

    @property
    def asks(self) -> bool:
        """Whether something is asked before: values, or whether one is sure."""
        return bool(self.trigger.form) or bool(self.trigger.confirm)


def buttons_of(model: Model, entity: str) -> tuple[Button, ...]:
    """Every button on records of an entity."""

    def make() -> tuple[Button, ...]:
        return tuple(
            Button(workflow, trigger)
            for workflow in model.workflows.values()
            for trigger in workflow.triggers
            if workflow.active and isinstance(trigger, OnButton) and trigger.entity == entity
        )

    found: tuple[Button, ...] = kept((model.hash, "buttons", entity), make)
    return found


def offered(store: Store, entity: str, id: UUID) -> Iterator[Button]:
    """The buttons that this person is offered on a live record, as it is now."""
    mine = [button for button in buttons_of(store.tenant.model, entity) if _is_for(store, button)]
    if not mine:
        return
    with store.transaction():
        graph = StoreGraph(store.session)
        record = graph.follow(Ref(entity, id))
        env = Env(record, store.session.reader, graph, old=record)
        busy = _at_work(store, mine, Ref(entity, id))
        for button in mine:
            if button.key in busy:
                continue  # what has been asked for is not asked for twice
            if button.trigger.when is None or (record is not None and button.trigger.when.evaluate(env) is True):
                yield button


def _at_work(store: Store, among: Sequence[Button], record: Ref) -> set[str]:
    """The buttons whose workflows are still at work on the record."""
    table = store.tenant.tables.platform.run
    same = table.c.entity == record.entity, table.c.record == record.id, table.c.ended_at.is_(None)
    statement = sa.select(table.c.workflow).where(*same, table.c.workflow.in_({button.key for button in among}))
    return set(store.session.execute(statement).scalars())


def _is_for(store: Store, button: Button) -> bool:
    roles, modules, module = button.trigger.roles, store.tenant.profile.modules, button.workflow.module
    if modules is not None and module and module not in modules:
        return False  # it would make what nobody has an entry for
    return not roles or store.principal.is_system or bool(store.principal.roles & set(roles))


def press(store: Store, entity: str, id: UUID, key: str, answers: Mapping[str, Any]) -> UUID:
    """Press a button: the run that it begins. Raises Missing, Refused when something is missing in its form."""
    with store.transaction() as connection:
        store.read(entity, id, fields=())
        mark = f"{store.tenant.slug}:{entity}:{id}:{key}"  # who presses twice finds the run of the first time
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7277))", (mark,))
        button = next((one for one in offered(store, entity, id) if one.key == key), None)
        if button is None:
            raise Missing(key)
        values, wrong = read(button.trigger.form, answers, store.session.reader)
        if wrong:
            raise Refused(wrong)
        begun = Start(
            button.workflow,
            "button",
            Ref(entity, id),
            by=store.principal.id,
            by_name=store.principal.name,
            variables={**values, "form": values},
        )
        made = start(connection, store.tenant, [begun])
        if not made:
            raise Refused([Fault("paused", "This workflow is paused, or has run for this record already.")])
        return made[0]
