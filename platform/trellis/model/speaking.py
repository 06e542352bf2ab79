"""Values in texts for people: as their reader writes money, days, times and choices."""

from __future__ import annotations

from collections.abc import Mapping

from trellis.formula.reader import Reader
from trellis.formula.types import Type, Value
from trellis.model.choice import Choice
from trellis.model.fields.base import FieldType
from trellis.model.fields.duration import Duration
from trellis.model.fields.money import MoneyField
from trellis.model.fields.temporal import DateField, DateTimeField, TimeField

# numbers are left as they are: a year, a house number or a number of days is none that a thousands separator suits
_BY_KIND: Mapping[str, FieldType] = {
    "money": MoneyField(),
    "date": DateField(),
    "datetime": DateTimeField(),
    "time": TimeField(),
    "duration": Duration(),
}


def speak(value: Value, type: Type, reader: Reader) -> str | None:
    """A value as its reader writes it; None where it is written alike in every language."""
    if type.choices:
        return ", ".join(_label(type, key, reader) for key in (value if isinstance(value, tuple | list) else [value]))
    shown = _BY_KIND.get(type.kind)
    return shown.display(value, reader) if shown is not None else None


def _label(type: Type, key: str, reader: Reader) -> str:
    found = (type.choices or {}).get(key)
    return found.label.in_language(reader.language) if isinstance(found, Choice) else key
