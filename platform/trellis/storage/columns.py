"""Columns that many of the platform's tables have."""

from __future__ import annotations

import sqlalchemy as sa

NOW = sa.text("now()")
MOMENT = sa.DateTime(timezone=True)


def moment(name: str, *, default: bool = True) -> sa.Column[object]:
    """When something was: now, unless somebody says otherwise; without a default it may be blank."""
    return sa.Column(name, MOMENT, nullable=not default, server_default=NOW if default else None)


def record_columns() -> tuple[sa.Column[object], sa.Column[object]]:
    """The record that a row is about."""
    return sa.Column("entity", sa.Text, nullable=False), sa.Column("record", sa.Uuid, nullable=False)
