"""The tables of events and webhooks: what happened and is still to be told, to whom, and how that went."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trellis.storage.columns import NOW
from trellis.storage.names import quoted

SEALED = {"sealed": True}  # Column.info: another key is given to it by storage/rotation.py


def event_table(metadata: sa.MetaData) -> sa.Table:
    """What happened to records and nobody has been told yet. Rows go as soon as everybody has."""
    return sa.Table(
        quoted("_event"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("record", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),  # created, updated, deleted, …
        sa.Column("version", sa.Integer),  # of the record after the change
        sa.Column("means", sa.Text, nullable=False),
        sa.Column("by", sa.Uuid),
        sa.Column("by_name", sa.Text),
        sa.Column("cause", JSONB),  # the workflow's run, the import, the API key
        sa.Column("depth", sa.Integer, nullable=False, server_default="0"),  # of the chain of automation that led here
        sa.Column("batch", sa.Uuid),
        sa.Column("changes", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),  # {field: [old, new]}
    )


def webhook_table(metadata: sa.MetaData) -> sa.Table:
    """An address that is told of events, with the rights of its owner."""
    return sa.Table(
        quoted("_webhook"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("entity", sa.Text, nullable=False),  # "*": every entity
        sa.Column("events", ARRAY(sa.Text), nullable=False),
        sa.Column("formula", sa.Text),
        sa.Column("owner", sa.Uuid, nullable=False),
        sa.Column("secret", sa.Text, nullable=False, info=SEALED),
        sa.Column("old_secret", sa.Text, info=SEALED),  # also signed with until `old_until`
        sa.Column("old_until", sa.DateTime(timezone=True)),
        sa.Column("state", sa.Text, nullable=False, server_default="active"),  # active, paused, disabled
        sa.Column("reason", sa.Text),  # why it is not active: by_hand, failing, gone, owner, restored
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("failing_since", sa.DateTime(timezone=True)),  # nothing has arrived since
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("created_by", sa.Uuid),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
    )


def webhook_message_table(metadata: sa.MetaData) -> sa.Table:
    """One message to one webhook, as it is sent, every time the same."""
    return sa.Table(
        quoted("_webhook_message"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("webhook", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("type", sa.Text, nullable=False),  # deal.updated
        sa.Column("entity", sa.Text),
        sa.Column("record", sa.Uuid),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),  # waiting, delivered, failed
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Index("_webhook_message_log", "webhook", "at", "id"),
        sa.Index("_webhook_message_due", "webhook", "next_at", postgresql_where=sa.text("state = 'waiting'")),
        sa.Index("_webhook_message_at", "at"),
    )


def webhook_attempt_table(metadata: sa.MetaData) -> sa.Table:
    """One request of a message, and what came back."""
    return sa.Table(
        quoted("_webhook_attempt"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("message", sa.Uuid, nullable=False),
        sa.Column("webhook", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("status", sa.Integer),  # of the answer; null: there was none
        sa.Column("error", sa.Text),  # why there was none: a code of outgoing HTTP's
        sa.Column("excerpt", sa.Text),  # of the answer's body
        sa.Column("ms", sa.Integer, nullable=False),
        sa.Index("_webhook_attempt_message", "message", "id"),
        sa.Index("_webhook_attempt_at", "at"),
    )
