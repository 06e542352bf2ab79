"""The table of service levels at work: one clock for each record and service level."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.storage.names import quoted


def service_table(metadata: sa.MetaData) -> sa.Table:
    """How a record stands with a service level. `next_at`: when it is to be looked at next, of all the only index."""
    return sa.Table(
        quoted("_service"),
        metadata,
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("record", sa.Uuid, nullable=False),
        sa.Column("sla", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),  # of the service level by which it was judged
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("warn_at", sa.DateTime(timezone=True)),
        sa.Column("standing", sa.Text),  # why the clock stands: met, paused, off; null: it runs
        sa.Column("stands_since", sa.DateTime(timezone=True)),
        sa.Column("paused", sa.BigInteger, nullable=False, server_default="0"),  # microseconds of business time
        sa.Column("warned_at", sa.DateTime(timezone=True)),
        sa.Column("breached_at", sa.DateTime(timezone=True)),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("entity", "record", "sla"),
        sa.Index("_service_next", "next_at", postgresql_where=sa.text("next_at IS NOT NULL")),
    )
