"""The platform tables of what hangs on records beside their fields: files, comments, running numbers."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.storage.columns import moment, record_columns
from trellis.storage.names import quoted


def file_table(metadata: sa.MetaData) -> sa.Table:
    """A file that was uploaded; its bytes lie in the file store under `hash`."""
    return sa.Table(
        quoted("_file"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("entity", sa.Text),
        sa.Column("record", sa.Uuid),
        sa.Column("field", sa.Text),
        moment("created_at"),
        sa.Column("created_by", sa.Uuid),
        moment("deleted_at", default=False),
        sa.Index("_file_hash", "hash"),
        sa.Index("_file_record", "entity", "record"),
    )


def comment_table(metadata: sa.MetaData) -> sa.Table:
    """What people have written on a record's timeline."""
    return sa.Table(
        quoted("_comment"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        *record_columns(),
        sa.Column("body", sa.Text, nullable=False),
        moment("created_at"),
        sa.Column("created_by", sa.Uuid),
        moment("updated_at", default=False),
        moment("deleted_at", default=False),
        sa.Index("_comment_record", "entity", "record", "created_at"),
    )


def sequence_table(metadata: sa.MetaData) -> sa.Table:
    """The last number given by each `sequence` field; `scope` is the year, the parent, or empty."""
    return sa.Table(
        quoted("_sequence"),
        metadata,
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True, server_default=""),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
