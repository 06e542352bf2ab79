"""The kinds `email` and `document`: texts with formulas in them."""

from __future__ import annotations

from trellis.model.kinds.parts import (
    BOOLEAN,
    FORMULA,
    NAME,
    NAMES,
    SNAKE,
    TEXT,
    TRACK,
    VALUE,
    Schema,
    closed,
    either,
    mapping,
    one_of,
    with_doc,
)
from trellis.model.kinds.registry import kind


@kind("email", "a message with the record's values in it", required=("subject",))
def email() -> dict[str, Schema]:
    """What a message may say."""
    return {
        "label": TEXT,
        "entity": NAME,
        "subject": TEXT,
        "body": TEXT,
        "html": TEXT,
        "text": TEXT,
        "language": TEXT,
        "from": VALUE,
        "reply_to": VALUE,
        "attach": either(NAME, NAMES),
        "params": mapping({"$ref": "#/definitions/field"}, None),
        "consent": FORMULA,
        "unsubscribe": with_doc(BOOLEAN, "marketing: it has a link that opts out, and goes to nobody who has"),
        "track": TRACK,
    }


@kind("document", "a paper made from a record", required=("entity", "body"))
def document() -> dict[str, Schema]:
    """What a document may say."""
    margins = closed(dict.fromkeys(("top", "right", "bottom", "left"), TEXT))
    return {
        "label": TEXT,
        "entity": NAME,
        "paper": one_of("A3", "A4", "A5", "Letter", "Legal"),
        "orientation": one_of("portrait", "landscape"),
        "margins": either(TEXT, margins),
        "body": TEXT,
        "header": TEXT,
        "footer": TEXT,
        "style": TEXT,
        "name": TEXT,
        "texts": mapping(TEXT, SNAKE),
        "into": NAME,
        "language": VALUE,
        "when": FORMULA,
        "roles": either(NAME, NAMES),
    }
