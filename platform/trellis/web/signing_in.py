"""From a person who is known to a session: the second factor in between, and what a browser is given."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import structlog
from flask import redirect, request, session, url_for
from flask_login import login_user
from itsdangerous import BadSignature, URLSafeSerializer

from trellis.identity import pending, second_factor
from trellis.identity.accounts import mark_signed_in
from trellis.identity.manager import SESSION_KEY
from trellis.identity.person import Person, read_person, read_person_by_id
from trellis.identity.preferences import read_preference
from trellis.identity.sessions import close_session, digest, open_session, rotate_session
from trellis.identity.sign_in_log import Place, note
from trellis.web.context import current_person, current_tenant, serving
from trellis.web.metrics import SIGN_INS

if TYPE_CHECKING:
    from uuid import UUID

log = structlog.get_logger()
YEAR = 365 * 24 * 3600
PENDING = "_pending"  # in the cookie: the secret of a sign-in that waits for a code
DEVICE = "t-device"  # a browser in which somebody has signed in before


def here() -> Place:
    """Where the request comes from."""
    return Place(request.remote_addr, request.user_agent.string)


def proceed(person: UUID, means: str, *, remember: bool, target: str | None, factor_done: bool = False) -> Any | None:
    """Go on with somebody who has shown who they are; None for somebody who may not come in.

    The answer sends the browser on: to the code, to setting up a second factor, or, signed in, to where it wanted.
    """
    tenant = current_tenant()
    with tenant.begin() as connection:
        found = read_person_by_id(connection, tenant, person)
    if found is None:
        return None
    source = tenant.profile.sign_in.source(means)
    if not factor_done and not (source is not None and source.second_factor):
        step = _next_step(found)
        if step is not None:
            session.clear()
            session[PENDING] = pending.begin(
                tenant, pending.SIGN_IN, person, means=means, remember=remember, target=target
            )
            return redirect(url_for(step))
    return finish(person, means, remember=remember, target=target)


def _next_step(person: Person) -> str | None:
    tenant = current_tenant()
    if second_factor.has_factor(tenant, person.id):
        return "FactorView.code"
    return "FactorView.set_up" if second_factor.is_required(tenant, person.roles) else None


def finish(person: UUID, means: str, *, remember: bool, target: str | None) -> Any | None:
    """Sign in, and go where the browser wanted; None for somebody who may not come in."""
    if not begin(person, means, remember=remember):
        return None
    return welcome(redirect(target or url_for("HomeView.index")))


def begin(person: UUID, means: str, *, remember: bool) -> bool:
    """A new session, of which nothing is left of the one before (session fixation)."""
    tenant, place = current_tenant(), here()
    if before := session.get(SESSION_KEY):
        close_session(tenant, before)
    with tenant.begin() as connection:
        known = read_person_by_id(connection, tenant, person)
    if known is None:
        return False
    secret = open_session(
        tenant,
        person,
        remember=remember,
        address=place.address,
        agent=place.agent,
        means=means,
        roles=known.roles,
    )
    found = read_person(tenant, digest(secret))
    if found is None:
        close_session(tenant, secret)
        return False
    session.clear()
    session[SESSION_KEY] = secret
    session.permanent = remember
    login_user(found)
    mark_signed_in(tenant, found.login)
    note(tenant, "in", person, means, place)
    SIGN_INS.labels(tenant.slug, "done").inc()
    log.info("signed in", person=str(person), means=means)
    return True


def welcome(response: Any) -> Any:
    """The answer to a sign-in, with what the browser keeps of it."""
    person = current_person()
    if person is not None:
        theme = read_preference(current_tenant(), person.id, "theme")
        if isinstance(theme, str):
            keep_cookie(response, "t-theme", theme)
        keep_cookie(response, DEVICE, str(_devices().dumps(_mark(person.email))), http_only=True)
    return response


def rotate(person: Person) -> None:
    """Another secret for the session at hand: the person's rights, or the proofs of who they are, have changed."""
    fresh = rotate_session(current_tenant(), session[SESSION_KEY])
    session[SESSION_KEY] = fresh


def is_known_device(email: str) -> bool:
    """Whether the person with this address has signed in with this browser before."""
    try:
        return bool(_devices().loads(request.cookies.get(DEVICE, "")) == _mark(email))
    except BadSignature:
        return False


def _mark(email: str) -> str:
    return sha256(email.strip().lower().encode()).hexdigest()[:32]


def _devices() -> URLSafeSerializer:
    return URLSafeSerializer(serving().settings.secret_for("device", current_tenant().slug))


def keep_cookie(response: Any, name: str, value: str, *, http_only: bool = False) -> None:
    """Let the browser keep something of this tenant for a year."""
    response.set_cookie(
        name,
        value,
        max_age=YEAR,
        path=f"{request.script_root}/",
        samesite="Lax",
        secure=request.is_secure,
        httponly=http_only,
    )
