"""Workflows inside a save: they may set fields of the record that is saved, and refuse it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, singledispatchmethod
from typing import TYPE_CHECKING, Any

from trellis.automation.workflows.finding import find, members
from trellis.automation.workflows.listeners import listeners
from trellis.automation.workflows.values import evaluated
from trellis.formula.env import Env
from trellis.model.automation import steps
from trellis.model.automation.steps import Step, Steps
from trellis.model.automation.triggers import Before
from trellis.model.automation.workflow import Workflow
from trellis.model.fields.base import Invalid
from trellis.records import faults
from trellis.records.draft import Draft
from trellis.records.hooks import Hooks, in_every_save
from trellis.records.pipelines import pipeline
from trellis.records.refusal import Fault
from trellis.records.writing import lines, write
from trellis.records.writing.values import reader_of

if TYPE_CHECKING:
    from trellis.records.graph import LiveRecord
    from trellis.records.session import Session


@in_every_save
def _join(session: Session, hooks: Hooks) -> None:
    found = listeners(session.model).before
    if found:
        hooks.before.append(lambda draft: _before(session, draft))
    for entity, pairs in found.items():
        deleting = [workflow for trigger, workflow in pairs if trigger.deleted]
        if deleting:
            hooks.deleting[entity] = partial(_deleting, session, deleting)


def _before(session: Session, draft: Draft) -> None:
    """Run what listens to the save of a record and of its parts."""
    found = listeners(session.model).before
    for inner in draft.every():
        pairs = found.get(inner.entity.key, ())
        if not pairs:
            continue
        write.derive(draft)  # conditions see roll-ups over the lines as they are about to be
        for trigger, workflow in pairs:
            if _is_meant(trigger, inner):
                _run(session, inner, workflow)


def _is_meant(trigger: Before, draft: Draft) -> bool:
    if draft.is_new:
        return trigger.created
    if trigger.changed:
        return any(draft.has_changed(name) for name in trigger.changed)
    return trigger.updated and bool(write.changed_fields(draft) or lines.changed(draft))


def _run(session: Session, draft: Draft, workflow: Workflow) -> None:
    body = workflow.bodies[draft.entity.key]
    env = draft.env()
    env.variables = {"record": draft.record, "old": draft.old}
    if body.when is not None and body.when.evaluate(env) is not True:
        return
    _InSave(session, env, draft).block(body.steps)


def _deleting(session: Session, among: Sequence[Workflow], records: Sequence[LiveRecord]) -> list[Fault]:
    """What refuses the deletion of the records."""
    found: list[Fault] = []
    for record in records:
        for workflow in among:
            body = workflow.bodies[record.entity]
            env = Env(record, session.reader, record.graph, old=record, variables={"record": record, "old": record})
            if body.when is None or body.when.evaluate(env) is True:
                work = _InSave(session, env, None)
                work.block(body.steps)
                found.extend(work.faults)
    return found


class _Stop(Exception):
    """The workflow ends here."""


class _InSave:
    """One workflow inside one save."""

    def __init__(self, session: Session, env: Env, draft: Draft | None) -> None:
        self.session = session
        self.env = env
        self.draft = draft
        self.faults: list[Fault] = []

    def block(self, block: Steps) -> None:
        """Do the steps one after the other."""
        try:
            self._steps(block)
        except _Stop:
            return

    def _steps(self, block: Steps) -> None:
        for step in block:
            if step.when is None or step.when.evaluate(self.env) is True:
                result = self.do(step)
                if step.name:
                    self.env.variables = {**self.env.variables, step.name: result}

    @singledispatchmethod
    def do(self, step: Step) -> Any:
        """Do one step; what it gives."""
        raise NotImplementedError(type(step).__name__)

    @do.register
    def _set(self, step: steps.SetValues) -> None:
        if self.draft is None:
            return
        draft = self.draft
        for key, given in step.values.items():
            field = draft.entity.fields[key]
            try:
                raw = evaluated(self.session, draft.entity.key, {key: given}, self.env)[key]
                draft.set(key, None if raw is None else field.type.parse(raw, reader_of(draft, field)))
            except Invalid as error:
                draft.fault(faults.invalid(key, error))
        if any(track.field in step.values or track.pipeline in step.values for track in pipeline.tracks(draft.entity)):
            pipeline.follow(self.session, draft)

    @do.register
    def _refuse(self, step: steps.Refuse) -> None:
        fault = Fault("refused", "{text}", step.field, {"text": str(step.text.evaluate(self.env) or "")})
        if self.draft is not None:
            self.draft.fault(fault)
        else:
            self.faults.append(fault)

    @do.register
    def _if(self, step: steps.If) -> None:
        self._steps(step.then if step.condition.evaluate(self.env) is True else step.otherwise)

    @do.register
    def _switch(self, step: steps.Switch) -> None:
        value = step.value.evaluate(self.env)
        self._steps(step.cases.get(str(value), step.otherwise) if value is not None else step.otherwise)

    @do.register
    def _each(self, step: steps.Each) -> None:
        kept = self.env.variables
        for record in members(self.session, step.list, self.env):
            self.env.variables = {**kept, "item": record}
            inner = Env(record, self.env.reader, self.env.graph, this=self.env.record, variables=self.env.variables)
            if step.filter is None or step.filter.evaluate(inner) is True:
                self._steps(step.steps)
        self.env.variables = kept

    @do.register
    def _find(self, step: steps.Find) -> Any:
        with self.session.as_system():
            return find(self.session, step, self.env)

    @do.register
    def _log(self, step: steps.Log) -> None:
        """A save keeps no log: the history tells what it set."""

    @do.register
    def _stop(self, step: steps.Stop) -> None:
        raise _Stop
