"""Which passwords are taken: long enough, not among those that are known to everybody, not easy to guess.

Length and guessing are what counts (NIST SP 800-63B): there are no rules about kinds of characters. The list of
passwords from breaches and the estimate of guesses come with zxcvbn.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from trellis.model.sign_in import SignIn
from trellis.records.refusal import Fault, Refused

if TYPE_CHECKING:
    from trellis.identity.accounts import Account
    from trellis.storage.tenant import Tenant

LONGEST = 256
LOOKED_AT = 72  # what zxcvbn is given: the time it takes grows with the square
LEAST_SCORE = 2  # of 4: a hundred million guesses would not be enough
PRODUCT = ("trellis",)
_estimating = threading.Lock()  # zxcvbn keeps the words of one call in a place that all calls share


@cache
def breached() -> frozenset[str]:
    """Passwords that are in every attacker's list."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # 1.5 MB: only where a password is set

    return frozenset(FREQUENCY_LISTS["passwords"])


def check_password(password: str, account: Account | None = None, tenant: Tenant | None = None) -> None:
    """Refuse a password that is too short, well known, or easy to guess for who knows the person. Raises Refused."""
    least = (tenant.profile.sign_in if tenant is not None else SignIn()).min_length
    if len(password) < least:
        raise Refused([Fault("range", "Use at least {min} characters.", "password", {"min": least})])
    if len(password) > LONGEST:
        raise Refused([Fault("range", "Use at most {max} characters.", "password", {"max": LONGEST})])
    if is_breached(password):
        message = "Attackers try this password first: it is in their lists. A few words in a row are better."
        raise Refused([Fault("pattern", message, "password")])
    if "\0" in password or is_guessable(password, _words(account, tenant)):
        message = "This password is too easy to guess. Add another word that has nothing to do with you."
        raise Refused([Fault("pattern", message, "password")])


def is_breached(password: str) -> bool:
    """Whether a password, or what is left without a year or a sign at its end, is in the list."""
    folded = password.strip().lower()
    core = folded.rstrip("0123456789!?.,;:-_*#$%&@+= ")
    return folded in breached() or (core in breached() and len(folded) - len(core) <= 6)


def is_guessable(password: str, words: Iterable[str] = ()) -> bool:
    """Whether guessing would be quick for who knows `words`."""
    from zxcvbn import zxcvbn

    folded = password.strip().lower()
    known = [word.lower() for word in words if len(word) > 2]
    if folded in known or folded[: len(folded) // 2] * 2 in [word * 2 for word in known]:
        return True
    with _estimating:
        return bool(zxcvbn(password[:LOOKED_AT], user_inputs=known)["score"] < LEAST_SCORE)


def _words(account: Account | None, tenant: Tenant | None) -> Iterable[str]:
    """What is about the person, or the company, and no secret."""
    yield from PRODUCT
    if account is not None:
        email = account.email or ""
        name, _, domain = email.partition("@")
        yield from (email, name, domain, domain.partition(".")[0], account.name or "", *(account.name or "").split())
    if tenant is not None:
        yield from (tenant.slug, tenant.profile.label, *tenant.profile.label.split())
