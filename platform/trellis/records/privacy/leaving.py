"""What has gone out about a person or waits to: notices, mails, approvals, runs of workflows, messages of webhooks.
And how they signed in themselves, where they were let into a portal."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.formula.types import Ref
from trellis.records.privacy.emptying import empty, goes, pseudonym_of
from trellis.records.privacy.finding import Person
from trellis.records.privacy.forgetting import as_owner, eraser

if TYPE_CHECKING:
    from trellis.records.session import Session

ENDED = ("done", "stopped", "failed", "cancelled")  # states of a run that goes on no more
ACTED = ("history", "batch", "merge", "access", "event", "run")  # tables with `by` and `by_name`


def _touched(person: Person) -> list[Ref]:
    return [*person.own, *person.parts, *person.activities]


def _about(table: sa.Table, person: Person) -> sa.ColumnElement[bool]:
    """Rows about a record of the person or an activity about them."""
    by_entity: dict[str, list[Any]] = {}
    for ref in _touched(person):
        by_entity.setdefault(ref.entity, []).append(ref.id)
    return sa.or_(*(sa.and_(table.c.entity == key, table.c.record.in_(ids)) for key, ids in by_entity.items()))


def _mentions(columns: list[sa.ColumnElement[Any]], person: Person) -> sa.ColumnElement[bool]:
    """Rows whose text holds the id of one of the person's records, or their address."""
    words = sorted({*(str(ref.id) for ref in person.own), *person.values})
    texts = [sa.cast(column, sa.Text) for column in columns]
    return sa.or_(*(text.icontains(word, autoescape=True) for text in texts for word in words))


@eraser("notices")
def _notices(session: Session, person: Person, _names: Mapping[str, str]) -> int:
    table = session.tables.platform.notice
    gone = sa.delete(table).where(sa.or_(_about(table, person), _mentions([table.c.text], person)))
    return session.execute(gone).rowcount


@eraser("mails")
def _mails(session: Session, person: Person, _names: Mapping[str, str]) -> int:
    table = session.tables.platform.mail
    to_them = _mentions([table.c.to, table.c.subject, table.c.body], person)
    trace, seen = session.tables.platform.mail_trace, session.tables.platform.mail_seen
    traced = sa.select(trace.c.token).where(trace.c.mail.in_(sa.select(table.c.id).where(to_them)))
    session.execute(sa.delete(seen).where(seen.c.token.in_(traced)))
    session.execute(sa.delete(trace).where(trace.c.mail.in_(sa.select(table.c.id).where(to_them))))
    gone = sa.delete(table).where(to_them)
    came, sent_in = session.tables.platform.mail_received, session.tables.platform.form_entry
    session.execute(sa.delete(came).where(sa.or_(_about(came, person), _mentions([came.c.sender], person))))
    session.execute(sa.update(sent_in).where(_about(sent_in, person)).values({"source": {}, "values": None}))
    return session.execute(gone).rowcount


@eraser("approvals")
def _approvals(session: Session, person: Person, names: Mapping[str, str]) -> int:
    """Who decided what and when stays."""
    table, done = session.tables.platform.approval, 0
    for ref in _touched(person):
        values = {"title": names.get(str(ref.id), ""), "text": "", "comment": None, "answers": None}
        fitting = {k: v if v is not None or table.c[k].nullable else "" for k, v in values.items()}
        rows = sa.update(table).where(table.c.entity == ref.entity, table.c.record == ref.id)
        done += session.execute(rows.values(fitting)).rowcount
    return done


@eraser("pools")
def _pools(session: Session, person: Person, _names: Mapping[str, str]) -> int:
    """What somebody has written when they put the person's record back into a pool, in its log and in the history."""
    moves, told = session.tables.platform.pool_move, session.tables.platform.history
    written = sa.update(moves).where(_about(moves, person), moves.c.reason.is_not(None))
    done = session.execute(written.values(reason=None)).rowcount
    if done:
        with as_owner(session):
            given = told.c.cause.op("?")("reason")
            session.execute(
                sa.update(told).where(_about(told, person), given).values(cause=told.c.cause.op("-")("reason"))
            )
    return done


@eraser("runs")
def _runs(session: Session, person: Person, _names: Mapping[str, str]) -> int:
    """Runs of workflows lose what they know; one that still goes on about the person ends here."""
    runs, steps = session.tables.platform.run, session.tables.platform.run_step
    knows = sa.or_(_about(runs, person), _mentions([runs.c.event, runs.c.variables, runs.c.error], person))
    found = list(session.execute(sa.select(runs.c.id).where(knows)).scalars())
    if not found:
        return 0
    mine = runs.c.id.in_(found)
    blank: dict[str, Any] = {"variables": {}, "event": None if runs.c.event.nullable else {}, "error": None}
    session.execute(sa.update(runs).where(mine).values(blank))
    session.execute(
        sa.update(runs)
        .where(mine, runs.c.state.not_in(ENDED))
        .values(state="cancelled", ended_at=session.reader.now, wake_at=None)
    )
    session.execute(
        sa.update(steps).where(steps.c.run.in_(found)).values(detail=None if steps.c.detail.nullable else {})
    )
    return len(found)


@eraser("webhooks")
def _webhooks(session: Session, person: Person, _names: Mapping[str, str]) -> int:
    """What was sent, and what is still to be: whoever has received it must erase it for themselves."""
    messages, attempts = session.tables.platform.webhook_message, session.tables.platform.webhook_attempt
    about = sa.select(messages.c.id).where(sa.or_(_about(messages, person), _mentions([messages.c.body], person)))
    found = list(session.execute(about).scalars())
    session.execute(sa.delete(attempts).where(attempts.c.message.in_(found)))
    return session.execute(sa.delete(messages).where(messages.c.id.in_(found))).rowcount


@eraser("logins")
def _logins(session: Session, person: Person, _names: Mapping[str, str]) -> int:
    """Somebody from outside who could sign in: they cannot any more, and what they did has no name."""
    tables = session.tables.platform
    empty(session, person.logins, partial(goes, everything=True))
    for ref in person.logins:
        user = session.table(ref.entity)
        if "active" in user.c:
            session.execute(sa.update(user).where(user.c.id == ref.id).values(active=False))
        for table in (tables.session, tables.token, tables.identity, tables.factor, tables.recovery_code):
            session.execute(sa.delete(table).where(table.c.user == ref.id))
        called = pseudonym_of(ref, session.tenant.profile.language)
        with as_owner(session):
            for name in ACTED:
                table = getattr(tables, name)
                session.execute(sa.update(table).where(table.c.by == ref.id).values(by_name=called))
    return len(person.logins)
