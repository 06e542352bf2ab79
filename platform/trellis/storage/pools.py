"""The platform tables of pools: when each record goes back, and what has gone in and out."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from trellis.storage.columns import MOMENT
from trellis.storage.names import quoted


def pool_clock_table(metadata: sa.MetaData) -> sa.Table:
    """One row for each record that somebody has: up to when, by each rule, and when somebody must look at it next."""
    return sa.Table(
        quoted("_pool_clock"),
        metadata,
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("record", sa.Uuid, nullable=False),
        sa.Column("owner", sa.Uuid),  # for whom the clock runs: another one's begins anew
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("hands", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),  # {pool/rule: [since, until]}
        sa.Column("due_at", MOMENT),  # of a warning or of the return; NULL: nothing will happen
        sa.PrimaryKeyConstraint("entity", "record"),
        sa.Index("_pool_clock_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    )


def pool_move_table(metadata: sa.MetaData) -> sa.Table:
    """What has become of the records of pools: claimed, assigned, returned by hand, released by the clock, locked."""
    return sa.Table(
        quoted("_pool_move"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("record", sa.Uuid, nullable=False),
        sa.Column("pool", sa.Text),
        sa.Column("act", sa.Text, nullable=False),  # claimed, assigned, distributed, handed, returned, …
        sa.Column("whose", sa.Uuid),  # whose it was before
        sa.Column("to", sa.Uuid),  # who has it now
        sa.Column("by", sa.Uuid),  # NULL: the clock
        sa.Column("reason", sa.Text),
        sa.Index("_pool_move_record", "entity", "record", "at"),
        sa.Index("_pool_move_to", "to", "act", "at"),
        sa.Index("_pool_move_at", "at"),
    )
