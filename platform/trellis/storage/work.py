"""The tables of what automation asks of people: notices, approvals, and whose turn it is."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trellis.storage.columns import MOMENT, NOW
from trellis.storage.names import quoted


def notice_table(metadata: sa.MetaData) -> sa.Table:
    """Something that somebody is told, in the notice centre."""
    return sa.Table(
        quoted("_notice"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user", sa.Uuid, nullable=False),
        sa.Column("at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("kind", sa.Text, nullable=False),  # workflow, approval, mention, reminder, …
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("entity", sa.Text),
        sa.Column("record", sa.Uuid),
        sa.Column("address", sa.Text),  # where it leads, when that is no record
        sa.Column("read_at", MOMENT),
        sa.Column("in_app", sa.Boolean, nullable=False, server_default=sa.true()),  # whether the centre shows it
        sa.Column("digest", sa.Boolean, nullable=False, server_default=sa.false()),  # waits for the day's letter
        sa.Index("_notice_digest", "user", postgresql_where=sa.text("digest")),
        sa.Index("_notice_user", "user", "id"),
        sa.Index("_notice_unread", "user", postgresql_where=sa.text("read_at IS NULL")),
    )


def approval_table(metadata: sa.MetaData) -> sa.Table:
    """What one person is asked to approve, by one step of one run."""
    return sa.Table(
        quoted("_approval"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("run", sa.Uuid, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),  # in which order they are asked
        sa.Column("user", sa.Uuid, nullable=False),
        sa.Column("entity", sa.Text),
        sa.Column("record", sa.Uuid),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False, server_default=""),
        sa.Column("locks", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("edit", ARRAY(sa.Uuid)),  # who may still change the record while it is locked
        sa.Column("token", sa.Text),  # the digest of the secret in the letter's link
        sa.Column("told_at", MOMENT),  # when they were last told that they are asked
        sa.Column("asked_by", sa.Uuid),
        sa.Column("state", sa.Text, nullable=False),  # queued, pending, approved, rejected, returned, delegated, over
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("due_at", MOMENT),
        sa.Column("decided_at", MOMENT),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("comment", sa.Text),
        sa.Column("answers", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
        sa.Index("_approval_run", "run", "place"),
        sa.Index("_approval_user", "user", "state", "created_at"),
        sa.Index("_approval_record", "entity", "record", postgresql_where=sa.text("state IN ('pending', 'queued')")),
    )


def turn_table(metadata: sa.MetaData) -> sa.Table:
    """When each person was last given something by a rule: the next one is whoever has waited longest."""
    return sa.Table(
        quoted("_turn"),
        metadata,
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("user", sa.Uuid, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
    )
