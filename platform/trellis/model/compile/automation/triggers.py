"""Triggers: whose records they are about, and which names they bring into the workflow's formulas."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import time

from apscheduler.triggers.cron import CronTrigger

from trellis.config.phrase import phrase
from trellis.formula.types import ANY, Type
from trellis.model.automation import triggers
from trellis.model.automation.triggers import Trigger
from trellis.model.compile.automation.fillings import fillings
from trellis.model.compile.automation.forms import compile_form
from trellis.model.compile.context import humanize
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.spans import Span, read_span

ANY_STAGE = frozenset({"*"})
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Triggers:
    """The triggers of one workflow in the making."""

    def __init__(self, names: Names, workflow: str) -> None:
        self.names = names
        self.workflow = workflow

    def compile(self, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
        """A trigger and the names that it brings; None when it cannot be made (a problem says why)."""
        if not isinstance(item.data, dict):
            return None
        word = next((word for word in _KINDS if word in item.data), None)
        return None if word is None else _KINDS[word](self, item)


_Compile = Callable[[Triggers, Item], tuple[Trigger, Mapping[str, Type]] | None]
_KINDS: dict[str, _Compile] = {}


def _kind(word: str) -> Callable[[_Compile], _Compile]:
    def register(compile: _Compile) -> _Compile:
        _KINDS[word] = compile
        return compile

    return register


@_kind("record")
def _record(self: Triggers, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
    names = self.names
    entity = names.entity(item.get("record"))
    names.fields(item.get("changed"), entity)
    for word in ("linked", "unlinked"):
        names.fields(item.get(word), entity)
    stage = item.get("stage")
    enter, leave, stuck = (_stages(names, stage.get(w) if stage else None, entity) for w in ("enter", "leave", "stuck"))
    if entity is None:
        return None
    made = triggers.OnRecord(
        entity=entity,
        created=item.flag("created"),
        updated=item.flag("updated"),
        deleted=item.flag("deleted"),
        restored=item.flag("restored"),
        changed=frozenset(item.words("changed")),
        linked=item.word("linked"),
        unlinked=item.word("unlinked"),
        enter=enter,
        leave=leave,
        stuck=stuck,
    )
    if made == triggers.OnRecord(entity=entity):
        hint = "say when: created, updated, deleted, restored, changed, linked, unlinked or stage"
        names.ctx.problem("E325", "nothing ever sets this off", item, hint)
    return made, {}


@_kind("before")
def _before(self: Triggers, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
    entity = self.names.entity(item.get("before"))
    self.names.fields(item.get("changed"), entity)
    if entity is None:
        return None
    words = [item.flag(word) for word in ("created", "updated", "deleted")]
    changed = frozenset(item.words("changed"))
    if not any(words) and not changed:
        words[:2] = [True, True]
    created, updated, deleted = words
    return triggers.Before(entity=entity, created=created, updated=updated, deleted=deleted, changed=changed), {}


def _stages(names: Names, item: Item | None, entity: str | None) -> frozenset[str]:
    if item is None or entity is None or item.data is False:
        return frozenset()
    if item.data is True:
        return ANY_STAGE
    drafts = names.ctx.drafts[entity].pipelines
    known = {key for _, pipeline in drafts if (stages := pipeline.get("stages")) for key, _ in stages.entries()}
    for each in item.each():
        if each.text not in known and each.text != "*":
            names.ctx.unknown("stage", each, known, "E309")
    return frozenset(each.text for each in item.each())


@_kind("schedule")
def _schedule(self: Triggers, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
    cron = item.get("schedule")
    each = item.get("each")
    entity = self.names.entity(each.get("entity")) if each is not None else None
    if cron is None or not is_cron(self.names, cron) or (each is not None and entity is None):
        return None
    filter = None
    if each is not None and entity is not None:
        filter = condition(self.names.ctx, each.get("filter"), self.names.types.scope(entity))
    return triggers.OnSchedule(entity=entity, cron=cron_of(cron.text), filter=filter), {}


def cron_of(text: str) -> str:
    """A cron expression with the weekdays by name: 0 and 7 are Sunday, as everywhere but in APScheduler."""
    *fields, weekday = text.split()
    named = re.sub(r"(?<![/\w])[0-7]\b", lambda found: _WEEKDAYS[int(found[0])], weekday)
    return " ".join([*fields, named])


def is_cron(names: Names, item: Item) -> bool:
    """Whether a text is a schedule as cron writes them; what is wrong with it is among the problems."""
    try:
        CronTrigger.from_crontab(cron_of(item.text), timezone="UTC")
    except ValueError:
        hint = "five fields: minute hour day month weekday, such as 0 8 * * mon-fri"
        names.ctx.problem("E215", phrase("'{name}' is not a schedule", name=item.text), item, hint)
        return False
    return True


@_kind("date")
def _date(self: Triggers, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
    date = item.get("date")
    if date is None:
        return None
    ctx, entity, field = self.names.ctx, self.names.entity(date.get("entity")), date.get("field")
    self.names.fields(field, entity)
    if entity is None or field is None:
        return None
    type = self.names.types.of(entity, field.text)
    if type is not None and type.kind not in ("date", "datetime"):
        ctx.problem("E325", phrase("'{name}' is no date", name=field.text), field, "name a date or a datetime")
    clock = date.get("at")
    at = _TIME.fullmatch(clock.text) if clock is not None else None
    if clock is not None and at is None:
        ctx.problem("E215", phrase("'{name}' is no time of day", name=clock.text), clock, 'such as "09:00"')
    offset = date.get("offset")
    return (
        triggers.OnDate(
            entity=entity,
            field=field.text,
            offset=(read_span(offset.text) if offset is not None else None) or Span(),
            at=time(int(at[1]), int(at[2])) if at is not None else None,
            yearly=date.flag("yearly"),
            filter=condition(ctx, date.get("filter"), self.names.types.scope(entity)),
        ),
        {},
    )


@_kind("button")
def _button(self: Triggers, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
    button = item.get("button")
    if button is None:
        return None
    ctx, types, entity = self.names.ctx, self.names.types, self.names.entity(button.get("entity"))
    self.names.roles(button.get("roles"))
    form = button.get("form")
    fields = types.plain_fields(form, entity or "") if form is not None else {}
    variables = {"form": ANY, **{key: field.type.formula_type() for key, field in fields.items()}}
    if entity is None:
        return None
    return (
        triggers.OnButton(
            entity=entity,
            label=ctx.text(button, "label", humanize(self.workflow)),
            icon=button.word("icon", "player-play"),
            roles=button.words("roles"),
            form=fields,
            confirm=ctx.text(button, "confirm"),
            when=condition(ctx, button.get("when"), types.scope(entity)),
            in_list=button.flag("list"),
        ),
        variables,
    )


@_kind("webhook")
def _webhook(self: Triggers, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
    hook = item.get("webhook")
    if hook is None:
        return None
    into = hook.word("into", "payload")
    return triggers.OnWebhook(key=hook.word("key"), into=into, secret=hook.word("secret")), {into: ANY}


@_kind("email")
def _email(self: Triggers, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
    mail = item.get("email")
    if mail is None:
        return None
    creates = mail.get("creates")
    entity = self.names.entity(creates)
    if creates is not None and entity is None:
        return None
    scope = self.names.types.scope(None, message=ANY)
    values = fillings(self.names, mail.get("set"), entity, scope)
    return triggers.OnMail(entity=entity, to=mail.word("to"), values=values), {"message": ANY}


@_kind("form")
def _form(self: Triggers, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
    form = item.get("form")
    return compile_form(self.names, self.workflow, form) if form is not None else None


@_kind("sla")
def _sla(self: Triggers, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
    sla = item.get("sla")
    if sla is None:
        return None
    word = "breach" if sla.get("breach") is not None else "warning"
    target = sla.get(word)
    self.names.document(target, "sla")
    document = self.names.ctx.configuration.of("sla").get(target.text) if target is not None else None
    if target is None or document is None:
        return None
    entity = str(document.data.get("entity"))
    if entity not in self.names.ctx.drafts:
        return None  # the service level's own check says so
    return triggers.OnSla(entity=entity, sla=target.text, event="breach" if word == "breach" else "warning"), {}


@_kind("run")
def _run(self: Triggers, item: Item) -> tuple[Trigger, Mapping[str, Type]] | None:
    run = item.get("run")
    if run is None:
        return None
    entity = self.names.entity(run.get("entity"))
    return triggers.OnRun(entity=entity), {} if entity is not None else {"record": ANY}
