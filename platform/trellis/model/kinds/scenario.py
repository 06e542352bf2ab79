"""The kind `test`: a scenario with users, actions and what is expected."""

from __future__ import annotations

from trellis.model.kinds.parts import (
    BOOLEAN,
    DURATION,
    FORMULA,
    INTEGER,
    NAME,
    NAME_OR_NAMES,
    NAMES,
    TEXT,
    VALUE,
    Schema,
    closed,
    either,
    list_of,
    mapping,
    one_of,
)
from trellis.model.kinds.registry import kind

_SET = mapping(VALUE, None)
_COMMON: dict[str, Schema] = {"as": NAME, "refused": either(BOOLEAN, TEXT), "label": TEXT, "user": NAME}


def _action(**own: Schema) -> Schema:
    return closed({**own, **_COMMON})


_TARGET = either(FORMULA, {"type": "object"})
ACTIONS: dict[str, Schema] = {
    "create": _action(create=NAME, set=_SET, stage=NAME),
    "update": _action(update=FORMULA, set=_SET),
    "delete": _action(delete=FORMULA),
    "restore": _action(restore=FORMULA),
    "link": _action(link=FORMULA, to=FORMULA, set=_SET),
    "unlink": _action(unlink=FORMULA, to=FORMULA),
    "advance": _action(advance=DURATION),
    "submit": _action(submit=VALUE, set=_SET),
    "approve": _action(approve=VALUE, by=NAME, outcome=NAME, comment=TEXT),
    "reject": _action(reject=VALUE, by=NAME, comment=TEXT),
    "tick": _action(tick=VALUE, of=FORMULA, on=FORMULA),
    "press": _action(press=NAME, on=_TARGET, of=FORMULA, set=_SET),
    "receive": _action(receive=VALUE, set=_SET),
    "convert": _action(convert=FORMULA, set=_SET),
    "claim": _action(claim=FORMULA),
    "merge": closed({"merge": FORMULA, "with": FORMULA, **_COMMON}, ("with",)),
    "run": _action(run=NAME, on=FORMULA),
    "enrol": _action(enrol=NAME, on=FORMULA),
    "find": _action(find=NAME, where=FORMULA),
    "user": closed({"user": NAME}),
}
EXPECTATIONS: dict[str, Schema] = {
    "report": closed(
        {"report": NAME, "params": _SET, "rows": {"type": "array"}, "totals": _SET, "as_user": NAME, "label": TEXT}
    ),
    "record": closed(
        {
            "record": FORMULA,
            "values": _SET,
            "as_user": NAME,
            "hidden": either(BOOLEAN, NAMES),
            "masked": NAMES,
            "readonly": NAMES,
            "visible": BOOLEAN,
            "exists": BOOLEAN,
            "label": TEXT,
        }
    ),
    "count": closed({"count": NAME, "where": FORMULA, "is": INTEGER, "as_user": NAME, "label": TEXT}, ("is",)),
    "mail": closed({"mail": closed({"to": VALUE, "subject": TEXT, "text": TEXT}), "times": INTEGER, "label": TEXT}),
    "sms": closed({"sms": closed({"to": VALUE, "text": TEXT}), "times": INTEGER, "label": TEXT}),
    "chat": closed({"chat": closed({"to": VALUE, "text": TEXT}), "times": INTEGER, "label": TEXT}),
    "document": closed({"document": NAME, "of": FORMULA, "name": TEXT, "times": INTEGER, "label": TEXT}, ("of",)),
    "enrolled": closed(
        {
            "enrolled": NAME,
            "of": FORMULA,
            "state": one_of("done", "stopped", "failed", "waiting", "cancelled", "paused"),
            "times": INTEGER,
            "label": TEXT,
        }
    ),
    "notified": closed({"notified": NAME, "text": TEXT, "times": INTEGER, "label": TEXT}),
    "run": closed(
        {
            "run": NAME,
            "state": one_of("done", "stopped", "failed", "waiting", "cancelled", "paused"),
            "times": INTEGER,
            "label": TEXT,
        }
    ),
    "log": closed({"log": TEXT, "times": INTEGER, "label": TEXT}),
}


@kind("test", "a scenario that runs on a throw-away tenant", required=("expect",))
def test() -> dict[str, Schema]:
    """What a scenario may say."""
    user = closed(
        {
            "roles": NAME_OR_NAMES,
            "team": NAME,
            "manager": NAME,
            "name": TEXT,
            "email": TEXT,
            "language": NAME,
            "time_zone": NAME,
        }
    )
    actions: Schema = {"type": "object", "x-forms": {"noun": "action", "keys": ACTIONS}}
    return {
        "label": TEXT,
        "now": TEXT,
        "users": mapping(user, None),
        "settings": _SET,
        "given": list_of(actions),
        "when": list_of(actions),
        "expect": list_of({"type": "object", "x-forms": {"noun": "expectation", "keys": EXPECTATIONS}}),
    }
