"""The platform tables about records that are the same: what was merged, what a merge moved, what is no duplicate."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trellis.storage.names import quoted


def merge_table(metadata: sa.MetaData) -> sa.Table:
    """One row for each merge: `before` and `after` hold the winner's columns, so that it can be undone."""
    return sa.Table(
        quoted("_merge"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("winner", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid),
        sa.Column("by_name", sa.Text),
        sa.Column("before", JSONB, nullable=False, info={"sealed": True}),  # fields of type secret are in it
        sa.Column("after", JSONB, nullable=False, info={"sealed": True}),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        sa.Column("undone_by", sa.Uuid),
        sa.Index("_merge_winner", "entity", "winner"),
    )


def merged_table(metadata: sa.MetaData) -> sa.Table:
    """Where a merged record is now: `winner` is the end of the chain, `into` what it was merged into at the time."""
    return sa.Table(
        quoted("_merged"),
        metadata,
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("loser", sa.Uuid, nullable=False),
        sa.Column("winner", sa.Uuid, nullable=False),
        sa.Column("into", sa.Uuid, nullable=False),
        sa.Column("merge", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("entity", "loser"),
        sa.Index("_merged_winner", "entity", "winner"),
        sa.Index("_merged_merge", "merge"),
    )


def merge_move_table(metadata: sa.MetaData) -> sa.Table:
    """What a merge moved to the winner, by place: many records to a row."""
    return sa.Table(
        quoted("_merge_move"),
        metadata,
        sa.Column("merge", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),  # link, source, target, platform, bin
        sa.Column("entity", sa.Text, nullable=False),  # whose rows; of kind platform: the table
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("loser", sa.Uuid, nullable=False),
        sa.Column("records", ARRAY(sa.Uuid), nullable=False),
        sa.Column("before", JSONB),
        sa.Index("_merge_move_merge", "merge"),
    )


def not_duplicate_table(metadata: sa.MetaData) -> sa.Table:
    """Two records that somebody has looked at and found not to be the same; `one` is the smaller id."""
    return sa.Table(
        quoted("_not_duplicate"),
        metadata,
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("one", sa.Uuid, nullable=False),
        sa.Column("other", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid),
        sa.PrimaryKeyConstraint("entity", "one", "other"),
    )
