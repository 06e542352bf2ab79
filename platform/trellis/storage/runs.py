"""The tables of workflows at work: their runs, what each step did, and which runs wait for which records."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from trellis.storage.columns import NOW
from trellis.storage.names import quoted


def run_table(metadata: sa.MetaData) -> sa.Table:
    """One run of a workflow: where it stands and what it knows. A run that waits is nothing but its row."""
    table = sa.Table(
        quoted("_run"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("workflow", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),  # of the workflow as it began
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),  # record, schedule, date, button, …
        sa.Column("entity", sa.Text),
        sa.Column("record", sa.Uuid),
        sa.Column("event", JSONB),  # what set it off: {kind, changes, …}
        sa.Column("by", sa.Uuid),
        sa.Column("by_name", sa.Text),
        sa.Column("chain", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),  # [[workflow, record], …]
        sa.Column("parent", sa.Uuid),  # the run whose step runs this one
        sa.Column("state", sa.Text, nullable=False),  # ready, waiting, paused, done, stopped, failed, cancelled
        sa.Column("position", JSONB, nullable=False),  # the stack of blocks: [{block, next, …}, …]
        sa.Column("variables", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
        sa.Column("waiting", JSONB),  # what the step that waits has kept
        sa.Column("wake_at", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),  # of the step at hand
        sa.Column("steps", sa.Integer, nullable=False, server_default="0"),  # done so far
        sa.Column("error", JSONB),  # {place, text}
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Index("_run_record", "entity", "record", "started_at"),
        sa.Index("_run_workflow", "workflow", "state", "started_at"),
        sa.Index("_run_waking", "wake_at", postgresql_where=sa.text("ended_at IS NULL")),
        sa.Index("_run_parent", "parent", postgresql_where=sa.text("parent IS NOT NULL")),
    )
    # whether a request from outside came already
    sa.Index(
        "_run_event", table.c.event["id"].astext, postgresql_where=table.c.trigger == sa.literal_column("'webhook'")
    )
    return table


def run_step_table(metadata: sa.MetaData) -> sa.Table:
    """What became of each step of each run, and why."""
    return sa.Table(
        quoted("_run_step"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("run", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),  # done, skipped, waiting, retried, failed, stopped
        sa.Column("detail", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),  # {values, result, text}
        sa.Index("_run_step_run", "run", "id"),
    )


def run_watch_table(metadata: sa.MetaData) -> sa.Table:
    """The records whose changes may end a run's wait."""
    return sa.Table(
        quoted("_run_watch"),
        metadata,
        sa.Column("run", sa.Uuid, nullable=False),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("record", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("run", "entity", "record"),
        sa.Index("_run_watch_record", "entity", "record"),
    )


def timer_table(metadata: sa.MetaData) -> sa.Table:
    """The clocks of workflows: up to when each has looked, and when it looks again."""
    return sa.Table(
        quoted("_timer"),
        metadata,
        sa.Column("key", sa.Text, primary_key=True),  # the workflow, and which of its triggers
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
    )


def workflow_state_table(metadata: sa.MetaData) -> sa.Table:
    """What is to be known of a workflow beside its document: whether it is paused, how often it failed in a row."""
    return sa.Table(
        quoted("_workflow_state"),
        metadata,
        sa.Column("workflow", sa.Text, primary_key=True),
        sa.Column("paused_at", sa.DateTime(timezone=True)),
        sa.Column("paused_by", sa.Uuid),
        sa.Column("reason", sa.Text),  # by_hand, failing
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row
    )
