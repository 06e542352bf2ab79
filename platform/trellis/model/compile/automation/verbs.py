"""The verbs of steps: how each is resolved, in the order in which a step is looked at for them."""

from __future__ import annotations

from typing import Any, Literal, cast

from trellis.config.phrase import phrase
from trellis.config.problem import instead
from trellis.formula.types import ANY, Type, record_of, records_of
from trellis.model.automation import steps
from trellis.model.compile.automation.bodies import Bodies, Made, span, verb
from trellis.model.compile.automation.fillings import fillings
from trellis.model.compile.formulas import condition
from trellis.model.compile.item import Item

_WAYS = ("round-robin", "least-loaded", "by-skill")
_SENT = ("to", "cc", "bcc", "from", "subject", "body", "text", "attach", "reply_to", "language")


@verb("refuse")
def _refuse(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    field = item.get("field")
    self.names.fields(field, self.entity)
    return steps.Refuse(text=self.said(item.get("refuse")), field=field.text if field else None, **common), ANY


@verb("create")
def _create(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    entity = self.names.entity(item.get("create"))
    values = fillings(self.names, item.get("set"), entity, self.scope())
    return None if entity is None else (steps.Create(entity=entity, values=values, **common), record_of(entity))


@verb("update")
def _update(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    target, entity = self.records(cast("Item", item.get("update")))
    values = fillings(self.names, item.get("set"), entity, self.scope())
    return None if target is None else (steps.Update(target=target, values=values, **common), target.type)


@verb("delete")
def _delete(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    target, _entity = self.records(cast("Item", item.get("delete")))
    return None if target is None else (steps.Delete(target=target, **common), ANY)


@verb("restore")
def _restore(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    target, _entity = self.records(cast("Item", item.get("restore")))
    return None if target is None else (steps.Restore(target=target, **common), target.type)


@verb("link")
def _link(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    listed, _entity = self.list_of(cast("Item", item.get("link")))
    to = self.formula(item.get("to"))
    values = fillings(self.names, item.get("set"), None, self.scope())
    return None if to is None else (steps.Link(list=listed, to=to, values=values, **common), ANY)


@verb("unlink")
def _unlink(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    listed, _entity = self.list_of(cast("Item", item.get("unlink")))
    to = self.formula(item.get("to"))
    return None if to is None else (steps.Unlink(list=listed, to=to, **common), ANY)


@verb("find")
def _find(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
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


@verb("each")
def _each(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
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


@verb("assign")
def _assign(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
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
    way: Any = to.text if to is not None and to.text in _WAYS else None
    if (
        to is not None
        and way is None
        and (meant := to.text.strip().lower().replace("_", "-").replace(" ", "-")) in _WAYS
    ):
        self.ctx.problem("E206", phrase("'{name}' is not known here", name=to.text), to, instead(meant))
    elif way is None:
        source = to if to is not None else field
        way = self.formula(source) or "round-robin"
    way = way or "round-robin"
    among, capacity = item.get("among"), item.get("capacity")
    around = {"record": record_of(self.entity)} if self.entity is not None else {}  # what somebody is chosen for
    people = self.names.types.scope("user" if "user" in self.ctx.drafts else None, **{**self.variables, **around})
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


@verb("notify")
def _notify(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    told = cast("Item", item.get("notify"))
    made = steps.Notify(
        to=self.given(told.get("to")),
        text=self.said(told.get("text")),
        via=told.words("via"),
        kind=told.word("kind", "workflow"),
        link=self.given(told.get("link")),
        **common,
    )
    return made, ANY


@verb("send")
def _send(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    channel = cast("Literal['email', 'sms', 'chat']", item.word("send"))
    self.names.document(item.get("template"), "email")
    sent = {word: self.given(found) for word in _SENT if (found := item.get(word)) is not None}
    if not sent.get("to"):
        self.ctx.problem("E204", "'to' is missing", item, "who gets it: to: =contact.email", at_key=True)
    if item.get("template") is None and not any(word in sent for word in ("body", "text")):
        self.ctx.problem("E204", "'template' is missing", item, "name an `email:` document, or give a body")
    return steps.Send(channel=channel, template=item.word("template"), given=sent, **common), ANY


@verb("wait")
def _wait(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    wait = cast("Item", item.get("wait"))
    if not isinstance(wait.data, dict):
        return steps.Wait(span=span(wait), **common), ANY
    until = condition(self.ctx, wait.get("until"), self.scope())
    at = self.formula(wait.get("at"))
    if at is not None and at.type.kind not in ("date", "datetime", "any", "blank"):
        self.ctx.problem(
            "E406", phrase("a date or a datetime is expected here, not a {type}", type=at.type), wait.get("at") or wait
        )
    reads = frozenset(self.read_by(until)) if until is not None else frozenset()
    return steps.Wait(until=until, reads=reads, at=at, at_most=span(wait.get("at_most")), **common), ANY


@verb("if")
def _if(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    holds = condition(self.ctx, item.get("if"), self.scope())
    then = self.block(item.get("then"), f"{common['place']}.then")
    otherwise = self.block(item.get("else"), f"{common['place']}.else")
    return None if holds is None else (steps.If(condition=holds, then=then, otherwise=otherwise, **common), ANY)


@verb("switch")
def _switch(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
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


@verb("approve")
def _approve(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    asked = cast("Item", item.get("approve"))
    by, need, form = asked.get("by"), asked.get("need"), asked.get("form")
    locked = asked.get("lock")
    edit = locked.get("edit") if locked is not None else None
    for each in by.each() if by is not None else ():
        self.names.roles(each.get("role"))
    made = steps.Approve(
        by=self.given(by),
        need=need.data if need is not None and isinstance(need.data, int) else cast("Any", asked.word("need", "all")),
        order=cast("Any", asked.word("order", "together")),
        lock=asked.flag("lock") or edit is not None,
        edit=self.given(edit),
        nobody=cast("Any", asked.word("nobody", "fail")),
        within=span(asked.get("within")),
        late=cast("Any", asked.word("late", "remind")),
        title=self.said(asked.get("label")),
        text=self.said(asked.get("text")),
        form=self.names.types.plain_fields(form, self.entity or "") if form is not None else {},
        **common,
    )
    return made, ANY


@verb("request")
def _request(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
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


@verb("document")
def _document(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    self.names.document(item.get("document"), "document")
    return steps.MakeDocument(document=item.word("document"), of=self.formula(item.get("of")), **common), ANY


@verb("run")
def _run(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    self.names.document(item.get("run"), "workflow")
    on, wait = self.formula(item.get("on")), item.flag("wait", True)
    values = fillings(self.names, item.get("set"), None, self.scope())
    return steps.Run(workflow=item.word("run"), on=on, values=values, wait=wait, **common), ANY


@verb("convert")
def _convert(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    entity = item.get("convert")
    self.names.document(entity, "convert")
    values = fillings(self.names, item.get("set"), None, self.scope())
    return steps.Convert(entity=item.word("convert"), values=values, **common), ANY


@verb("log")
def _log(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    return steps.Log(text=self.said(item.get("log")), **common), ANY


@verb("stop")
def _stop(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    return steps.Stop(text=self.said(item.get("stop")), **common), ANY


@verb("set")
def _set(self: Bodies, item: Item, common: dict[str, Any]) -> Made:
    if self.entity is None:
        hint = "create a record and update that"
        self.ctx.problem("E325", "no record sets this off: there is nothing to set", item, hint, at_key=True)
    return steps.SetValues(values=fillings(self.names, item.get("set"), self.entity, self.scope()), **common), ANY
