"""The field types, one class each: `registry` holds them by name; importing this package fills it."""

from trellis.model.fields import (
    choices,
    compound,
    contact,
    duration,
    files,
    money,
    number,
    relations,
    sequence,
    special,
    temporal,
    text,
)
from trellis.model.fields.registry import FIELD_TYPES, field_type, make_type, option_schema, options_of

__all__ = [
    "FIELD_TYPES",
    "choices",
    "compound",
    "contact",
    "duration",
    "field_type",
    "files",
    "make_type",
    "money",
    "number",
    "option_schema",
    "options_of",
    "relations",
    "sequence",
    "special",
    "temporal",
    "text",
]
