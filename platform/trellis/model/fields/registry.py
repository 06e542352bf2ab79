"""All field types by name. Importing the package `trellis.model.fields` fills it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from trellis.config.phrase import phrase
from trellis.model.fields.base import FieldType
from trellis.model.fields.option import convert_options, option_schema, options_of

__all__ = ["FIELD_TYPES", "field_type", "make_type", "option_schema", "options_of"]

FIELD_TYPES: dict[str, type[FieldType]] = {}

F = TypeVar("F", bound=type[FieldType])


def field_type(name: str) -> Callable[[F], F]:
    """Register a class as the field type `name`."""

    def register(cls: F) -> F:
        if name in FIELD_TYPES:
            raise ValueError(f"field type {name!r} is there already: {FIELD_TYPES[name].__module__}")
        cls.name = name
        FIELD_TYPES[name] = cls
        return cls

    return register


def make_type(name: str, options: Mapping[str, Any] | None = None) -> FieldType:
    """A field type with options as YAML gives them: numbers, dates and lists become the attributes' types.

    Choices and formulas must be resolved before. Raises KeyError for an unknown type, TypeError for an unknown
    option, ValueError for a value that does not fit.
    """
    cls = FIELD_TYPES[name]
    given = dict(options or {})
    if unknown := given.keys() - options_of(cls).keys():
        raise TypeError(phrase("{type} has no option {names}", type=name, names=sorted(unknown)))
    return cls(**convert_options(cls, given))
