"""A masked field's value: enough to recognise, not enough to use."""

from __future__ import annotations

from typing import Any

from trellis.formula.types import Value
from trellis.model.fields.base import FieldType

_HIDDEN = "•••"


def mask(kind: FieldType, value: Value) -> Value:
    """A value shown in part: a text's ends, a phone's last digits, an address's domain; of anything else nothing."""
    if value is None:
        return None
    if isinstance(value, str):
        return _mask_email(value) if kind.name == "email" else _mask_text(value)
    if isinstance(value, tuple) and value and all(isinstance(v, dict) and "value" in v for v in value):
        return tuple({**v, "value": mask(kind, str(v["value"]))} for v in value)
    return None


def _mask_text(text: str) -> str:
    if len(text) < 4:
        return _HIDDEN
    if len(text) < 9:
        return text[0] + _HIDDEN + text[-1]
    return text[:3] + _HIDDEN + text[-2:]


def _mask_email(text: str) -> str:
    name, at, domain = text.partition("@")
    return f"{name[:1]}{_HIDDEN}{at}{domain}" if at else _mask_text(text)


def is_masked(value: Any) -> bool:
    """Whether a value that came back is only the masked one: a form that sends it has not changed anything."""
    if isinstance(value, str):
        return _HIDDEN in value
    return isinstance(value, (tuple, list)) and any(isinstance(v, dict) and is_masked(v.get("value")) for v in value)
