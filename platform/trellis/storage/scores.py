"""The platform table of scorings: what the behaviour of each record has earned, and when some of that is lost."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from trellis.storage.columns import MOMENT
from trellis.storage.names import quoted


def score_table(metadata: sa.MetaData) -> sa.Table:
    """One row for each record to which something has happened: `earned` is {behaviour: {n, points, lost, at}}."""
    return sa.Table(
        quoted("_score"),
        metadata,
        sa.Column("scoring", sa.Text, nullable=False),
        sa.Column("record", sa.Uuid, nullable=False),
        sa.Column("earned", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
        sa.Column("at", MOMENT, nullable=False),  # of the latest event, or of the latest loss
        sa.Column("due_at", MOMENT),  # when some of it is lost next; NULL: there is nothing to lose
        sa.PrimaryKeyConstraint("scoring", "record"),
        sa.Index("_score_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    )
