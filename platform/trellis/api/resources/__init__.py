"""What the API offers, each resource in a file of its own; all hang on one blueprint."""

from __future__ import annotations

from importlib import import_module

RESOURCES = (
    "records",
    "bulk",
    "links",
    "shares",
    "pools",
    "moves",
    "conversions",
    "merges",
    "history",
    "files",
    "papers",
    "views",
    "reports",
    "report_runs",
    "dashboards",
    "meta",
    "webhooks",
    "document",
)
"""The modules beside this one; importing them registers their operations."""


def load_resources() -> None:
    """Register every operation."""
    for name in RESOURCES:
        import_module(f"{__name__}.{name}")
