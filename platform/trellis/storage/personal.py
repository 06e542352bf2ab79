"""The platform tables of what is a person's own: choices, saved views, whom they follow, what they looked at."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from trellis.storage.columns import moment, record_columns
from trellis.storage.names import quoted


def preference_table(metadata: sa.MetaData) -> sa.Table:
    """What a person has chosen: theme, column widths, the view last used, …"""
    return sa.Table(
        quoted("_preference"),
        metadata,
        sa.Column("user", sa.Uuid, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", JSONB, nullable=False),
        moment("updated_at"),
    )


def saved_view_table(metadata: sa.MetaData) -> sa.Table:
    """A list view that a person has saved, for themselves or for everybody."""
    return sa.Table(
        quoted("_saved_view"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("owner", sa.Uuid),
        sa.Column("shared", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("position", sa.Integer, nullable=False, server_default="0"),
        sa.Column("definition", JSONB, nullable=False),
        moment("created_at"),
        moment("updated_at"),
        sa.Index("_saved_view_entity", "entity", "owner"),
    )


def follow_table(metadata: sa.MetaData) -> sa.Table:
    """Who follows which record."""
    entity, record = record_columns()
    return sa.Table(
        quoted("_follow"),
        metadata,
        sa.Column("user", sa.Uuid, nullable=False),
        entity,
        record,
        moment("at"),
        sa.PrimaryKeyConstraint("user", "entity", "record"),
        sa.Index("_follow_record", "entity", "record"),
    )


def recent_table(metadata: sa.MetaData) -> sa.Table:
    """The records that a person has looked at lately."""
    entity, record = record_columns()
    return sa.Table(
        quoted("_recent"),
        metadata,
        sa.Column("user", sa.Uuid, nullable=False),
        entity,
        record,
        moment("at"),
        sa.PrimaryKeyConstraint("user", "entity", "record"),
        sa.Index("_recent_at", "user", "at"),
    )
