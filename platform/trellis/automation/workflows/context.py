"""What a step has in hand: the run, the door with its rights, and what its formulas name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.automation.workflows.codec import freeze
from trellis.automation.workflows.finding import in_hand
from trellis.automation.workflows.happened import before_the_event
from trellis.formula.env import Env, RecordLike
from trellis.formula.formula import Formula
from trellis.formula.types import Ref, Value
from trellis.model.automation.steps import Step
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.automation.workflows.run import Run
    from trellis.model.given import Given
    from trellis.records.store import Store
    from trellis.storage.tenant import Tenant

MEANS = "workflow"


class StepFailed(Exception):
    """A step cannot do its work; the fault says why, in words that are translated."""

    def __init__(self, message: str, **params: Any) -> None:
        self.fault = Fault("step", message, None, params)
        super().__init__(str(self.fault))


def in_words(faults: Sequence[Fault]) -> dict[str, Any]:
    """For the run's log: a text, and the faults that it can be said by in every language."""
    said = [{"message": str(f.message), "field": f.field, "params": freeze(f.params)} for f in faults]
    return {"text": str(faults[0]), "faults": said}


@dataclass
class StepContext:
    """One step of one run."""

    run: Run
    store: Store
    connection: sa.Connection
    place: str = ""

    @property
    def tenant(self) -> Tenant:
        """Whose run it is."""
        return self.store.tenant

    @cached_property
    def graph(self) -> StoreGraph:
        """The way to records; begun anew for every step, as the one before may have changed them."""
        return StoreGraph(self.store.session)

    @cached_property
    def record(self) -> LiveRecord | None:
        """The record that set the run off, as it is now; in the bin too."""
        return self.graph.follow(self.run.ref) if self.run.ref is not None else None

    def env(self) -> Env:
        """What formulas are evaluated with."""
        record, old = self.record, None
        if record is not None:
            old = before_the_event(self.store.session, self.run, record)
        variables = {**self.run.variables, "record": record if record is not None else self.run.variables.get("record")}
        return Env(record, self.store.session.reader, self.graph, old=old, variables={**variables, "old": old})

    def holds(self, formula: Formula | None) -> bool:
        """Whether a condition holds; none always does."""
        return formula is None or formula.evaluate(self.env()) is True

    def target(self, formula: Formula) -> list[Ref]:
        """The records that a formula gives. Raises StepFailed when there is none."""
        value = formula.evaluate(self.env())
        refs = list(refs_of(value))
        if not refs and not isinstance(value, (list, tuple)):
            raise StepFailed("“{formula}” is blank: there is no record.", formula=formula.source)
        return refs

    def hold(self, refs: Sequence[Ref], values: Iterable[Given]) -> None:
        """Keep records as they are until what formulas make of them is written: of two runs that count one up, none
        counts for nothing. What was read before is read anew."""
        if not any(True for given in values for _ in given.formulas()):
            return  # nothing is read: the write itself locks early enough
        for entity in sorted({ref.entity for ref in refs}):
            table = self.store.session.table(entity)
            ids = [ref.id for ref in refs if ref.entity == entity]
            held = sa.select(table.c.id).where(table.c.id.in_(ids)).order_by(table.c.id)
            self.connection.execute(held.with_for_update(key_share=True))
        self.__dict__.pop("graph", None)
        self.__dict__.pop("record", None)

    def in_hand(self, value: Value) -> RecordLike | None:
        """The record that a value points to."""
        return in_hand(value, self.env())

    def cause(self) -> dict[str, Any]:
        """What the history says of a change that a step makes; the next run of the chain begins with it."""
        run = self.run
        cause = {"workflow": run.workflow, "run": str(run.id), "chain": run.chain, "depth": len(run.chain)}
        return {**cause, "crowd": True} if run.crowd else cause


def refs_of(value: Value) -> Iterator[Ref]:
    """The records among a value: one, several, or none."""
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from refs_of(each)
    elif isinstance(value, RecordLike) and value.id is not None:
        yield Ref(value.entity, value.id)


def verb_of(step: Step) -> str:
    """What a step is called in the YAML."""
    return _VERBS.get(type(step).__name__, type(step).__name__.lower())


_VERBS = {"SetValues": "set", "MakeDocument": "document"}
