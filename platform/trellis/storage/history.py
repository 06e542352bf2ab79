"""What every change leaves behind: what it was, what it was part of, which stages a record has been in."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from trellis.storage.audit.tables import APPEND_ONLY
from trellis.storage.columns import moment, record_columns
from trellis.storage.names import quoted


def history_table(metadata: sa.MetaData) -> sa.Table:
    """Every change of every record: who, when, from, to, by what means."""
    return sa.Table(
        quoted("_history"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        moment("at"),
        *record_columns(),
        sa.Column("kind", sa.Text, nullable=False),  # create, update, delete, restore, purge, link, unlink, …
        sa.Column("means", sa.Text, nullable=False),  # page, api, import, bulk, system, workflow
        sa.Column("by", sa.Uuid),
        sa.Column("by_name", sa.Text),
        sa.Column("cause", JSONB),  # the workflow's run, the import, the request
        sa.Column("version", sa.Integer),
        sa.Column("changes", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),  # [[field, old, new], …]
        sa.Index("_history_record", "entity", "record", "id"),
        sa.Column("batch", sa.Uuid),  # the import or bulk change that it was part of
        sa.Index("_history_by", "by", "id"),
        sa.Index("_history_batch", "batch", "kind", "id", postgresql_where=sa.text("batch IS NOT NULL")),
        info={APPEND_ONLY: True},
    )


def batch_table(metadata: sa.MetaData) -> sa.Table:
    """Many changes that somebody made at once, and may undo at once: imports, bulk edits and deletes, conversions."""
    return sa.Table(
        quoted("_batch"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),  # import, edit, delete, restore, convert, undo, …
        sa.Column("entity", sa.Text, nullable=False),
        moment("at"),
        sa.Column("by", sa.Uuid),
        sa.Column("by_name", sa.Text),
        sa.Column("undoes", sa.Uuid),
        sa.Column("undone_by", sa.Uuid),  # the batch that undid it
        sa.Column("data", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),  # what no history tells
        sa.Index("_batch_at", "at"),
        sa.Index("_batch_by", "by", "at"),
    )


def stage_history_table(metadata: sa.MetaData) -> sa.Table:
    """When a record entered and left each stage: funnel, velocity and time in stage come from here."""
    return sa.Table(
        quoted("_stage_history"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        *record_columns(),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("stage_type", sa.Text, nullable=False),
        sa.Column("previous", sa.Text),
        sa.Column("probability", sa.Numeric),  # as it was taken at entry: one that differs was set by hand
        moment("entered_at"),
        moment("left_at", default=False),
        sa.Column("by", sa.Uuid),
        sa.Index("_stage_history_record", "entity", "record", "field", "entered_at"),
        sa.Index("_stage_history_stage", "entity", "field", "stage", "entered_at"),
    )
