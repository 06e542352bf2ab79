"""The kind `pipeline`."""

from __future__ import annotations

from trellis.config.problem import instead
from trellis.model.kinds.parts import (
    BOOLEAN,
    COLOR,
    DURATION,
    FORMULA,
    NAME,
    NAME_OR_NAMES,
    NAMES,
    SNAKE,
    TEXT,
    Schema,
    closed,
    either,
    list_of,
    mapping,
    one_of,
)
from trellis.model.kinds.registry import kind

_STAGE: Schema = closed(
    {
        "label": TEXT,
        "description": TEXT,
        "type": one_of("open", "won", "lost", "done", "cancelled"),
        "probability": {"type": "number", "minimum": 0, "maximum": 100},
        "forecast": one_of("pipeline", "best_case", "commit", "closed", "omitted"),
        "color": COLOR,
        "rot_after": DURATION,
        "require": NAMES,
        "ask": NAMES,
        "checklist": mapping(TEXT, SNAKE),
        "after": {**NAME, "description": "the stage that it follows, where a later layer adds or moves it"},
        "before": {**NAME, "description": "the stage that it comes before"},
        "was": NAME,
    },
)
_STAGE["x-meant"] = dict.fromkeys(("gate", "requires", "required", "fields"), instead("require"))
_MOVE = closed({"from": NAME_OR_NAMES, "to": NAME_OR_NAMES, "when": FORMULA, "roles": NAME_OR_NAMES}, ("from", "to"))


@kind("pipeline", "the stages that records of an entity go through", required=("entity", "stages"))
def pipeline() -> dict[str, Schema]:
    """What a pipeline may say."""
    return {
        "entity": NAME,
        "field": {"type": "string", "pattern": SNAKE},
        "label": TEXT,
        "default": BOOLEAN,
        "stages": mapping(either(TEXT, _STAGE), SNAKE, minProperties=1),
        "moves": list_of(_MOVE),
        "removed": mapping(NAME, None),  # records of stages that are gone: stage, pipeline.stage or pipeline.*
    }
