"""Links that reach people by mail, or by an administrator's hand where there is no mail server.

`invite` is what everybody calls who gives somebody a way in: the page of people, the command line, the portal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from trellis.automation import jobs
from trellis.automation.mail.account import is_set_up
from trellis.automation.mail.letter import Letter
from trellis.automation.mail.outbox import post
from trellis.identity import letters
from trellis.identity.accounts import (
    INVITATION,
    LINK_LASTS,
    SET_PASSWORD,
    Account,
    ask_for_link,
    find_account,
    make_link,
    read_account,
)
from trellis.identity.person import PERSON
from trellis.identity.sign_in_log import Place, note

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

INVITATION_LASTS = timedelta(days=7)
RESET_LASTS = timedelta(hours=2)  # of a link that somebody asked for who is not signed in
LinkOf = Callable[[str], str]  # the address of a link, by its secret


@dataclass(frozen=True)
class Sent:
    """A link that was made: mailed to the person, or to be handed over."""

    account: Account
    link: str
    mailed: bool


def invite(
    tenant: Tenant,
    person: UUID,
    link_of: LinkOf,
    *,
    by: UUID | None = None,
    place: Place | None = None,
    mail: bool = True,
) -> Sent | None:
    """Invite somebody who is a person already: a single-use link, good for seven days, by which they set name and
    password. It goes by mail; where no mail server is set up (or `mail` is False) the link is to be handed over.
    None: there is no such person, or they have no address.
    """
    account = read_account(tenant, person)
    if account is None or not account.email:
        return None
    link = link_of(make_link(tenant, account, purpose=INVITATION, lasts=INVITATION_LASTS))
    mailed = mail and is_set_up(tenant)
    with tenant.begin() as connection:
        note(tenant, "invited", person, "mail" if mailed else "admin", place or Place(), by=by, connection=connection)
        if mailed:
            inviter = read_account(tenant, by) if by is not None else None
            name = inviter.name if inviter is not None else ""
            letter = letters.invitation(tenant.profile, account, language_of(tenant, person), link, name)
            post(connection, tenant, account.email, letter, "invitation")
    return Sent(account, link, mailed)


def give_password_link(
    tenant: Tenant,
    person: UUID,
    link_of: LinkOf,
    *,
    by: UUID | None = None,
    place: Place | None = None,
    mail: bool = False,
) -> Sent | None:
    """A link that sets a new password, from an administrator: by mail, or to be handed over."""
    account = read_account(tenant, person)
    if account is None:
        return None
    link = link_of(make_link(tenant, account, purpose=SET_PASSWORD, lasts=LINK_LASTS))
    mailed = mail and bool(account.email) and is_set_up(tenant)
    with tenant.begin() as connection:
        note(tenant, "link", person, "mail" if mailed else "admin", place or Place(), by=by, connection=connection)
        if mailed:
            language = language_of(tenant, person)
            letter = letters.new_password(tenant.profile, account, language, link, by_admin=True)
            post(connection, tenant, account.email, letter, "password")
    return Sent(account, link, mailed)


def forgot(tenant: Tenant, email: str, base: str | None, place: Place) -> None:
    """Somebody asks for a new password. Whether there is such a person shows neither in the answer nor in its time:
    a job looks it up. `base`: the address that links begin with; None when none is known that can be trusted.
    """
    payload = {"email": email.strip()[:320], "base": base, "address": place.address, "agent": place.agent[:300]}
    with tenant.begin() as connection:
        jobs.defer(connection, look_up, payload)


@jobs.kind("identity.forgot", retry=jobs.Backoff(tries=3))
def look_up(work: jobs.Work) -> None:
    """Write to whoever asked for a new password, or tell the administrators that they did."""
    tenant, payload = work.tenant, work.payload
    account = find_account(tenant, payload["email"])
    if account is None:
        return
    if payload["base"] and is_set_up(tenant):
        secret = make_link(tenant, account, purpose=SET_PASSWORD, lasts=RESET_LASTS)
        link = f"{payload['base']}/reset/{secret}"
        letter = letters.new_password(tenant.profile, account, language_of(tenant, account.id), link, by_admin=False)
        with work.finishing() as connection:
            note(
                tenant,
                "link",
                account.id,
                "mail",
                Place(payload["address"], payload["agent"]),
                connection=connection,
            )
            post(connection, tenant, account.email, letter, "password")
    else:
        ask_for_link(tenant, account.email)


def tell(connection: sa.Connection, tenant: Tenant, account: Account, letter: Letter, kind: str) -> None:
    """Write to somebody about their account, if mail can go out at all."""
    if account.email and is_set_up(tenant):
        post(connection, tenant, account.email, letter, kind)


def language_of(tenant: Tenant, person: UUID) -> str:
    """The language that somebody reads: their own, else the company's."""
    user = tenant.tables.entity[PERSON]
    if "language" not in user.c:
        return tenant.profile.language
    with tenant.begin() as connection:
        own = connection.execute(sa.select(user.c.language).where(user.c.id == person)).scalar()
    return own or tenant.profile.language
