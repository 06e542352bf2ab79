"""Checking a filter that a person wrote as a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.formula.errors import FormulaError, FormulaFault
from trellis.formula.formula import compile_formula
from trellis.formula.types import BOOLEAN
from trellis.records.reading.counted import FilterScope

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.records.store import Store


def formula_faults(store: Store, entity: Entity, source: str) -> list[FormulaFault]:
    """What is wrong with a filter; nothing when it is empty or good."""
    if not source.strip():
        return []
    try:
        compile_formula(source, FilterScope(store.session, entity.key), expected=BOOLEAN)
    except FormulaError as error:
        return list(error.faults)
    return []
