"""The table of reminders that are still to come."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.storage.names import quoted


def reminder_table(metadata: sa.MetaData) -> sa.Table:
    """A moment at which people are reminded of a record; gone when they were."""
    return sa.Table(
        quoted("_reminder"),
        metadata,
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("record", sa.Uuid, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("entity", "record", "field", "at"),
        sa.Index("_reminder_at", "at"),
    )
