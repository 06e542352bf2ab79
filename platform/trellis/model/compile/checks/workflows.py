"""Workflows and sequences: triggers, then steps, whose results later steps name."""

from __future__ import annotations

from trellis.formula.types import ANY, RECORDS, Type, record_of, records_of
from trellis.model.compile.checks.names import Names
from trellis.model.compile.context import Context
from trellis.model.compile.formulas import formula, value
from trellis.model.compile.item import Item
from trellis.model.compile.scope import EntityScope
from trellis.model.compile.types import Types

_VALUES = ("to", "cc", "bcc", "subject", "body", "text", "attach", "reply_to", "refuse", "log", "stop")
_LISTS = ("link", "unlink")  # steps that name a list of a record


def check_workflow(ctx: Context, types: Types, key: str, item: Item) -> None:
    """A workflow."""
    names = Names(ctx, types)
    on = item.get("on")
    variables: dict[str, Type] = {}
    entities = {_trigger(names, each, variables) for each in (on.each() if on is not None else ())}
    if len(entities) > 1:
        return  # names mean another record for each trigger: known when it runs
    entity = next(iter(entities), None)
    names.conditions(item, names.scope(entity, **variables), "when")
    _steps(names, item.get("steps"), entity, variables)
    if item.get("when") is None:
        for trigger in on.each() if on is not None else ():
            _loops(ctx, item, trigger)


def check_sequence(ctx: Context, types: Types, key: str, item: Item) -> None:
    """A sequence."""
    names = Names(ctx, types)
    entity = names.entity(item.get("entity"))
    if entity is not None:
        names.conditions(item, names.scope(entity), "start_when", "stop_when")
        _steps(names, item.get("steps"), entity, {})


def _trigger(names: Names, item: Item, variables: dict[str, Type]) -> str | None:
    """The entity whose records set a workflow off."""
    for word in ("record", "before"):
        if (found := item.get(word)) is not None:
            entity = names.entity(found)
            names.fields(item.get("changed"), entity)
            names.fields(item.get("linked") or item.get("unlinked"), entity)
            _stages(names, item.get("stage"), entity)
            return entity
    if (schedule := item.get("each")) is not None:
        entity = names.entity(schedule.get("entity"))
        if entity is not None:
            names.conditions(schedule, names.scope(entity), "filter")
        return entity
    for word in ("date", "button", "form"):
        if (found := item.get(word)) is not None:
            entity = names.entity(found.get("entity"))
            names.roles(found.get("roles"))
            if word == "button":
                form = found.get("form")
                variables |= {"form": ANY, **{k: ANY for k, _ in (form.entries() if form is not None else ())}}
            else:
                names.fields(found.get("field") or found.get("fields"), entity)
                names.keys(found.get("set"), entity, None)
            return entity
    if (hook := item.get("webhook")) is not None:
        variables[hook.word("into", "payload")] = ANY
    if (mail := item.get("email")) is not None:
        variables["message"] = ANY
        return names.entity(mail.get("creates"))
    if (sla := item.get("sla")) is not None:
        target = sla.get("breach") or sla.get("warning")
        names.document(target, "sla")
        document = names.ctx.configuration.of("sla").get(target.text) if target is not None else None
        return str(document.data.get("entity")) if document is not None else None
    if (run := item.get("run")) is not None:
        variables["record"] = ANY
        return names.entity(run.get("entity"))
    return None


def _loops(ctx: Context, item: Item, trigger: Item) -> None:
    """A workflow without a condition that changes what sets it off would never end."""
    entity = trigger.word("record")
    if not entity:
        return
    changed = set(trigger.words("changed"))
    steps = item.get("steps")
    for step in steps.each() if steps is not None else ():
        if not isinstance(step.data, dict) or step.get("when") is not None:
            continue
        keys = {k for k, _ in _entries(step.get("set"))}
        is_own = step.get("update") is None and step.get("create") is None and step.get("link") is None
        again = is_own and bool(keys) and (trigger.flag("updated") or bool(keys & changed))
        again = again or (step.word("create") == entity and trigger.flag("created"))
        if again:
            ctx.problem("E321", "sets itself off again, for ever", step, "add a `when:`", at_key=True)


def _stages(names: Names, item: Item | None, entity: str | None) -> None:
    if item is None or entity is None:
        return
    known = {s for _, p in names.ctx.drafts[entity].pipelines for s, _ in _entries(p.get("stages"))}
    for _, found in item.entries():
        for each in found.each():
            if isinstance(each.data, str) and each.text not in known:
                names.ctx.unknown("stage", each, known, "E309")


def _entries(item: Item | None) -> list[tuple[str, Item]]:
    return [] if item is None else list(item.entries())


def _steps(names: Names, steps: Item | None, entity: str | None, variables: dict[str, Type]) -> None:
    for step in steps.each() if steps is not None else ():
        if isinstance(step.data, dict):
            _step(names, step, entity, variables)


def _step(names: Names, step: Item, entity: str | None, variables: dict[str, Type]) -> None:
    ctx = names.ctx
    scope = names.scope(entity, **variables)
    names.conditions(step, scope, "when", "if")
    result: Type = ANY
    target = entity
    if (created := step.get("create")) is not None:
        target = names.entity(created)
        result = record_of(target) if target is not None else ANY
    elif (found := step.get("find")) is not None:
        target = names.entity(found)
        if target is not None:
            this = {"this": record_of(entity)} if entity is not None else {}
            inner = names.types.scope(
                target, **{**variables, **this, **({"record": record_of(entity)} if entity else {})}
            )
            names.conditions(step, inner, "where")
            result = records_of(target) if step.flag("many") else record_of(target)
    else:
        for verb in ("update", "delete", "restore", "link", "unlink", "switch"):
            if (expression := step.get(verb)) is not None:
                compiled = formula(ctx, expression, scope, RECORDS if verb in _LISTS else None)
                target = (
                    compiled.type.entities[0] if compiled is not None and len(compiled.type.entities) == 1 else None
                )
    if step.get("link") is not None or step.get("unlink") is not None:
        target = None  # `set` names the columns of the link
    names.keys(step.get("set"), target, scope)
    for key in _VALUES:
        if (each := step.get(key)) is not None:
            value(ctx, each, scope)
    for key, kind in (("template", "email"), ("document", "document"), ("run", "workflow")):
        names.document(step.get(key), kind)
    for key in ("notify", "approve", "request", "wait", "assign"):
        if (inner_item := step.get(key)) is not None and isinstance(inner_item.data, dict):
            _parameters(names, inner_item, scope)
    if (each := step.get("each")) is not None:
        _loop(names, step, each, entity, variables)
    for key in ("then", "else"):
        _steps(names, step.get(key), entity, variables)
    for _, case in _entries(step.get("cases")):
        _steps(names, case, entity, variables)
    if step.get("as") is not None:
        variables[step.word("as")] = result


def _parameters(names: Names, item: Item, scope: EntityScope) -> None:
    for key, each in item.entries():
        if key == "until" or key == "at" or (key == "when" and isinstance(each.data, str)):
            formula(names.ctx, each, scope)
        elif key == "among":
            names.roles(each.get("role"))
        elif key in ("to", "by", "text", "url", "body"):
            value(names.ctx, each, scope)


def _loop(names: Names, step: Item, each: Item, entity: str | None, variables: dict[str, Type]) -> None:
    compiled = formula(names.ctx, each, names.scope(entity, **variables), RECORDS)
    inner = compiled.type.entities[0] if compiled is not None and len(compiled.type.entities) == 1 else None
    item_type = record_of(inner) if inner is not None else ANY
    if inner is not None:
        this = {"this": record_of(entity)} if entity is not None else {}
        names.conditions(step, names.types.scope(inner, **{**variables, **this, "item": item_type}), "filter")
    _steps(names, step.get("steps"), entity, {**variables, "item": item_type})
