"""The commonest changes as forms: one file for each, registered with @change."""

from __future__ import annotations

from importlib import import_module

MODULES = ("add_field", "field", "stages", "choices", "modules", "settings")  # in the order of the gallery


def kinds() -> tuple[str, ...]:
    """The keys of all changes, their modules read."""
    from trellis.studio.changes.registry import CHANGES

    for name in MODULES:
        import_module(f"trellis.studio.changes.{name}")
    return tuple(CHANGES)
