"""What automation costs a save: 200 active workflows on the entity, of which one applies, against none."""

from __future__ import annotations

import dataclasses
import random
import statistics
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

import trellis.automation.workflows.engine  # noqa: F401 (takes part in every save)
from bench.fill import contact_id
from bench.registry import Result, measure
from bench.setting import layers
from trellis.model.compile import compile_layers
from trellis.records.store import Store

if TYPE_CHECKING:
    from bench.setting import Bench
    from trellis.storage.tenant import Tenant

WORKFLOWS = 200
ROUNDS, SAVES = 12, 25
BEFORE = """
workflow: before-{n}
on: {{before: contact, changed: [job_title]}}
when: job_title == "{title}"
steps: [{{set: {{department: D{n}}}}}]
"""
AFTER = """
workflow: after-{n}
on: {{record: contact, changed: [{field}]}}
when: department == "none of {n}"
steps: [{{log: "{n}"}}]
"""


@measure("workflows")
def workflows(bench: Bench) -> Iterator[Result]:
    """Half of them on `before`, half on events; none of the core's listens to contacts."""
    chance, table = random.Random(9), bench.tenant.tables.platform.event
    crowded, empty = _with(bench, WORKFLOWS), _with(bench, 0)

    def saves(tenant: Tenant) -> float:
        began = time.perf_counter()
        for _ in range(SAVES):
            store = Store(tenant, bench.principal)
            title = f"Title {chance.random():.9f}"
            store.update("contact", contact_id(chance.randint(1, bench.rows)), {"job_title": title})
        return (time.perf_counter() - began) * 1000 / SAVES

    try:
        saves(crowded), saves(empty)
        pairs = [(saves(crowded), saves(empty)) for _ in range(ROUNDS)]
    finally:
        with bench.tenant.begin() as connection:
            connection.execute(sa.delete(table))
        with bench.database.engine.begin() as connection:
            connection.exec_driver_sql("SELECT trellis_queue.forget(%s)", (bench.tenant.role,))
    many, none = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    yield Result("save with 200 workflows, 1 applies", many, none, ratio=ratio, goal=1.25, note="against none")


def _with(bench: Bench, count: int) -> Tenant:
    """The bench's tenant as if it had so many workflows on contacts; their tables are the same."""
    texts = [
        BEFORE.format(n=n, title=f"none of {n}") if n % 2 else AFTER.format(n=n, field="phone") for n in range(count)
    ]
    if count:
        texts.append("workflow: one\non: {before: contact, changed: [job_title]}\nsteps: [{set: {department: One}}]\n")
    compiled = compile_layers(layers(workflows="\n---\n".join(texts)) if texts else layers())
    assert compiled.model is not None, compiled.problems[:3]
    return dataclasses.replace(bench.tenant, model=compiled.model)
