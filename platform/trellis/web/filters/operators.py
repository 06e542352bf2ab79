"""The operators of filter chips: what they are called for each kind of value, and how their value is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flask import has_app_context
from flask_babel import lazy_gettext as _l

from trellis.records.writing.trees import tree_field
from trellis.web.context import current_model

if TYPE_CHECKING:
    from flask_babel.speaklater import LazyString

    from trellis.model.field import Field

Editor = Literal["none", "one", "two", "many"]
Kind = Literal[
    "text", "number", "money", "duration", "date", "boolean", "choice", "record", "records", "address", "other"
]


@dataclass(frozen=True, slots=True)
class Operator:
    """How a condition compares; `editor` says how many values it takes."""

    key: str
    label: LazyString
    editor: Editor = "one"


NONE: tuple[Operator, ...] = (
    Operator("is_blank", _l("is empty"), "none"),
    Operator("is_not_blank", _l("is not empty"), "none"),
)
COMPARE = (
    Operator("==", _l("is")),
    Operator("!=", _l("is not")),
    Operator("<", _l("less than")),
    Operator("<=", _l("at most")),
    Operator(">", _l("more than")),
    Operator(">=", _l("at least")),
    Operator("between", _l("between"), "two"),
)
HAS = (Operator("has", _l("has"), "many"), Operator("has not", _l("has not"), "many"))

OPERATORS: dict[Kind, tuple[Operator, ...]] = {
    "text": (
        Operator("contains", _l("contains")),
        Operator("contains not", _l("does not contain")),
        Operator("==", _l("is")),
        Operator("!=", _l("is not")),
        Operator("starts_with", _l("starts with")),
        Operator("ends_with", _l("ends with")),
        *NONE,
    ),
    "number": (*COMPARE, *NONE),
    "money": (*COMPARE, *NONE),
    "duration": (*COMPARE, *NONE),
    "date": (
        Operator("period", _l("is in")),
        Operator("<", _l("before")),
        Operator(">", _l("after")),
        Operator("==", _l("on")),
        Operator("between", _l("between"), "two"),
        *NONE,
    ),
    "boolean": (Operator("true", _l("is yes"), "none"), Operator("false", _l("is no"), "none")),
    "choice": (Operator("in", _l("is"), "many"), Operator("not in", _l("is not"), "many"), *NONE),
    "record": (Operator("in", _l("is"), "many"), Operator("not in", _l("is not"), "many"), *NONE),
    "records": (*HAS, *NONE),
    "address": (Operator("contains", _l("contains")), Operator("contains not", _l("does not contain")), *NONE),
    "other": NONE,
}

KINDS: dict[str, Kind] = {
    "text": "text",
    "name": "text",
    "number": "number",
    "duration": "duration",
    "address": "address",
    "money": "money",
    "boolean": "boolean",
    "date": "date",
    "datetime": "date",
    "record": "record",
    "records": "records",
}


def kind_of(field: Field) -> Kind:
    """The kind of value that decides which operators a field has."""
    type_ = field.type.formula_type()
    if getattr(field.type, "choices", None) is not None or field.type.cell in ("choice", "choices"):
        return "choice"
    if type_.kind == "list":
        return "choice" if type_.item is not None and type_.item.kind == "text" else "other"
    return KINDS.get(type_.kind, "other")


UNDER = Operator("under", _l("is or is below"), "many")  # of a link into a tree


def operators_of(field: Field) -> tuple[Operator, ...]:
    """The operators that the builder offers for a field."""
    kind = kind_of(field)
    found = (*HAS, *NONE) if kind == "choice" and field.type.formula_type().kind == "list" else OPERATORS[kind]
    return (found[0], UNDER, *found[1:]) if kind == "record" and leads_into_tree(field) else found


def leads_into_tree(field: Field) -> bool:
    """Whether what is linked stands in a tree, so that one may ask for all that is below a record."""
    entities = field.type.formula_type().entities
    if len(entities) != 1 or not has_app_context():
        return False
    entity = current_model().entities.get(entities[0])
    return entity is not None and tree_field(entity) is not None


def operator_of(field: Field, key: str) -> Operator | None:
    """One of a field's operators by its key."""
    return next((o for o in operators_of(field) if o.key == key), None)
