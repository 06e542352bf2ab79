"""The kinds of documents: one JSON Schema each, in a registry. Importing the package fills it."""

from trellis.model.kinds import (
    access,
    automation,
    clocks,
    dashboards,
    entity,
    layers,
    lists,
    messages,
    pipeline,
    reports,
    scenario,
)
from trellis.model.kinds.registry import KINDS, Kind

__all__ = [
    "KINDS",
    "Kind",
    "access",
    "automation",
    "clocks",
    "dashboards",
    "entity",
    "layers",
    "lists",
    "messages",
    "pipeline",
    "reports",
    "scenario",
]
