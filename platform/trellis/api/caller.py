"""Who calls: a program with a key, or the person of a browser's session."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import g, request
from flask_babel import gettext as _

from trellis.api.problems import Problem
from trellis.identity.api_keys import ApiKey, find_key
from trellis.identity.person import Person, has_right, principal_for
from trellis.records.store import Store
from trellis.web.context import current_person, current_tenant
from trellis.web.security import csrf

NEUTRAL = "en"  # numbers and dates in texts are read as programs write them, whatever the person's language
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Caller:
    """Whose rights a request has; `key` is None for a browser."""

    person: Person
    key: ApiKey | None = None

    @property
    def id(self) -> UUID:
        """What requests are counted by."""
        return self.key.id if self.key is not None else self.person.id


def identify() -> Caller:
    """The caller of this request. Raises Problem."""
    given = request.headers.get("Authorization")
    if given is not None:
        return _by_key(given)
    person = current_person()
    if person is None:
        raise _nobody(_("Send an API key: “Authorization: Bearer …”."))
    if request.method not in SAFE:
        csrf.protect()  # a browser's session is worth nothing to another site
    return Caller(person)


def _by_key(given: str) -> Caller:
    scheme, _blank, secret = given.partition(" ")
    found = find_key(current_tenant(), secret.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise _nobody(_("The API key is wrong, expired or revoked."), error="invalid_token")
    key, person = found
    if not key.takes(request.remote_addr):
        raise Problem(403, "address", _("The API key may not be used from this address."))
    return Caller(person, key)


def admit(caller: Caller) -> None:
    """Open the door for the caller. Raises Problem when the person may not use the API at all."""
    tenant = current_tenant()
    if not has_right(tenant, caller.person, "api"):
        raise Problem(403, "forbidden", _("Your role does not allow the use of the API."))
    if caller.key is not None:
        principal, cause = caller.key.principal(tenant, caller.person, NEUTRAL), {"api_key": str(caller.key.id)}
    else:
        principal, cause = principal_for(tenant, caller.person, NEUTRAL), None
    g.caller = caller
    g.principal = principal
    g.store = Store(tenant, principal, cause=cause)


def current_caller() -> Caller:
    """Whose request this is."""
    caller: Caller = g.caller
    return caller


def _nobody(detail: str, error: str = "") -> Problem:
    challenge = 'Bearer realm="trellis"' + (f', error="{error}"' if error else "")
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})
