"""The platform tables of reports: what people save, who gets which by mail, how one stood on a day."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trellis.storage.names import quoted

NOW = sa.text("now()")
_MOMENT = sa.DateTime(timezone=True)


def own_report_table(metadata: sa.MetaData) -> sa.Table:
    """A report that a person has built, or a variant of one: with `base` it is the address of that one's page."""
    return sa.Table(
        quoted("_own_report"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("base", sa.Text),  # of a variant: the report's key
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("owner", sa.Uuid),
        sa.Column("shared", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("roles", ARRAY(sa.Text)),  # null: shared with everybody who may read it
        sa.Column("definition", JSONB, nullable=False),  # {parts: [[name, value], …]} or {yaml: …}
        sa.Column("created_at", _MOMENT, nullable=False, server_default=NOW),
        sa.Column("updated_at", _MOMENT, nullable=False, server_default=NOW),
        sa.Index("_own_report_base", "base", "owner"),
        sa.Index("_own_report_owner", "owner"),
    )


def report_mail_table(metadata: sa.MetaData) -> sa.Table:
    """A report that somebody asked to get by mail; without `cron` they want none of those that its YAML sends."""
    return sa.Table(
        quoted("_report_mail"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("user", sa.Uuid, nullable=False),
        sa.Column("cron", sa.Text),
        sa.Column("parts", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("created_at", _MOMENT, nullable=False, server_default=NOW),
        sa.Index("_report_mail_user", "user", "report", unique=True),
        sa.Index("_report_mail_report", "report"),
    )


def report_timer_table(metadata: sa.MetaData) -> sa.Table:
    """When a report is mailed or kept next: `key` says what strikes, `cron` when, in the tenant's time zone."""
    return sa.Table(
        quoted("_report_timer"),
        metadata,
        sa.Column("key", sa.Text, primary_key=True),  # mail:<report>, mine:<id>, snapshot:<report>
        sa.Column("cron", sa.Text, nullable=False),
        sa.Column("next_at", _MOMENT, nullable=False),
    )


def report_snapshot_table(metadata: sa.MetaData) -> sa.Table:
    """A report's lines as they were at the end of a day, with what its columns were then."""
    return sa.Table(
        quoted("_report_snapshot"),
        metadata,
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("at", _MOMENT, nullable=False, server_default=NOW),
        sa.Column("digest", sa.Text, nullable=False),  # of what was asked: another question cannot be compared
        sa.Column("answer", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("report", "day"),
    )
