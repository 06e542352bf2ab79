"""The options of a field type: dataclass attributes that know their documentation and JSON Schema."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from trellis.config.phrase import phrase

FORMULA_SCHEMA: dict[str, Any] = {"type": ["string", "number", "boolean"], "format": "formula"}

_SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    Decimal: {"type": ["number", "string"]},
    date: {"type": "string"},
    datetime: {"type": "string"},
    time: {"type": "string"},
    timedelta: {"type": "string"},
    Any: {},
}


def option(
    default: Any,
    doc: str,
    schema: Mapping[str, Any] | None = None,
    *,
    formula: bool = False,
    name: str = "",
    kind: Any = None,
) -> Any:
    """Declare an option: its default, one line of documentation, and a JSON Schema where the type does not say it.

    `formula`: the text is compiled, so that the attribute holds a Formula. `name`: the option's name in the YAML
    where the attribute must be called differently. `kind`: what a formula in the place of a value gives, where it is
    not the field's own type. A dict as default is copied.
    """
    shape = FORMULA_SCHEMA if formula else schema
    metadata = {"doc": doc, "schema": shape, "formula": formula, "name": name, "kind": kind}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), hash=False, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def _schema_of(hint: Any) -> dict[str, Any]:
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": _schema_of(args[0])}
    if origin in (Union, types.UnionType):
        parts = [_schema_of(arg) for arg in args if arg is not type(None)]
        return parts[0] if len(parts) == 1 else {"anyOf": parts}
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return {"type": "object", "additionalProperties": _schema_of(args[1])}
    raise TypeError(f"an option of type {hint} needs a schema of its own")


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)  # slow: it compiles every annotation


def options_of(cls: type) -> dict[str, dataclasses.Field[Any]]:
    """The options of a field type by their name in the YAML, in the order they are declared."""
    return {f.metadata["name"] or f.name: f for f in dataclasses.fields(cls) if f.metadata.get("doc")}


def option_schema(cls: type) -> dict[str, Any]:
    """The JSON Schema of a field type's own options, from its attributes."""
    hints = _hints(cls)
    properties: dict[str, Any] = {}
    required = []
    for name, declared in options_of(cls).items():
        schema = dict(declared.metadata["schema"] or _schema_of(hints[declared.name]))
        schema["description"] = declared.metadata["doc"]
        if declared.default not in (None, dataclasses.MISSING, ()) and isinstance(declared.default, (str, int, bool)):
            schema["default"] = declared.default
        if declared.default is dataclasses.MISSING and declared.default_factory is dataclasses.MISSING:
            required.append(name)
        properties[name] = schema
    result: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        result["required"] = required
    return result


def _convert(hint: Any, value: Any) -> Any:
    """A value as YAML gives it, as the attribute's type; what does not fit is left for the schema to report."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        parts = [arg for arg in args if arg is not type(None)]
        return _convert(parts[0], value) if len(parts) == 1 else _convert_any(parts, value)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_convert(args[0], item) for item in value)
    if origin is tuple and isinstance(value, str):
        return (_convert(args[0], value),)
    if hint is Decimal and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return Decimal(str(value))
    if hint is str and isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return str(value)
    if hint in (date, datetime, time) and isinstance(value, str):
        return hint.fromisoformat(value)
    return value


def _convert_any(hints: list[Any], value: Any) -> Any:
    for hint in hints:
        if hint is not Any and isinstance(hint, type) and isinstance(value, hint):
            return value
    for hint in hints:
        try:
            converted = _convert(hint, value)
        except (ValueError, InvalidOperation):
            continue
        if converted is not value:
            return converted
    # What stands beside a formula may be a compiled one, but no text is.
    if isinstance(value, str) and str not in hints:
        raise ValueError(value)
    return value


def convert_options(cls: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options as read from YAML (or compiled already), as the attributes' types. Raises ValueError with the option."""
    hints = _hints(cls)
    declared = options_of(cls)
    converted = {}
    for name, value in given.items():
        attribute = declared[name].name
        try:
            converted[attribute] = _convert(hints[attribute], value)
        except (ValueError, InvalidOperation) as fault:
            raise ValueError(phrase("{name}: {value} does not fit", name=name, value=repr(value))) from fault
    return converted
