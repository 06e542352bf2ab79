"""The platform table about single records that are open to somebody beside what the roles say."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.storage.names import quoted

READ = "read"
WRITE = "write"


def share_table(metadata: sa.MetaData) -> sa.Table:
    """One row for each person or team that a record is shared with; `until` is the last day on which it holds."""
    return sa.Table(
        quoted("_share"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("record", sa.Uuid, nullable=False),
        sa.Column("user", sa.Uuid),  # either a person
        sa.Column("team", sa.Uuid),  # or a team: whoever is in it or below it, and its managers
        sa.Column("level", sa.Text, nullable=False),  # read, write
        sa.Column("until", sa.Date),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("created_by", sa.Uuid),
        sa.Column("created_by_name", sa.Text),
        sa.Index("_share_record_user", "entity", "record", "user", unique=True),
        sa.Index("_share_record_team", "entity", "record", "team", unique=True),
        sa.Index("_share_user", "user", "entity", postgresql_where=sa.text('"user" IS NOT NULL')),
        sa.Index("_share_team", "team", "entity", postgresql_where=sa.text("team IS NOT NULL")),
    )
