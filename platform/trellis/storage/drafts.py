"""The platform table of drafts: what administrators are changing in the configuration and have not published yet."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.storage.names import quoted


def draft_table(metadata: sa.MetaData) -> sa.Table:
    """One row for each file of the tenant's own layer that a person has changed."""
    return sa.Table(
        quoted("_draft"),
        metadata,
        sa.Column("person", sa.Uuid, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("text", sa.Text),  # NULL: the file is to go
        sa.Column("base", sa.Text),  # as it was live when the change was begun; NULL: there was no such file
        sa.Column("revision", sa.Integer, nullable=False),  # the revision that `base` is of
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),  # one more with every save
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("person", "path"),
    )
