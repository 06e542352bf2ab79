"""Schemas that kinds share by `$ref`: a field, a step, a trigger."""

from __future__ import annotations

from typing import Any

from trellis.model.kinds import automation, entity
from trellis.model.kinds.told import tell


def definitions() -> dict[str, Any]:
    """Every shared schema by name."""
    return {name: tell(name, make()) for name, make in {**entity.DEFINITIONS, **automation.DEFINITIONS}.items()}
