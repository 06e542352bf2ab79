"""`assignment:` documents: who gets a record, by the first rule that fits. Each becomes a workflow of its own."""

from __future__ import annotations

import hashlib

from trellis.formula.formula import constant
from trellis.formula.types import BOOLEAN
from trellis.model.automation.steps import Assign, If, Steps
from trellis.model.automation.triggers import OnRecord
from trellis.model.automation.workflow import Body, Workflow
from trellis.model.compile.automation.bodies import Bodies
from trellis.model.compile.automation.verbs import choosing
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.types import Types

PREFIX = "assignment:"


def compile_assignments(ctx: Context, types: Types) -> dict[str, Workflow]:
    """The assignments as workflows, by `assignment:` and their key."""
    found = {}
    for key, document in ctx.configuration.of("assignment").items():
        item = Item(dict(document.data), document.place, "", document.name)
        if (made := _assignment(ctx, types, key, item)) is not None:
            found[made.key] = made
    return found


def _assignment(ctx: Context, types: Types, key: str, item: Item) -> Workflow | None:
    names = Names(ctx, types)
    entity = names.entity(item.get("entity"))
    if entity is None:
        return None
    field = item.get("field")
    names.fields(field, entity)
    on = item.words("on") or ("created",)
    body = Bodies(names, entity, {})
    rules = item.get("rules")
    steps: Steps = ()
    for index, rule in reversed(list(enumerate(rules.each() if rules is not None else ()))):
        if not isinstance(rule.data, dict):
            continue
        place = ".".join(["0", *(["else", "0"] * index)])
        when = condition(ctx, rule.get("when"), body.scope()) or constant(True, BOOLEAN)
        chosen = Assign(
            place=f"{place}.then.0", choosing=choosing(body, rule), field=field.text if field is not None else ""
        )
        steps = (If(place=place, condition=when, then=(chosen,), otherwise=steps),)
    return Workflow(
        key=f"{PREFIX}{key}",
        label=ctx.text(item, "label", humanize(key)),
        triggers=(OnRecord(entity=entity, created="created" in on, updated="updated" in on),),
        bodies={entity: Body(condition(ctx, item.get("when"), body.scope()), steps)},
        digest=hashlib.sha256(repr(item.data).encode()).hexdigest()[:16],
    )
