"""Workflows and sequences, from their documents to the Model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from trellis.formula.types import Type
from trellis.model.automation.triggers import Before, OnRecord, Trigger
from trellis.model.automation.workflow import Body, Workflow
from trellis.model.compile.automation.assignments import compile_assignments
from trellis.model.compile.automation.bodies import Bodies
from trellis.model.compile.automation.sequences import compile_sequences
from trellis.model.compile.automation.triggers import Triggers
from trellis.model.compile.context import Context, humanize
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.types import Types


def compile_workflows(ctx: Context, types: Types) -> dict[str, Workflow]:
    """Every workflow, by key, in the order in which they run: by `order`, then by their layers."""
    found = {}
    for key, document in ctx.configuration.of("workflow").items():
        item = Item(dict(document.data), document.place, "", document.name)
        found[key] = _workflow(ctx, types, key, item)
    found |= compile_assignments(ctx, types)
    found |= compile_sequences(ctx, types)
    return dict(sorted(found.items(), key=lambda entry: entry[1].order))


def _workflow(ctx: Context, types: Types, key: str, item: Item) -> Workflow:
    names = Names(ctx, types)
    on, order = item.get("on"), item.get("order")
    made = [m for each in (on.each() if on is not None else ()) if (m := Triggers(names, key).compile(each))]
    triggers = tuple(trigger for trigger, _ in made)
    _alone(ctx, item, triggers)
    bodies = {}
    for entity, variables in _entities(made):
        in_a_save = any(isinstance(t, Before) for t in triggers)
        scope = names.scope(entity, **variables)
        when = condition(ctx, item.get("when"), scope)
        bodies[entity] = Body(when, Bodies(names, entity, variables, in_a_save=in_a_save).steps(item.get("steps")))
    if item.get("when") is None:
        for trigger in triggers:
            _loops(ctx, item, trigger)
    return Workflow(
        key=key,
        label=ctx.text(item, "label", humanize(key)),
        triggers=triggers,
        bodies=bodies,
        digest=hashlib.sha256(repr(item.data).encode()).hexdigest()[:16],
        run_as="user" if item.word("run_as") == "user" else "system",
        active=item.flag("active", True),
        order=order.data if order is not None and isinstance(order.data, int) else 100,
        once=item.flag("once"),
        module=item.word("module"),
    )


def _entities(made: list[tuple[Trigger, Mapping[str, Type]]]) -> Iterator[tuple[str | None, dict[str, Type]]]:
    """Each entity that the triggers are about, with the names that they bring."""
    for entity in dict.fromkeys(trigger.entity for trigger, _ in made):
        variables: dict[str, Type] = {}
        for trigger, brought in made:
            if trigger.entity == entity:
                variables |= brought
        yield entity, variables


def _alone(ctx: Context, item: Item, triggers: tuple[Trigger, ...]) -> None:
    """What runs inside a save cannot also run after one: the steps that it may take differ."""
    kinds = {isinstance(trigger, Before) for trigger in triggers}
    if len(kinds) > 1:
        hint = "write two workflows"
        ctx.problem("E325", "`before` stands with no other trigger", item.get("on") or item, hint, at_key=True)


def _loops(ctx: Context, item: Item, trigger: Trigger) -> None:
    """A workflow without a condition that changes what sets it off would never end."""
    if not isinstance(trigger, OnRecord):
        return
    steps = item.get("steps")
    for step in steps.each() if steps is not None else ():
        if not isinstance(step.data, dict) or step.get("when") is not None:
            continue
        values = step.get("set")
        keys = {k for k, _ in values.entries()} if values is not None else set()
        is_own = not any(step.get(word) is not None for word in ("update", "create", "link", "run", "convert"))
        again = is_own and bool(keys) and (trigger.updated or bool(keys & trigger.changed))
        again = again or (step.word("create") == trigger.entity and trigger.created)
        if again:
            ctx.problem("E321", "sets itself off again, for ever", step, "add a `when:`", at_key=True)
