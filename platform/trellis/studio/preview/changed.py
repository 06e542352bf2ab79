"""Which parts of what people see a draft changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from trellis.formula.formula import Formula

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.model import Model


def changed_entities(live: Model, draft: Model) -> list[Entity]:
    """The draft's entities that are new or not as they are live; a part is shown in the form of its whole."""
    found = {
        key: one for key, one in draft.entities.items() if key not in live.entities or not same(live.entities[key], one)
    }
    for one in list(found.values()):
        if one.part_of is not None and one.part_of in draft.entities:
            found[one.part_of] = draft.entities[one.part_of]
    return [one for key, one in draft.entities.items() if key in found and not one.internal and one.part_of is None]


def same(one: Any, other: Any) -> bool:
    """Whether two parts of Models say the same; formulas are told apart by what is written."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Formula):
        return bool(one.source == other.source)
    if is_dataclass(one) and not isinstance(one, type):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
