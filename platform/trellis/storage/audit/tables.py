"""The tables of the audit log, of who has read personal data, and of what is decided about a person's data."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.storage.names import quoted

APPEND_ONLY = "append_only"  # Table.info: the tenant's role may insert and select, never update or delete
READ_ONLY = "read_only"  # Table.info: the tenant's role may select; triggers of the database write


def audit_table(metadata: sa.MetaData) -> sa.Table:
    """What happened: who, when, by what means, on what. `digest` stands for `label` and `details` in the chain, so
    that an erasure may take these two away and nothing else."""
    return sa.Table(
        quoted("_audit"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("by", sa.Uuid),
        sa.Column("by_name", sa.Text),
        sa.Column("means", sa.Text, nullable=False),  # page, api, assistant, cli, system, …
        sa.Column("address", sa.Text),
        sa.Column("request", sa.Text),
        sa.Column("entity", sa.Text),
        sa.Column("record", sa.Uuid),
        sa.Column("label", sa.Text),  # what it was called
        sa.Column("details", sa.Text),  # JSON, its keys in order
        sa.Column("salt", sa.Text),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Index("_audit_at", "at"),
        sa.Index("_audit_kind", "kind", "id"),
        sa.Index("_audit_by", "by", "id"),
        sa.Index("_audit_record", "entity", "record"),
        info={APPEND_ONLY: True},
    )


def audit_seal_table(metadata: sa.MetaData) -> sa.Table:
    """The chain: entry by entry, in the order in which their transactions committed."""
    return sa.Table(
        quoted("_audit_seal"),
        metadata,
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.BigInteger, nullable=False, unique=True),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        info={APPEND_ONLY: True, READ_ONLY: True},
    )


def access_table(metadata: sa.MetaData) -> sa.Table:
    """Who has read personal data: a record, or a list with its filter and how many it showed."""
    return sa.Table(
        quoted("_access"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("how", sa.Text, nullable=False),  # record, api, assistant, list, export, file, merge, …
        sa.Column("by", sa.Uuid),
        sa.Column("by_name", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("request", sa.Text),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("record", sa.Uuid),  # none: a list
        sa.Column("count", sa.Integer),
        sa.Column("filter", sa.Text),
        sa.Index("_access_record", "entity", "record", "at"),
        sa.Index("_access_at", "at"),
        sa.Index("_access_by", "by", "id"),
    )


def privacy_table(metadata: sa.MetaData) -> sa.Table:
    """What is decided about a person's data: kept by law, restricted, erased."""
    return sa.Table(
        quoted("_privacy"),
        metadata,
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("record", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),  # hold, restricted, erased
        sa.Column("reason", sa.Text),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("by", sa.Uuid),
        sa.Column("by_name", sa.Text),
        sa.PrimaryKeyConstraint("entity", "record", "state"),
    )
