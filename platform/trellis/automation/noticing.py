"""Notices by mail: one at once, or all of a day in one letter at the hour that the reader has chosen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from trellis.automation import clocks
from trellis.automation.channels import Recipient, recipients
from trellis.automation.clock import now
from trellis.automation.jobs import Work, kind
from trellis.automation.mail.account import is_set_up
from trellis.automation.mail.letter import Letter, in_look
from trellis.automation.mail.outbox import post
from trellis.automation.mail.places import address_of
from trellis.automation.mail.words import Say, words

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

DIGEST = "notices.digest"
MOST = 50  # in one letter
OLDEST = timedelta(hours=25)  # what waits longer goes out at once: its hour was missed
Notice = Mapping[str, Any]


def send(connection: sa.Connection, tenant: Tenant, person: Recipient, notice: Notice, link: str | None = None) -> None:
    """Write a letter of one notice, in the reader's language; it goes out when the transaction is committed."""
    if not person.email or not is_set_up(tenant):
        return
    _ = words(person.language)
    text = str(notice["text"])
    site = address_of(tenant)
    place = link or (f"{site}/notices/{notice['id']}" if site else None)
    letter = Letter(
        subject=text.splitlines()[0][:150] if text.strip() else tenant.profile.label,
        heading="",
        paragraphs=tuple(text.split("\n\n")),
        button=(_button(_, str(notice["kind"])), place) if place else None,
        small=(_("You choose what you get by mail in your profile, under Notices."),),
        language=person.language,
        **in_look(tenant.profile),
    )
    post(connection, tenant, person.email, letter, f"notice:{notice['kind']}")


def _button(_: Say, kind: str) -> str:
    return _("Decide") if kind == "approval" else _("Open")


@clocks.clock(DIGEST, cron="3 * * * *")
def hourly(strike: clocks.Strike) -> None:
    """Every hour, for every tenant: somewhere it is the hour that somebody has chosen."""
    strike.defer_for_each_tenant(DIGEST)


@kind(DIGEST)
def digest(work: Work) -> None:
    """Write the day's letters of those whose hour it is; what is in one is not in the next."""
    with work.finishing() as connection:
        send_digests(connection, work.tenant, now())


def send_digests(connection: sa.Connection, tenant: Tenant, moment: datetime) -> int:
    """The day's letters that are due; how many."""
    table = tenant.tables.platform.notice
    waiting = sa.select(table).where(table.c.digest).order_by(table.c.id).with_for_update(skip_locked=True)
    by_person: dict[UUID, list[Any]] = defaultdict(list)
    for row in connection.execute(waiting).mappings():
        by_person[row["user"]].append(row)
    count = 0
    for person in recipients(connection, tenant, list(by_person)):
        notices = by_person[person.id]
        if _hour(person, moment) != person.hour and moment - notices[0]["at"] < OLDEST:
            continue
        _send_digest(connection, tenant, person, notices)
        done = sa.update(table).where(table.c.id.in_([n["id"] for n in notices])).values(digest=False)
        connection.execute(done)
        count += 1
    return count


def _hour(person: Recipient, moment: datetime) -> int:
    try:
        return moment.astimezone(ZoneInfo(person.time_zone)).hour
    except (ZoneInfoNotFoundError, ValueError):
        return moment.hour


def _send_digest(connection: sa.Connection, tenant: Tenant, person: Recipient, notices: Sequence[Notice]) -> None:
    if not person.email or not is_set_up(tenant):
        return
    _ = words(person.language)
    site = address_of(tenant)
    shown = notices[:MOST]
    more = len(notices) - len(shown)
    letter = Letter(
        subject=_("Your day at %(company)s: %(count)s notices", company=tenant.profile.label, count=len(notices)),
        heading=_("What you were told today"),
        paragraphs=(
            *(f"· {notice['text']}" for notice in shown),
            *((_("and %(count)s more", count=more),) if more else ()),
        ),
        button=(_("Open"), f"{site}/notices") if site else None,
        small=(_("You choose what you get by mail in your profile, under Notices."),),
        language=person.language,
        **in_look(tenant.profile),
    )
    post(connection, tenant, person.email, letter, "notice:digest")
