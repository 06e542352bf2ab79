"""What people fill in where a workflow asks for something: read and checked the same way, wherever it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trellis.model.fields.base import Invalid
from trellis.records import faults

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.model.field import Field
    from trellis.records.refusal import Fault

BLANK = (None, "", ())


def read(form: Mapping[str, Field], answers: Mapping[str, Any], reader: Reader) -> tuple[dict[str, Any], list[Fault]]:
    """The values of the fields that are asked for, and everything that is wrong with them."""
    values: dict[str, Any] = {}
    wrong: list[Fault] = []
    for key, field in form.items():
        try:
            values[key] = value = field.type.parse(answers.get(key), reader)
            wrong.extend(faults.invalid(key, one) for one in (() if value in BLANK else field.type.check(value)))
        except Invalid as error:
            wrong.append(faults.invalid(key, error))
            continue
        if field.required and values[key] in BLANK:
            wrong.append(faults.required(key))
    return values, wrong


def as_json(form: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as an approval keeps them."""
    return {k: None if values.get(k) is None else field.type.to_json(values[k]) for k, field in form.items()}
