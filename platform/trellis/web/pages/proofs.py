"""What somebody who is known already shows once more: the password, a code. Attempts are counted: nobody guesses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flask import request
from flask_babel import gettext as _

from trellis.identity import second_factor
from trellis.identity.accounts import Account, is_password, read_account
from trellis.identity.throttle import begin_attempt, forgive, person_key
from trellis.web.context import current_person, current_tenant
from trellis.web.pages.account import too_many

if TYPE_CHECKING:
    from uuid import UUID


@dataclass(frozen=True)
class Shown:
    """What has come of showing a code: what is wrong with it, and what the log of sign-ins says."""

    error: str = ""
    event: Literal["locked", "code-refused", "code-used"] | None = None
    status: int = 200


def own_account() -> Account:
    """The account of the person who is signed in."""
    person = current_person()
    account = read_account(current_tenant(), person.id) if person is not None else None
    assert account is not None
    return account


def password_fault(account: Account) -> str:
    """What is wrong with the present password that the form shows."""
    tenant = current_tenant()
    key = person_key(tenant, account.id, "password")
    if wait := begin_attempt(tenant, key):
        return too_many(wait)
    with tenant.begin() as connection:
        if not is_password(connection, tenant, account, request.form.get("current", "")):
            return str(_("That is not your password."))
    forgive(tenant, key)
    return ""


def shown_code(person: UUID) -> Shown:
    """What has come of the form's code, of the app or for recovery (which is used by that)."""
    tenant, given = current_tenant(), request.form.get("code", "").strip()
    key = person_key(tenant, person, "code")
    if wait := begin_attempt(tenant, key):
        return Shown(too_many(wait), "locked", 429)
    by_recovery = second_factor.looks_like_recovery_code(given)
    check = second_factor.use_recovery_code if by_recovery else second_factor.is_code
    if not check(tenant, person, given):
        return Shown(str(_("That is not the current code.")), "code-refused", 422)
    forgive(tenant, key)
    return Shown(event="code-used" if by_recovery else None)
