"""The platform tables of the studio: what administrators are changing, and what is being published for them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

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


def publishing_table(metadata: sa.MetaData) -> sa.Table:
    """A publishing that takes longer than a page may wait: who asked for which plan, and what came of it."""
    return sa.Table(
        quoted("_publishing"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person", sa.Uuid, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("back_to", sa.Integer),  # the earlier revision that is gone back to; NULL: the person's draft
        sa.Column("revision", sa.Integer, nullable=False),  # that was live when the plan was looked at
        sa.Column("seal", sa.Text, nullable=False),  # of the plan that was looked at
        sa.Column("state", sa.Text, nullable=False),  # waiting, running, done, failed, cancelled
        sa.Column("number", sa.Integer),  # the revision that came of it
        sa.Column("fault", JSONB),  # why nothing came of it: {code, message, params}
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )
