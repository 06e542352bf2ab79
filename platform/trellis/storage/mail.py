"""The platform tables of mail and other messages: what goes out, what came in, and who wants none."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.storage.columns import MOMENT, NOW
from trellis.storage.names import quoted


def mail_table(metadata: sa.MetaData) -> sa.Table:
    """A letter to somebody: `body` is sealed, and taken away once it is sent or given up; what is left is the log."""
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
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("sent_at", MOMENT),
        sa.Column("channel", sa.Text, nullable=False, server_default="email"),  # email, sms, chat
        sa.Column("account", sa.Text),  # of several; null: the tenant's first, or the installation's
        sa.Column("message", sa.Uuid),  # the record that keeps it, if the Model has such an entity
        sa.Column("once", sa.Text),  # what goes to one address once only, whoever asks
        sa.Column("begun_at", MOMENT),  # when it was last handed over: what a limit counts
        sa.Column("reply", sa.Text),  # the token in the address that answers to it go to
        sa.Index("_mail_created", "created_at"),
        sa.Index("_mail_begun", "account", "begun_at"),
        sa.Index("_mail_waiting", "account", postgresql_where=sa.text("state = 'waiting'")),
        sa.Index("_mail_once", "once", unique=True, postgresql_where=sa.text("once IS NOT NULL")),
        sa.Index("_mail_message", "message", postgresql_where=sa.text("message IS NOT NULL")),
        sa.Index("_mail_reply", "reply", postgresql_where=sa.text("reply IS NOT NULL")),
    )


def mail_in_table(metadata: sa.MetaData) -> sa.Table:
    """How far each account for incoming mail has been read, and how that went."""
    return sa.Table(
        quoted("_mail_in"),
        metadata,
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("place", sa.Text, nullable=False),  # server, user and folder: another one is read anew
        sa.Column("uidvalidity", sa.BigInteger),
        sa.Column("last_uid", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("next_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("checked_at", MOMENT),
        sa.Column("error", sa.Text),
        sa.Column("failing_since", MOMENT),
    )


def mail_received_table(metadata: sa.MetaData) -> sa.Table:
    """A message that came in, and what became of it. Each is taken once, in whatever mailbox it lies."""
    return sa.Table(
        quoted("_mail_received"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),  # reply, new, auto, bounce, unsubscribe, loop, nobody, failed
        sa.Column("error", sa.Text),
        sa.Column("message", sa.Uuid),  # the record that keeps it
        sa.Column("entity", sa.Text),  # what it is about
        sa.Column("record", sa.Uuid),
        sa.Index("_mail_received_sender", "sender", "at"),
        sa.Index("_mail_received_at", "at"),
        sa.Index("_mail_received_message", "message_id", unique=True),
    )


def mail_trace_table(metadata: sa.MetaData) -> sa.Table:
    """A letter whose opening is noted, for one address: its token stands in the letter, its links lead by here."""
    return sa.Table(
        quoted("_mail_trace"),
        metadata,
        sa.Column("token", sa.Text, primary_key=True),  # by chance: it says nothing, and cannot be guessed
        sa.Column("mail", sa.Uuid, nullable=False),  # of the log
        sa.Column("message", sa.Uuid),  # the record that keeps the letter
        sa.Column("workflow", sa.Text, nullable=False, server_default=""),  # and the step that has sent it
        sa.Column("place", sa.Text, nullable=False, server_default=""),
        sa.Column("links", sa.Text, info={"sealed": True}),  # where they lead, in order: never what the address says
        sa.Column("at", MOMENT, nullable=False, server_default=NOW),
        sa.Index("_mail_trace_message", "message"),
        sa.Index("_mail_trace_step", "workflow", "place"),
        sa.Index("_mail_trace_at", "at"),
    )


def mail_seen_table(metadata: sa.MetaData) -> sa.Table:
    """That a letter was opened or a link followed. Neither from where nor with what program is kept."""
    return sa.Table(
        quoted("_mail_seen"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),  # open, click
        sa.Column("at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("machine", sa.Text),  # why it was no person; null: it was one
        sa.Column("link", sa.Integer),
        sa.Index("_mail_seen_token", "token", "at"),
    )


def suppressed_table(metadata: sa.MetaData) -> sa.Table:
    """Addresses that get no more: kept as hashes, so that it outlives whose address it was."""
    return sa.Table(
        quoted("_suppressed"),
        metadata,
        sa.Column("channel", sa.Text, primary_key=True),  # email, sms, chat
        sa.Column("address", sa.Text, primary_key=True),  # the hash of it
        sa.Column("reason", sa.Text, primary_key=True),  # opted_out, bounced
        sa.Column("at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("source", sa.Text, nullable=False, server_default=""),  # the letter, or who has entered it
    )
