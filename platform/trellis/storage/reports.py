"""The platform tables of reports: what people save, who gets which by mail, how one stood on a day."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trellis.storage.columns import MOMENT, NOW
from trellis.storage.names import quoted


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
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("updated_at", MOMENT, nullable=False, server_default=NOW),
        sa.Index("_own_report_base", "base", "owner"),
        sa.Index("_own_report_owner", "owner"),
    )


def own_dashboard_table(metadata: sa.MetaData) -> sa.Table:
    """A dashboard that a person has made; with `base` only what is added to one of the configuration's.

    Without an owner it is added for everybody.
    """
    return sa.Table(
        quoted("_own_dashboard"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("base", sa.Text),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("owner", sa.Uuid),
        sa.Column("shared", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("roles", ARRAY(sa.Text)),  # null: shared with everybody
        sa.Column("definition", JSONB, nullable=False),  # {yaml: …}
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("updated_at", MOMENT, nullable=False, server_default=NOW),
        sa.Index("_own_dashboard_base", "base", "owner"),
        sa.Index("_own_dashboard_owner", "owner"),
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
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
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
        sa.Column("next_at", MOMENT, nullable=False),
    )


def report_snapshot_table(metadata: sa.MetaData) -> sa.Table:
    """A report's lines as they were at the end of a day, with what its columns were then."""
    return sa.Table(
        quoted("_report_snapshot"),
        metadata,
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("digest", sa.Text, nullable=False),  # of what was asked: another question cannot be compared
        sa.Column("answer", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("report", "day"),
    )


def report_run_table(metadata: sa.MetaData) -> sa.Table:
    """A report that somebody has let run in the background, with its rows for a day: nobody else sees them."""
    return sa.Table(
        quoted("_report_run"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user", sa.Uuid, nullable=False),
        sa.Column("key", sa.Uuid),  # of the API, where a program asked
        sa.Column("report", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),  # what it is called, in the language of who asked
        sa.Column("parts", JSONB, nullable=False),  # of the report's address
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),  # waiting, running, done, failed, cancelled
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT),  # what `now()` is in its formulas
        sa.Column("ended_at", MOMENT),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("fault", JSONB),  # why it failed: {message, params}
        sa.Column("rights", sa.Text),  # in short, what the person could see then
        sa.Column("rows", sa.LargeBinary),  # of each of its statements
        sa.Index("_report_run_user", "user", "asked_at"),
        sa.Index("_report_run_until", "until"),
    )


def report_change_table(metadata: sa.MetaData) -> sa.Table:
    """Which transactions have changed which of the tables that are watched: what is remembered of them is outdated."""
    return sa.Table(
        quoted("_report_change"),
        metadata,
        sa.Column("xid", sa.BigInteger, autoincrement=False),
        sa.Column("relation", sa.BigInteger, autoincrement=False),
        sa.Column("at", MOMENT, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.PrimaryKeyConstraint("xid", "relation"),
    )
