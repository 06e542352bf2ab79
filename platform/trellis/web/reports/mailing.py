"""A report as a letter to one person: with their rights, in their language, the table in it and a workbook beside."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
import sqlalchemy as sa
from flask import Flask
from flask_babel import Babel, force_locale
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from trellis.automation.clock import now
from trellis.automation.jobs import Work, kind
from trellis.automation.mail.letter import Letter, in_look
from trellis.automation.mail.outbox import post
from trellis.automation.mail.places import address_of
from trellis.identity.person import Person, principal_for, read_person_by_id
from trellis.model.sealing import seal, unseal
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.store import Store
from trellis.reports.asking import Wishes
from trellis.reports.places import EXPORT
from trellis.reports.result import Answer
from trellis.reports.run import report_of, run
from trellis.reports.schedule.timers import DASHBOARD, MAIL
from trellis.web.dashboards.mailing import dashboard_letter
from trellis.web.i18n import CATALOGUE, best_language, say
from trellis.web.reports.asked import read_asked
from trellis.web.reports.export import csv_of, file_name, xlsx_of
from trellis.web.reports.grid import grid_of
from trellis.web.reports.links import Drill
from trellis.web.reports.table import table_of
from trellis.web.reports.words import Words

if TYPE_CHECKING:
    from trellis.model.reports.report import Report
    from trellis.storage.tenant import Tenant

SHOWN = 60  # lines in the letter; the workbook has all
MOST = 10_000  # records in the workbook
LARGEST = 8_000_000  # bytes of a file that goes along
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Files = tuple[tuple[str, str, str], ...]


@cache
def _app() -> Flask:
    """What the texts of pages need around them: nothing but our catalogues."""
    app = Flask("trellis.mail")
    Babel(app)
    app.extensions["babel"].instance.domain_instance = CATALOGUE
    return app


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Texts in somebody's language, without a request around them."""
    tag = best_language(language) or "en"
    with _app().app_context(), force_locale(tag.replace("-", "_")):
        yield


@kind(MAIL)
def mail(work: Work) -> None:
    """Post a report to one person; nothing to somebody who may not read it, or may not sign in any more."""
    tenant, payload = work.tenant, work.payload
    with work.finishing() as connection:
        key, user, parts = _whom(connection, tenant, payload)
        person = read_person_by_id(connection, tenant, user) if user is not None else None
        if person is None or not person.email or key is None:
            return
        letter = letter_for(tenant, person, key, parts, asked_for="subscription" in payload)
        if letter is not None:
            once = f"report:{key}:{user}:{payload['at']}"
            post(connection, tenant, person.email, letter, "report", once=once)


def _whom(
    connection: sa.Connection, tenant: Tenant, payload: Any
) -> tuple[str | None, UUID | None, Sequence[tuple[str, str]]]:
    if "subscription" not in payload:
        return payload["report"], UUID(payload["user"]), ()
    table = tenant.tables.platform.report_mail
    row = connection.execute(sa.select(table).where(table.c.id == UUID(payload["subscription"]))).one_or_none()
    if row is None or row.cron is None:
        return None, None, ()
    return row.report, row.user, [(str(name), str(value)) for name, value in row.parts]


def letter_for(
    tenant: Tenant, person: Person, key: str, parts: Sequence[tuple[str, str]], *, asked_for: bool = False
) -> Letter | None:
    """The letter; None for somebody who may not read the report."""
    language = best_language(person.language or tenant.profile.language) or "en"
    if key.startswith(DASHBOARD):
        with in_language(language):
            made = dashboard_letter(tenant, person, key.removeprefix(DASHBOARD), parts, language)
            return made if made is None else _leaving(tenant, person, key, made, asked_for)
    store = Store(tenant, principal_for(tenant, person, language))
    with in_language(language):
        try:
            report = report_of(store, key, EXPORT)
        except (Missing, Forbidden):
            return None
        label = say(report.label)
        subject = say(report.mail.subject) if report.mail is not None else ""
        site = address_of(tenant)
        paragraphs, grid, files = _content(store, report, parts)
        made = Letter(
            subject=f"{subject or label} · {tenant.profile.label}",
            heading=label,
            paragraphs=paragraphs,
            grid=grid,
            files=files,
            button=(_("Open the report"), f"{site}/reports/{key}" + (f"?{urlencode(parts)}" if parts else ""))
            if site
            else None,
            language=language,
            **in_look(tenant.profile),
        )
        return _leaving(tenant, person, key, made, asked_for)


def _leaving(tenant: Tenant, person: Person, key: str, letter: Letter, asked_for: bool) -> Letter:
    """The letter with why it comes, and the link that ends its mailing."""
    site, is_board = address_of(tenant), key.startswith(DASHBOARD)
    why = _("You get this report because the configuration sends it to you.")
    if asked_for:
        why = _("You get this report because you asked for it.")
    if is_board:
        why = _("You get this dashboard because the configuration sends it to you.")
        if asked_for:
            why = _("You get this dashboard because you asked for it.")
    return replace(
        letter,
        small=(why,),
        unsubscribe=f"{site}/reports/stop/{stop_token(tenant, key, person.id)}" if site else "",
        unsubscribe_words=_("Send me this dashboard no more") if is_board else _("Send me this report no more"),
    )


def _content(
    store: Store, report: Report, parts: Sequence[tuple[str, str]]
) -> tuple[tuple[str, ...], dict[str, Any] | None, Files]:
    """What stands above the table, the table, the file."""
    words = Words(store.principal.reader)
    asked = read_asked(report, MultiDict(parts))
    wishes = Wishes(asked.sort, asked.columns, None, asked.filters, MOST, EXPORT)
    about = (say(report.description),) if report.description else ()
    moment = words.value(now())
    about = (*about, _("As it stood on %(moment)s, with what you may see.", moment=moment))
    try:
        answer = run(store, report, asked.given, wishes)
    except Refused:
        return (*about, _("The report could not be computed. Open it to see why.")), None, ()
    if answer.is_empty:
        return (*about, _("No records fit this report as it is set now.")), None, ()
    table = table_of(answer, words, Drill(replace(answer, can_drill=False), ""))
    more = len(table.rows) - SHOWN
    if more > 0:
        about = (*about, _("The first %(count)s lines; the file has all of them.", count=SHOWN))
    return about, grid_of(table, SHOWN), _file(answer, words, report)


def _file(answer: Answer, words: Words, report: Report) -> Files:
    wanted = report.mail.format if report.mail is not None else "xlsx"
    if wanted == "html":
        return ()
    made = csv_of(answer, words) if wanted == "csv" else xlsx_of(answer, words)
    if len(made) > LARGEST:
        return ()
    name = file_name(answer, words, wanted)
    return ((name, "text/csv" if wanted == "csv" else XLSX, b64encode(made).decode()),)


def stop_token(tenant: Tenant, key: str, user: UUID) -> str:
    """What stands in the link that ends a mailing: whose it is can only be read here."""
    return seal(orjson.dumps([tenant.slug, key, str(user)]).decode()).removeprefix("sealed:")


def read_stop_token(tenant: Tenant, token: str) -> tuple[str, UUID] | None:
    """The report and the person of a link; None for one that is not ours."""
    try:
        slug, key, user = orjson.loads(unseal(f"sealed:{token}"))
    except ValueError:
        return None
    return (str(key), UUID(user)) if slug == tenant.slug else None
