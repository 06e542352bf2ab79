"""Steps, resolved one after the other: what a step gives has its name in the formulas of those after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, cast

from trellis.formula.formula import Formula
from trellis.formula.types import ANY, RECORDS, Type, record_of, records_of
from trellis.model.automation import steps
from trellis.model.automation.steps import NOTHING, ListOf, Step, Steps
from trellis.model.compile.automation.fillings import fillings
from trellis.model.compile.formulas import condition, formula, given, said
from trellis.model.compile.item import Item
from trellis.model.compile.names import Names
from trellis.model.compile.scope import EntityScope
from trellis.model.given import Given
from trellis.model.spans import Span, read_span

_WORD = re.compile(r"[a-z_]\w*")
_PATH = re.compile(r"=?\s*(?:([a-z_][\w.]*)\.)?([a-z_]\w*)\s*")
_IN_A_SAVE = frozenset({"set", "refuse", "if", "switch", "find", "each", "log", "stop"})
_SENT = ("to", "cc", "bcc", "from", "subject", "body", "text", "attach", "reply_to", "language")


class Bodies:
    """The steps of one document in the making, for records of one entity."""

    def __init__(
        self, names: Names, entity: str | None, variables: Mapping[str, Type], *, in_a_save: bool = False
    ) -> None:
        self.names = names
        self.ctx = names.ctx
        self.entity = entity
        self.variables = dict(variables)
        self.in_a_save = in_a_save

    def scope(self) -> EntityScope:
        """What names mean at this point."""
        return self.names.scope(self.entity, **self.variables)

    def steps(self, item: Item | None, place: str = "") -> Steps:
        """The steps of a block."""
        made = []
        for index, each in enumerate(item.each() if item is not None else ()):
            if isinstance(each.data, dict) and (step := self._step(each, f"{place}{index}")) is not None:
                made.append(step)
        return tuple(made)

    def _step(self, item: Item, place: str) -> Step | None:
        verb = next((verb for verb in VERBS if verb in item.data), None)
        if verb is None:
            return None  # the check of shapes has said so
        self._may_stand_here(item, verb)
        common: dict[str, Any] = {
            "place": place,
            "when": condition(self.ctx, item.get("when"), self.scope()),
            "name": item.word("as"),
            "label": self.ctx.text(item, "label"),
            "on_error": _on_error(item.get("on_error")),
        }
        made = VERBS[verb](self, item, common)
        if made is None:
            self.variables.setdefault(item.word("as"), ANY)
            return None
        step, result = made
        if step.name:
            self.variables[step.name] = result
        return step

    def _may_stand_here(self, item: Item, verb: str) -> None:
        if self.in_a_save and verb not in _IN_A_SAVE:
            hint = f"inside a save stand: {', '.join(sorted(_IN_A_SAVE))}; let a workflow on `record` do the rest"
            self.ctx.problem("E325", f"'{verb}' does not work before a save", item.get(verb) or item, hint, at_key=True)
        if not self.in_a_save and verb == "refuse":
            hint = "refuse in a workflow on `before`"
            self.ctx.problem("E325", "the save is over: nothing can be refused any more", item, hint, at_key=True)

    def given(self, item: Item | None) -> Given:
        """A value, or a formula for it."""
        return NOTHING if item is None else given(self.ctx, item, self.scope())

    def said(self, item: Item | None) -> Given:
        """A text for people."""
        return NOTHING if item is None else said(self.ctx, item, self.scope())

    def formula(self, item: Item | None, expected: Type | None = None) -> Formula | None:
        """A formula at this point."""
        return formula(self.ctx, item, self.scope(), expected)

    def block(self, item: Item | None, place: str) -> Steps:
        """Steps inside a step; what they name is not known after it."""
        kept = dict(self.variables)
        made = self.steps(item, f"{place}.")
        self.variables = {**self.variables, **kept}
        return made

    def read_by(self, found: Formula) -> Iterator[str]:
        """The entities whose records a formula looks at: its own, those on the way, and what steps have given."""
        if self.entity is not None and found.reads:
            yield self.entity
        for path in found.reads:
            entities: tuple[str, ...] = (self.entity,) if self.entity is not None else ()
            for name in path:
                types = [t for e in entities if (t := self.names.types.of(e, name)) is not None]
                entities = tuple(entity for type in types for entity in type.entities)
                yield from entities
        words = set(_WORD.findall(found.source))
        for name, type in self.variables.items():
            if name in words:
                yield from type.entities
        if self.entity is not None and "record" in words:
            yield self.entity

    def list_of(self, item: Item) -> tuple[ListOf, str | None]:
        """The list that a path names, and the entity of its records."""
        match = _PATH.fullmatch(item.text)
        if match is None or (match[1] is None and match[2] in self.variables):
            found = self.formula(item, RECORDS)
            return ListOf(None, found=found), _target(found)
        compiled = self.formula(item, RECORDS)  # says what is wrong with it
        if match[1] is None:
            return ListOf(None, match[2]), _target(compiled)
        head = self.ctx.quietly(lambda: formula(self.ctx, item.plain(match[1]), self.scope()))
        return ListOf(head, match[2]), _target(compiled)

    def records(self, item: Item) -> tuple[Formula | None, str | None]:
        """A formula that gives a record or records, and their entity where it is only one."""
        found = self.formula(item)
        if found is not None and found.type.kind not in ("record", "records", "any", "list", "blank"):
            self.ctx.problem("E406", f"a record is expected here, not a {found.type}", item)
        return found, _target(found)


def _target(found: Formula | None) -> str | None:
    if found is None:
        return None
    type = found.type.item if found.type.kind == "list" and found.type.item is not None else found.type
    return type.entities[0] if len(type.entities) == 1 else None


def _on_error(item: Item | None) -> Any:
    retry = item.get("retry") if item is not None else None
    if retry is None:
        return item.text if item is not None and item.text in ("stop", "continue") else "stop"
    times = retry.get("times")
    count = times.data if times is not None and isinstance(times.data, int) else 3
    return steps.Retry(count, span(retry.get("backoff")) or Span(rest=_MINUTE))


def span(item: Item | None) -> Span | None:
    """A length of time; the shape of its text is checked."""
    return read_span(item.text) if item is not None else None


_MINUTE = cast("Span", read_span("1 minute")).rest
_Made = tuple[Step, Type] | None
_Compile = Callable[[Bodies, Item, dict[str, Any]], _Made]
VERBS: dict[str, _Compile] = {}


def _verb(word: str) -> Callable[[_Compile], _Compile]:
    def register(compile: _Compile) -> _Compile:
        VERBS[word] = compile
        return compile

    return register


@_verb("refuse")
def _refuse(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    field = item.get("field")
    self.names.fields(field, self.entity)
    return steps.Refuse(text=self.said(item.get("refuse")), field=field.text if field else None, **common), ANY


@_verb("create")
def _create(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    entity = self.names.entity(item.get("create"))
    values = fillings(self.names, item.get("set"), entity, self.scope())
    return None if entity is None else (steps.Create(entity=entity, values=values, **common), record_of(entity))


@_verb("update")
def _update(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    target, entity = self.records(cast("Item", item.get("update")))
    values = fillings(self.names, item.get("set"), entity, self.scope())
    return None if target is None else (steps.Update(target=target, values=values, **common), target.type)


@_verb("delete")
def _delete(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    target, _entity = self.records(cast("Item", item.get("delete")))
    return None if target is None else (steps.Delete(target=target, **common), ANY)


@_verb("restore")
def _restore(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    target, _entity = self.records(cast("Item", item.get("restore")))
    return None if target is None else (steps.Restore(target=target, **common), target.type)


@_verb("link")
def _link(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    listed, _entity = self.list_of(cast("Item", item.get("link")))
    to = self.formula(item.get("to"))
    values = fillings(self.names, item.get("set"), None, self.scope())
    return None if to is None else (steps.Link(list=listed, to=to, values=values, **common), ANY)


@_verb("unlink")
def _unlink(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    listed, _entity = self.list_of(cast("Item", item.get("unlink")))
    to = self.formula(item.get("to"))
    return None if to is None else (steps.Unlink(list=listed, to=to, **common), ANY)


@_verb("find")
def _find(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    entity = self.names.entity(item.get("find"))
    if entity is None:
        return None
    outer: dict[str, Type] = {}
    if self.entity is not None:
        outer = {"this": record_of(self.entity), "record": record_of(self.entity)}
    where = condition(self.ctx, item.get("where"), self.names.types.scope(entity, **{**self.variables, **outer}))
    self.names.fields(item.get("sort"), entity)
    limit = item.get("limit")
    many = item.flag("many")
    made = steps.Find(
        entity=entity,
        where=where,
        many=many,
        sort=item.words("sort"),
        limit=limit.data if limit is not None and isinstance(limit.data, int) else None,
        **common,
    )
    return made, records_of(entity) if many else record_of(entity)


@_verb("each")
def _each(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    listed, inner = self.list_of(cast("Item", item.get("each")))
    type = record_of(inner) if inner is not None else ANY
    kept = dict(self.variables)
    filter = None
    if inner is not None:
        this = {"this": record_of(self.entity)} if self.entity is not None else {}
        scope = self.names.types.scope(inner, **{**self.variables, **this, "item": type})
        filter = condition(self.ctx, item.get("filter"), scope)
    self.variables["item"] = type
    inside = self.block(item.get("steps"), f"{common['place']}.steps")
    self.variables = kept
    return steps.Each(list=listed, filter=filter, steps=inside, **common), ANY


@_verb("assign")
def _assign(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    assign = cast("Item", item.get("assign"))
    field = assign.get("field")
    text = field.text if field is not None else ""
    computed = text.startswith("=") or "." in text  # `field: =territory.manager` says who, not which field
    if field is not None and not computed:
        self.names.fields(field, self.entity)
    return steps.Assign(choosing=choosing(self, assign), field="" if computed else text, **common), ANY


def choosing(self: Bodies, item: Item) -> steps.Choosing:
    """How somebody is chosen."""
    to, field = item.get("to"), item.get("field")
    way: Any = to.text if to is not None and to.text in ("round-robin", "least-loaded", "by-skill") else None
    if way is None:
        source = to if to is not None else field
        way = self.formula(source) or "round-robin"
    among, capacity = item.get("among"), item.get("capacity")
    people = self.names.types.scope("user") if "user" in self.ctx.drafts else self.names.types.scope(None)
    of = steps.Among()
    if among is not None:
        self.names.roles(among.get("role"))
        of = steps.Among(
            team=among.word("team"),
            role=among.word("role"),
            users=self.given(among.get("users")),
            when=condition(self.ctx, among.get("when"), people),
            skill=self.formula(among.get("skill")),
        )
    most = capacity.data if capacity is not None and isinstance(capacity.data, int) else None
    return steps.Choosing(to=way, among=of, capacity=most, skill=self.formula(item.get("skill")))


@_verb("notify")
def _notify(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    told = cast("Item", item.get("notify"))
    made = steps.Notify(
        to=self.given(told.get("to")),
        text=self.said(told.get("text")),
        via=told.words("via") or ("app",),
        link=self.given(told.get("link")),
        **common,
    )
    return made, ANY


@_verb("send")
def _send(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    channel = cast("Literal['email', 'sms', 'chat']", item.word("send"))
    self.names.document(item.get("template"), "email")
    sent = {word: self.given(found) for word in _SENT if (found := item.get(word)) is not None}
    if not sent.get("to"):
        self.ctx.problem("E204", "'to' is missing", item, "who gets it: to: =contact.email", at_key=True)
    if item.get("template") is None and not any(word in sent for word in ("body", "text")):
        self.ctx.problem("E204", "'template' is missing", item, "name an `email:` document, or give a body")
    return steps.Send(channel=channel, template=item.word("template"), given=sent, **common), ANY


@_verb("wait")
def _wait(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    wait = cast("Item", item.get("wait"))
    if not isinstance(wait.data, dict):
        return steps.Wait(span=span(wait), **common), ANY
    until = condition(self.ctx, wait.get("until"), self.scope())
    at = self.formula(wait.get("at"))
    if at is not None and at.type.kind not in ("date", "datetime", "any", "blank"):
        self.ctx.problem("E406", f"a date or a datetime is expected here, not a {at.type}", wait.get("at") or wait)
    reads = frozenset(self.read_by(until)) if until is not None else frozenset()
    return steps.Wait(until=until, reads=reads, at=at, at_most=span(wait.get("at_most")), **common), ANY


@_verb("if")
def _if(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    holds = condition(self.ctx, item.get("if"), self.scope())
    then = self.block(item.get("then"), f"{common['place']}.then")
    otherwise = self.block(item.get("else"), f"{common['place']}.else")
    return None if holds is None else (steps.If(condition=holds, then=then, otherwise=otherwise, **common), ANY)


@_verb("switch")
def _switch(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    value = self.formula(item.get("switch"))
    listed, place = item.get("cases"), common["place"]
    cases = {
        key: self.block(each, f"{place}.cases.{key}") for key, each in (listed.entries() if listed is not None else ())
    }
    choices = value.type.choices if value is not None else None
    for key, each in listed.entries() if listed is not None and choices else ():
        if choices is not None and key not in choices:
            self.ctx.unknown("choice", each.key(key), choices, "E306")
    otherwise = self.block(item.get("else"), f"{place}.else")
    return None if value is None else (steps.Switch(value=value, cases=cases, otherwise=otherwise, **common), ANY)


@_verb("approve")
def _approve(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    asked = cast("Item", item.get("approve"))
    by, need, form = asked.get("by"), asked.get("need"), asked.get("form")
    for each in by.each() if by is not None else ():
        self.names.roles(each.get("role"))
    made = steps.Approve(
        by=self.given(by),
        need=need.data if need is not None and isinstance(need.data, int) else cast("Any", asked.word("need", "all")),
        order=cast("Any", asked.word("order", "together")),
        lock=asked.flag("lock"),
        within=span(asked.get("within")),
        late=cast("Any", asked.word("late", "remind")),
        title=self.said(asked.get("label")),
        text=self.said(asked.get("text")),
        form=self.names.types.plain_fields(form, self.entity or "") if form is not None else {},
        **common,
    )
    return made, ANY


@_verb("request")
def _request(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    asked = cast("Item", item.get("request"))
    headers, query = asked.get("headers"), asked.get("query")
    made = steps.Request(
        url=self.given(asked.get("url")),
        method=asked.word("method", "POST" if asked.get("body") is not None else "GET"),
        body=self.given(asked.get("body")),
        headers={key: self.given(each) for key, each in (headers.entries() if headers is not None else ())},
        query={key: self.given(each) for key, each in (query.entries() if query is not None else ())},
        sign=asked.flag("sign"),
        secret=asked.word("secret"),
        timeout=span(asked.get("timeout")),
        **common,
    )
    return made, ANY


@_verb("document")
def _document(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    self.names.document(item.get("document"), "document")
    return steps.MakeDocument(document=item.word("document"), of=self.formula(item.get("of")), **common), ANY


@_verb("run")
def _run(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    self.names.document(item.get("run"), "workflow")
    on, wait = self.formula(item.get("on")), item.flag("wait", True)
    values = fillings(self.names, item.get("set"), None, self.scope())
    return steps.Run(workflow=item.word("run"), on=on, values=values, wait=wait, **common), ANY


@_verb("convert")
def _convert(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    entity = item.get("convert")
    self.names.document(entity, "convert")
    values = fillings(self.names, item.get("set"), None, self.scope())
    return steps.Convert(entity=item.word("convert"), values=values, **common), ANY


@_verb("log")
def _log(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    return steps.Log(text=self.said(item.get("log")), **common), ANY


@_verb("stop")
def _stop(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    return steps.Stop(text=self.said(item.get("stop")), **common), ANY


@_verb("set")
def _set(self: Bodies, item: Item, common: dict[str, Any]) -> _Made:
    if self.entity is None:
        hint = "create a record and update that"
        self.ctx.problem("E325", "no record sets this off: there is nothing to set", item, hint, at_key=True)
    return steps.SetValues(values=fillings(self.names, item.get("set"), self.entity, self.scope()), **common), ANY
