"""Which of the runs that something other than a change sets off are meant: those whose condition holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from trellis.formula.env import Env
from trellis.records.graph import StoreGraph

if TYPE_CHECKING:
    from trellis.automation.workflows.starting import Start
    from trellis.records.session import Session


def meant(session: Session, starts: Iterable[Start]) -> Iterator[Start]:
    """Those for whose records the workflow's condition holds; of records that are gone, none."""
    graph = StoreGraph(session)
    for begun in starts:
        record = graph.follow(begun.record) if begun.record is not None else None
        if record is None or record.entity not in begun.workflow.bodies:
            continue
        condition = begun.workflow.bodies[record.entity].when
        env = Env(record, session.reader, graph, old=record, variables={"record": record, "old": record})
        if condition is None or condition.evaluate(env) is True:
            yield begun
