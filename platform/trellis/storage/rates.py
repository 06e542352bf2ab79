"""The platform table of requests: how many each caller has sent in this minute, over all processes."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.storage.names import quoted


def rate_table(metadata: sa.MetaData) -> sa.Table:
    """One row for each caller. UNLOGGED: a minute's count is worth no disk write, and nothing after a crash."""
    return sa.Table(
        quoted("_rate"),
        metadata,
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),  # the window
        sa.Column("spent", sa.Integer, nullable=False),
        sa.Column("before", sa.Integer, nullable=False),  # in the window before
        sa.Column("given", sa.Integer, nullable=False),  # to the latest who asked
        prefixes=["UNLOGGED"],
    )
