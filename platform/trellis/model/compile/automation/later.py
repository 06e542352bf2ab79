"""What a layer may say already, and this version does not do: said as advice, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from trellis.model.automation import steps
from trellis.model.automation.steps import Step, every_step
from trellis.model.automation.triggers import Trigger
from trellis.model.automation.workflow import Workflow
from trellis.model.compile.context import Context
from trellis.model.compile.item import Item

KINDS: tuple[str, ...] = ()
TRIGGERS: dict[type[Trigger], str] = {}
HINT = "it is kept for a later version"


def check_later(ctx: Context, workflows: dict[str, Workflow]) -> None:
    """Advise of documents, triggers and steps that do not run."""
    for kind in KINDS:
        for document in ctx.configuration.of(kind).values():
            item = Item(dict(document.data), document.place, "", document.name)
            ctx.problem("W613", f"'{kind}' is checked, and does not run yet", item.get(kind) or item, HINT, at_key=True)
    for key, workflow in workflows.items():
        found = ctx.configuration.of("workflow").get(key)
        for word in _words(workflow) if found is not None else ():
            assert found is not None
            item = Item(dict(found.data), found.place, "", found.name)
            ctx.problem("W613", f"'{word}' is checked, and does not run yet", item.get("workflow") or item, HINT)


def _words(workflow: Workflow) -> Iterator[str]:
    yield from dict.fromkeys(TRIGGERS[type(t)] for t in workflow.triggers if type(t) in TRIGGERS)
    bodies = workflow.bodies.values()
    yield from dict.fromkeys(word for body in bodies for step in every_step(body.steps) if (word := _word(step)))


def _word(step: Step) -> str:
    return f"send: {step.channel}" if isinstance(step, steps.Send) and step.channel != "email" else ""
