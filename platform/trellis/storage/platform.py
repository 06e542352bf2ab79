"""The tables that every tenant has beside its entities. Their names begin with an underscore."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import sqlalchemy as sa

from trellis.storage.audit.tables import access_table, audit_seal_table, audit_table, privacy_table
from trellis.storage.beside import comment_table, file_table, sequence_table
from trellis.storage.drafts import draft_table, publishing_table
from trellis.storage.duplicates import merge_move_table, merge_table, merged_table, not_duplicate_table
from trellis.storage.forms import form_entry_table
from trellis.storage.history import batch_table, history_table, stage_history_table
from trellis.storage.mail import (
    mail_in_table,
    mail_received_table,
    mail_seen_table,
    mail_table,
    mail_trace_table,
    suppressed_table,
)
from trellis.storage.personal import follow_table, preference_table, recent_table, saved_view_table
from trellis.storage.pools import pool_clock_table, pool_move_table
from trellis.storage.programs import api_key_table, idempotency_table, rate_table
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
from trellis.storage.sign_in import (
    attempt_table,
    factor_table,
    identity_table,
    recovery_code_table,
    session_table,
    sign_in_table,
    token_table,
)
from trellis.storage.webhooks import event_table, webhook_attempt_table, webhook_message_table, webhook_table
from trellis.storage.work import approval_table, notice_table, turn_table


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
    publishing: sa.Table

    def __iter__(self) -> Iterator[sa.Table]:
        return (getattr(self, f.name) for f in fields(self))


def platform_tables(metadata: sa.MetaData) -> PlatformTables:
    """Add the platform's tables to the metadata."""
    return PlatformTables(
        history=history_table(metadata),
        batch=batch_table(metadata),
        stage_history=stage_history_table(metadata),
        sequence=sequence_table(metadata),
        file=file_table(metadata),
        preference=preference_table(metadata),
        saved_view=saved_view_table(metadata),
        own_report=own_report_table(metadata),
        own_dashboard=own_dashboard_table(metadata),
        report_mail=report_mail_table(metadata),
        report_timer=report_timer_table(metadata),
        report_snapshot=report_snapshot_table(metadata),
        report_run=report_run_table(metadata),
        report_change=report_change_table(metadata),
        follow=follow_table(metadata),
        recent=recent_table(metadata),
        comment=comment_table(metadata),
        session=session_table(metadata),
        token=token_table(metadata),
        merge=merge_table(metadata),
        merged=merged_table(metadata),
        merge_move=merge_move_table(metadata),
        not_duplicate=not_duplicate_table(metadata),
        api_key=api_key_table(metadata),
        idempotency=idempotency_table(metadata),
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
        publishing=publishing_table(metadata),
    )
