"""The kinds `role` and `convert`."""

from __future__ import annotations

from trellis.config.problem import instead
from trellis.model.kinds.parts import (
    BOOLEAN,
    FORMULA,
    NAME,
    NAMES,
    SNAKE,
    TEXT,
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
from trellis.model.role import ACTIONS

ALLOW = (
    "admin",
    "import",
    "merge",
    "bulk-edit",
    "reports",
    "api",
    "export",
    "convert",
    "assign",
    "approve",
    "workflows",
    "privacy",
)
_LEVEL = with_doc(
    {**FORMULA, "x-expected": "false, own, team, all or a formula"}, "false, own, team, all, or a formula"
)
_MEANT = {
    **dict.fromkeys(("write", "edit", "change", "modify"), instead("update")),
    **dict.fromkeys(("view", "list", "see", "show"), instead("read")),
    **dict.fromkeys(("add", "new", "insert"), instead("create")),
    "remove": instead("delete"),
}
_GRANT = {
    **closed(
        {
            **dict.fromkeys(ACTIONS, _LEVEL),
            "where": FORMULA,
            "fields": mapping(one_of("hidden", "readonly", "masked"), None),
        },
    ),
    "x-meant": _MEANT,
}
_SET = mapping(VALUE, None)


@kind("role", "what the people who have it may do")
def role() -> dict[str, Schema]:
    """What a role may say."""
    return {
        "label": TEXT,
        "grants": mapping(either(_GRANT, _LEVEL), r"^(\*|[a-z][a-z0-9_]*)$"),
        "allow": list_of(one_of(*ALLOW)),
        "portal": BOOLEAN,
        "where": FORMULA,
        "second_factor": with_doc(one_of("required"), "whoever has the role signs in with a second factor"),
    }


@kind("convert", "how a lead becomes an account, a contact and a deal", required=("into",), is_snake=True)
def convert() -> dict[str, Schema]:
    """What a conversion may say."""
    target = closed({"match": NAMES, "set": _SET, "optional": BOOLEAN, "label": TEXT, "when": FORMULA})
    return {
        "label": TEXT,
        "into": mapping(target, SNAKE, minProperties=1),
        "move": NAMES,
        "then": closed({"set": _SET, "lock": BOOLEAN}),
        "when": FORMULA,
        "roles": either(NAME, NAMES),
    }
