"""The kinds `workflow` and `sequence`: triggers and steps."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.config.problem import instead
from trellis.model.kinds.parts import (
    BOOLEAN,
    DURATION,
    FORMULA,
    INTEGER,
    NAME,
    NAME_OR_NAMES,
    NAMES,
    SNAKE,
    TEXT,
    TRACK,
    VALUE,
    Schema,
    closed,
    either,
    list_of,
    mapping,
    one_of,
    with_doc,
)
from trellis.model.kinds.registry import kind
from trellis.model.kinds.sign_in import ADDRESS

SET = mapping(VALUE, None)
STEPS: Schema = {"type": "array", "items": {"$ref": "#/definitions/step"}}
_TRUE: Schema = {"const": True}
_ROLES = NAME_OR_NAMES
AMONG = closed({"team": NAME, "role": NAME, "users": VALUE, "when": FORMULA, "skill": FORMULA})
ASSIGN: dict[str, Schema] = {
    "to": either(one_of("round-robin", "least-loaded", "by-skill"), FORMULA),
    "among": AMONG,
    "field": either(FORMULA, NAME),
    "capacity": INTEGER,
    "skill": FORMULA,
}
_STEP_COMMON: dict[str, Schema] = {
    "when": FORMULA,
    "as": {"type": "string", "pattern": SNAKE},
    "label": TEXT,
    "on_error": either(
        one_of("stop", "continue"),
        closed({"retry": closed({"times": INTEGER, "backoff": DURATION})}, ("retry",)),
    ),
}


_OF_EACH = {"where": instead("filter"), "do": instead("steps")}


def _step(meant: Mapping[str, str] | None = None, **own: Schema) -> Schema:
    """A step's shape; `meant`: what keys that people write here are called."""
    shape = closed({**own, **_STEP_COMMON})
    return {**shape, "x-meant": meant} if meant else shape


def step() -> Schema:
    """The shape of a step, by its verb. `if` stands after the verbs that may have a `then` of their own."""
    until = closed({"until": FORMULA, "at_most": DURATION, "at": FORMULA})
    request = closed(
        {
            "method": one_of("GET", "POST", "PUT", "PATCH", "DELETE"),
            "url": TEXT,
            "body": VALUE,
            "headers": mapping(TEXT, None),
            "query": mapping(VALUE, None),
            "sign": BOOLEAN,
            "timeout": DURATION,
            "secret": NAME,
        },
        ("url",),
    )
    approve = closed(
        {
            "by": VALUE,
            "need": either(one_of("all", "any"), INTEGER),
            "order": one_of("together", "in-turn"),
            "lock": either(BOOLEAN, closed({"edit": VALUE}, ("edit",))),
            "nobody": one_of("fail", "approve", "reject", "admin"),
            "within": DURATION,
            "late": one_of("remind", "approve", "reject"),
            "label": TEXT,
            "text": TEXT,
            "form": mapping({"$ref": "#/definitions/field"}, SNAKE),
        },
        ("by",),
    )
    notify = closed(
        {
            "to": VALUE,
            "text": TEXT,
            "via": list_of(one_of("app", "email", "sms", "chat")),
            "link": VALUE,
            "kind": one_of("assignment", "mention", "comment", "approval", "reminder", "workflow"),
        },
        ("to", "text"),
    )
    send = _step(
        send=one_of("email", "sms", "chat"),
        template=NAME,
        to=VALUE,
        cc=VALUE,
        bcc=VALUE,
        subject=TEXT,
        body=TEXT,
        text=TEXT,
        attach=VALUE,
        reply_to=VALUE,
        language=VALUE,
        **{"from": VALUE},
    )
    verbs: dict[str, Schema] = {
        "refuse": _step(refuse=TEXT, field=NAME),
        "create": _step(create=NAME, set=SET),
        "update": _step(update=FORMULA, set=SET),
        "delete": _step(delete=FORMULA),
        "restore": _step(restore=FORMULA),
        "link": _step(link=FORMULA, to=FORMULA, set=SET),
        "unlink": _step(unlink=FORMULA, to=FORMULA),
        "find": _step(find=NAME, where=FORMULA, many=BOOLEAN, sort=NAME_OR_NAMES, limit=INTEGER),
        "each": _step(_OF_EACH, each=FORMULA, filter=FORMULA, steps=STEPS),
        "assign": _step(assign=closed(ASSIGN)),
        "notify": _step(notify=notify),
        "send": send,
        "wait": _step(wait=either(DURATION, until)),
        "switch": _step(switch=FORMULA, cases=mapping(STEPS, None), **{"else": STEPS}),
        "approve": _step(approve=approve),
        "request": _step(request=request),
        "document": _step(document=NAME, of=FORMULA),
        "run": _step(run=NAME, on=FORMULA, set=SET, wait=BOOLEAN),
        "convert": _step(convert=NAME, set=SET),
        "log": _step(log=TEXT),
        "stop": _step(stop=TEXT),
        "if": _step(**{"if": FORMULA, "then": STEPS, "else": STEPS}),
        "set": _step(set=SET),
    }
    return {
        "type": "object",
        "x-expected": "a step such as {set: {status: open}}",
        "x-forms": {"noun": "step", "keys": verbs},
    }


_STAGE = closed({"enter": NAME_OR_NAMES, "leave": NAME_OR_NAMES, "stuck": either(BOOLEAN, NAME_OR_NAMES)})
EVENTS: dict[str, Schema] = {
    "record": NAME,
    "created": _TRUE,
    "updated": _TRUE,
    "deleted": _TRUE,
    "restored": _TRUE,
    "changed": NAME_OR_NAMES,
    "linked": NAME,
    "unlinked": NAME,
    "stage": _STAGE,
}


def trigger() -> Schema:
    """The shape of a trigger, by what it listens to."""
    each = closed({"entity": NAME, "filter": FORMULA}, ("entity",))
    date = closed(
        {"entity": NAME, "field": NAME, "offset": DURATION, "at": TEXT, "filter": FORMULA, "yearly": BOOLEAN},
        ("entity", "field"),
    )
    button = closed(
        {
            "entity": NAME,
            "label": TEXT,
            "icon": NAME,
            "roles": _ROLES,
            "form": mapping({"$ref": "#/definitions/field"}, SNAKE),
            "confirm": TEXT,
            "when": FORMULA,
            "list": BOOLEAN,
        },
        ("entity",),
    )
    form = closed(
        {
            "entity": NAME,
            "fields": NAMES,
            "required": NAMES,
            "set": SET,
            "thanks": TEXT,
            "label": TEXT,
            "key": NAME,
            "redirect": {**ADDRESS, "description": "where one is sent after it, in place of the thanks"},
            "intro": with_doc(TEXT, "what stands above the fields, in Markdown"),
            "button": TEXT,
            "labels": with_doc(
                mapping(TEXT, SNAKE), "what fields are called towards strangers: {need: What do you need?}"
            ),
            "confirm": with_doc(NAME, "the e-mail field whose address must be confirmed by a link first"),
            "embed": with_doc(NAMES, "the sites whose pages may show the form: https://www.example.com"),
        },
        ("entity", "fields"),
    )
    forms: dict[str, Schema] = {
        "record": closed(EVENTS),
        "before": closed(
            {"before": NAME, "created": _TRUE, "updated": _TRUE, "deleted": _TRUE, "changed": NAME_OR_NAMES}
        ),
        "schedule": closed({"schedule": TEXT, "each": each}),
        "date": closed({"date": date}),
        "button": closed({"button": button}),
        "webhook": closed({"webhook": closed({"key": NAME, "into": NAME, "secret": NAME}, ("key",))}),
        "email": closed({"email": closed({"to": NAME, "creates": NAME, "set": SET}, ("to",))}),
        "form": closed({"form": form}),
        "sla": closed({"sla": closed({"breach": NAME, "warning": NAME}, minProperties=1)}),
        "run": closed({"run": either(_TRUE, closed({"entity": NAME}))}),
    }
    return {"type": "object", "x-forms": {"noun": "trigger", "keys": forms}}


DEFINITIONS = {"step": step, "trigger": trigger}


@kind("workflow", "what happens by itself", required=("on", "steps"))
def workflow() -> dict[str, Schema]:
    """What a workflow may say."""
    ref: Schema = {"$ref": "#/definitions/trigger"}
    return {
        "label": TEXT,
        "module": NAME,
        "on": {"anyOf": [ref, {"type": "array", "items": ref, "minItems": 1}]},
        "when": FORMULA,
        "steps": {**STEPS, "minItems": 1},
        "run_as": with_doc(one_of("system", "user"), "whose rights it has"),
        "active": BOOLEAN,
        "order": INTEGER,
        "once": BOOLEAN,
    }


@kind("sequence", "a series of messages that stops when it should", required=("entity", "steps"))
def sequence() -> dict[str, Schema]:
    """What a sequence may say."""
    return {
        "label": TEXT,
        "entity": NAME,
        "start_when": FORMULA,
        "stop_when": FORMULA,
        "quiet_hours": TEXT,
        "track": TRACK,
        "steps": {**STEPS, "minItems": 1},
        "active": BOOLEAN,
    }
