"""The platform table of mail that goes out."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.storage.names import quoted


def mail_table(metadata: sa.MetaData) -> sa.Table:
    """A letter to somebody: `body` is sealed, and taken away once it is sent or given up; what is left is the log."""
    moment = sa.DateTime(timezone=True)
    return sa.Table(
        quoted("_mail"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),  # invitation, password, …
        sa.Column("to", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, info={"sealed": True}),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),  # waiting, sent, failed
        sa.Column("error", sa.Text),
        sa.Column("created_at", moment, nullable=False, server_default=sa.text("now()")),
        sa.Column("sent_at", moment),
        sa.Index("_mail_created", "created_at"),
    )
