"""Every measure; importing this package registers them in the order of the table."""

from __future__ import annotations

from bench.measures import (
    api,
    compiling,
    derived,
    documents,
    duplicates,
    field,
    flooding,
    importing,
    lists,
    pages,
    queue,
    records,
    reports,
    rights,
    saving,
    tenants,
    waiting,
    workflows,
)
from bench.registry import MEASURES

__all__ = [
    "MEASURES",
    "api",
    "compiling",
    "derived",
    "documents",
    "duplicates",
    "field",
    "flooding",
    "importing",
    "lists",
    "pages",
    "queue",
    "records",
    "reports",
    "rights",
    "saving",
    "tenants",
    "waiting",
    "workflows",
]
