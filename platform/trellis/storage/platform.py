"""The tables that every tenant has beside its entities. Their names begin with an underscore."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trellis.storage.audit.tables import APPEND_ONLY, access_table, audit_seal_table, audit_table, privacy_table
from trellis.storage.drafts import draft_table
from trellis.storage.duplicates import merge_move_table, merge_table, merged_table, not_duplicate_table
from trellis.storage.forms import form_entry_table
from trellis.storage.mail import (
    mail_in_table,
    mail_received_table,
    mail_seen_table,
    mail_table,
    mail_trace_table,
    suppressed_table,
)
from trellis.storage.names import quoted
from trellis.storage.pools import pool_clock_table, pool_move_table
from trellis.storage.rates import rate_table
from trellis.storage.reminders import reminder_table
from trellis.storage.reports import (
    own_dashboard_table,
    own_report_table,
    report_change_table,
    report_mail_table,
    report_run_table,
    report_snapshot_table,
    report_timer_table,
)
from trellis.storage.runs import run_step_table, run_table, run_watch_table, timer_table, workflow_state_table
from trellis.storage.scores import score_table
from trellis.storage.service import service_table
from trellis.storage.sharing import share_table
from trellis.storage.sign_in import attempt_table, factor_table, identity_table, recovery_code_table, sign_in_table
from trellis.storage.webhooks import event_table, webhook_attempt_table, webhook_message_table, webhook_table
from trellis.storage.work import approval_table, notice_table, turn_table

NOW = sa.text("now()")


@dataclass(frozen=True)
class PlatformTables:
    """One attribute for each table."""

    history: sa.Table
    batch: sa.Table
    stage_history: sa.Table
    sequence: sa.Table
    file: sa.Table
    preference: sa.Table
    saved_view: sa.Table
    own_report: sa.Table
    own_dashboard: sa.Table
    report_mail: sa.Table
    report_timer: sa.Table
    report_snapshot: sa.Table
    report_run: sa.Table
    report_change: sa.Table
    follow: sa.Table
    recent: sa.Table
    comment: sa.Table
    session: sa.Table
    token: sa.Table
    merge: sa.Table
    merged: sa.Table
    merge_move: sa.Table
    not_duplicate: sa.Table
    api_key: sa.Table
    idempotency: sa.Table
    rate: sa.Table
    run: sa.Table
    run_step: sa.Table
    run_watch: sa.Table
    workflow_state: sa.Table
    timer: sa.Table
    notice: sa.Table
    approval: sa.Table
    turn: sa.Table
    service: sa.Table
    reminder: sa.Table
    pool_clock: sa.Table
    pool_move: sa.Table
    score: sa.Table
    event: sa.Table
    webhook: sa.Table
    webhook_message: sa.Table
    webhook_attempt: sa.Table
    share: sa.Table
    sign_in: sa.Table
    attempt: sa.Table
    factor: sa.Table
    recovery_code: sa.Table
    identity: sa.Table
    mail: sa.Table
    mail_in: sa.Table
    mail_received: sa.Table
    mail_trace: sa.Table
    mail_seen: sa.Table
    suppressed: sa.Table
    form_entry: sa.Table
    audit: sa.Table
    audit_seal: sa.Table
    access: sa.Table
    privacy: sa.Table
    draft: sa.Table

    def __iter__(self) -> Iterator[sa.Table]:
        return (getattr(self, f.name) for f in fields(self))


def platform_tables(metadata: sa.MetaData) -> PlatformTables:
    """Add the platform's tables to the metadata."""
    return PlatformTables(
        history=_history(metadata),
        batch=_batch(metadata),
        stage_history=_stage_history(metadata),
        sequence=_sequence(metadata),
        file=_file(metadata),
        preference=_preference(metadata),
        saved_view=_saved_view(metadata),
        own_report=own_report_table(metadata),
        own_dashboard=own_dashboard_table(metadata),
        report_mail=report_mail_table(metadata),
        report_timer=report_timer_table(metadata),
        report_snapshot=report_snapshot_table(metadata),
        report_run=report_run_table(metadata),
        report_change=report_change_table(metadata),
        follow=_follow(metadata),
        recent=_recent(metadata),
        comment=_comment(metadata),
        session=_session(metadata),
        token=_token(metadata),
        merge=merge_table(metadata),
        merged=merged_table(metadata),
        merge_move=merge_move_table(metadata),
        not_duplicate=not_duplicate_table(metadata),
        api_key=_api_key(metadata),
        idempotency=_idempotency(metadata),
        rate=rate_table(metadata),
        run=run_table(metadata),
        run_step=run_step_table(metadata),
        run_watch=run_watch_table(metadata),
        workflow_state=workflow_state_table(metadata),
        timer=timer_table(metadata),
        notice=notice_table(metadata),
        approval=approval_table(metadata),
        turn=turn_table(metadata),
        service=service_table(metadata),
        reminder=reminder_table(metadata),
        pool_clock=pool_clock_table(metadata),
        pool_move=pool_move_table(metadata),
        score=score_table(metadata),
        event=event_table(metadata),
        webhook=webhook_table(metadata),
        webhook_message=webhook_message_table(metadata),
        webhook_attempt=webhook_attempt_table(metadata),
        share=share_table(metadata),
        sign_in=sign_in_table(metadata),
        attempt=attempt_table(metadata),
        factor=factor_table(metadata),
        recovery_code=recovery_code_table(metadata),
        identity=identity_table(metadata),
        mail=mail_table(metadata),
        mail_in=mail_in_table(metadata),
        mail_received=mail_received_table(metadata),
        mail_trace=mail_trace_table(metadata),
        mail_seen=mail_seen_table(metadata),
        suppressed=suppressed_table(metadata),
        form_entry=form_entry_table(metadata),
        audit=audit_table(metadata),
        audit_seal=audit_seal_table(metadata),
        access=access_table(metadata),
        privacy=privacy_table(metadata),
        draft=draft_table(metadata),
    )


def _moment(name: str, *, default: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not default, server_default=NOW if default else None)


def _record() -> tuple[sa.Column[object], sa.Column[object]]:
    """The record that a row is about."""
    return sa.Column("entity", sa.Text, nullable=False), sa.Column("record", sa.Uuid, nullable=False)


def _history(metadata: sa.MetaData) -> sa.Table:
    """Every change of every record: who, when, from, to, by what means."""
    return sa.Table(
        quoted("_history"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        _moment("at"),
        *_record(),
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


def _batch(metadata: sa.MetaData) -> sa.Table:
    """Many changes that somebody made at once, and may undo at once: imports, bulk edits and deletes, conversions."""
    return sa.Table(
        quoted("_batch"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),  # import, edit, delete, restore, convert, undo, …
        sa.Column("entity", sa.Text, nullable=False),
        _moment("at"),
        sa.Column("by", sa.Uuid),
        sa.Column("by_name", sa.Text),
        sa.Column("undoes", sa.Uuid),
        sa.Column("undone_by", sa.Uuid),  # the batch that undid it
        sa.Column("data", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),  # what no history tells
        sa.Index("_batch_at", "at"),
        sa.Index("_batch_by", "by", "at"),
    )


def _stage_history(metadata: sa.MetaData) -> sa.Table:
    """When a record entered and left each stage: funnel, velocity and time in stage come from here."""
    return sa.Table(
        quoted("_stage_history"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        *_record(),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("pipeline", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("stage_type", sa.Text, nullable=False),
        sa.Column("previous", sa.Text),
        sa.Column("probability", sa.Numeric),  # as it was taken at entry: one that differs was set by hand
        _moment("entered_at"),
        _moment("left_at", default=False),
        sa.Column("by", sa.Uuid),
        sa.Index("_stage_history_record", "entity", "record", "field", "entered_at"),
        sa.Index("_stage_history_stage", "entity", "field", "stage", "entered_at"),
    )


def _sequence(metadata: sa.MetaData) -> sa.Table:
    """The last number given by each `sequence` field; `scope` is the year, the parent, or empty."""
    return sa.Table(
        quoted("_sequence"),
        metadata,
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True, server_default=""),
        sa.Column("value", sa.BigInteger, nullable=False),
    )


def _file(metadata: sa.MetaData) -> sa.Table:
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
        _moment("created_at"),
        sa.Column("created_by", sa.Uuid),
        _moment("deleted_at", default=False),
        sa.Index("_file_hash", "hash"),
        sa.Index("_file_record", "entity", "record"),
    )


def _preference(metadata: sa.MetaData) -> sa.Table:
    """What a person has chosen: theme, column widths, the view last used, …"""
    return sa.Table(
        quoted("_preference"),
        metadata,
        sa.Column("user", sa.Uuid, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", JSONB, nullable=False),
        _moment("updated_at"),
    )


def _saved_view(metadata: sa.MetaData) -> sa.Table:
    """A list view that a person has saved, for themselves or for everybody."""
    return sa.Table(
        quoted("_saved_view"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("owner", sa.Uuid),
        sa.Column("shared", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("position", sa.Integer, nullable=False, server_default="0"),
        sa.Column("definition", JSONB, nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.Index("_saved_view_entity", "entity", "owner"),
    )


def _follow(metadata: sa.MetaData) -> sa.Table:
    """Who follows which record."""
    entity, record = _record()
    return sa.Table(
        quoted("_follow"),
        metadata,
        sa.Column("user", sa.Uuid, nullable=False),
        entity,
        record,
        _moment("at"),
        sa.PrimaryKeyConstraint("user", "entity", "record"),
        sa.Index("_follow_record", "entity", "record"),
    )


def _recent(metadata: sa.MetaData) -> sa.Table:
    """The records that a person has looked at lately."""
    entity, record = _record()
    return sa.Table(
        quoted("_recent"),
        metadata,
        sa.Column("user", sa.Uuid, nullable=False),
        entity,
        record,
        _moment("at"),
        sa.PrimaryKeyConstraint("user", "entity", "record"),
        sa.Index("_recent_at", "user", "at"),
    )


def _comment(metadata: sa.MetaData) -> sa.Table:
    """What people have written on a record's timeline."""
    return sa.Table(
        quoted("_comment"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        *_record(),
        sa.Column("body", sa.Text, nullable=False),
        _moment("created_at"),
        sa.Column("created_by", sa.Uuid),
        _moment("updated_at", default=False),
        _moment("deleted_at", default=False),
        sa.Index("_comment_record", "entity", "record", "created_at"),
    )


def _session(metadata: sa.MetaData) -> sa.Table:
    """A signed-in browser; `id` is a digest of the secret in its cookie."""
    return sa.Table(
        quoted("_session"),
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user", sa.Uuid),
        sa.Column("data", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
        _moment("created_at"),
        _moment("seen_at"),
        _moment("expires_at", default=False),
        sa.Column("address", sa.Text),
        sa.Column("agent", sa.Text),
        sa.Index("_session_user", "user"),
        sa.Index("_session_expires", "expires_at"),
    )


def _token(metadata: sa.MetaData) -> sa.Table:
    """A right that is good once and for a while (password reset, invitation); `id` is a digest of the secret."""
    return sa.Table(
        quoted("_token"),
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("user", sa.Uuid),
        sa.Column("data", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("used_at", default=False),
        sa.Index("_token_user", "user"),
    )


def _api_key(metadata: sa.MetaData) -> sa.Table:
    """A program's key; `digest` is of its secret. It acts as `user`, within its roles and scopes."""
    return sa.Table(
        quoted("_api_key"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("hint", sa.Text, nullable=False),  # the secret's first letters, to tell keys apart
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("user", sa.Uuid, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text)),  # null: whatever the roles allow
        sa.Column("roles", ARRAY(sa.Text)),  # null: all that the person has
        sa.Column("addresses", ARRAY(sa.Text)),  # null: from anywhere
        _moment("created_at"),
        sa.Column("created_by", sa.Uuid),
        _moment("expires_at", default=False),
        _moment("used_at", default=False),
        _moment("revoked_at", default=False),
        sa.Index("_api_key_user", "user"),
    )


def _idempotency(metadata: sa.MetaData) -> sa.Table:
    """The answer to a request that may be sent again: by who sent it and the key it carried."""
    return sa.Table(
        quoted("_idempotency"),
        metadata,
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),  # of the request: another one with the key is a mistake
        sa.Column("status", sa.Integer),
        sa.Column("headers", JSONB),
        sa.Column("body", sa.LargeBinary),
        _moment("created_at"),
        sa.Index("_idempotency_created", "created_at"),
    )
