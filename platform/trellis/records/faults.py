"""Refusals that several parts of the door give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.config.problem import did_you_mean
from trellis.model.fields.base import Invalid
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.records.session import Session


def unknown_field(session: Session, entity: str, name: str, path: str | None = None) -> Fault:
    """A field that is not there, or that this person knows nothing of; the hint names only what the person may see."""
    definition = session.model.entities[entity]
    known = [key for key in (*definition.fields, *definition.inverses) if not session.permit.hides(entity, key)]
    hint = did_you_mean(name, known)
    message = "There is no field “{name}” ({hint})." if hint else "There is no field “{name}”."
    return Fault("unknown", message, path or name, {"name": name, "hint": hint})


def required(field: str) -> Fault:
    """A blank that must not be."""
    return Fault("required", "This field is required.", field)


def readonly(field: str) -> Fault:
    """A field that people do not change."""
    return Fault("readonly", "This field cannot be changed.", field)


def forbidden_field(field: str) -> Fault:
    """A field that this person does not change."""
    return Fault("forbidden", "You are not allowed to change this field.", field)


def invalid(field: str, error: Invalid) -> Fault:
    """What a field type says of a value."""
    return Fault(error.code, error.message, field, error.params)
