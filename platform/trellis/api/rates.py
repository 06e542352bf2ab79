"""How many requests a caller may send: counted over all processes, told in RateLimit headers (IETF draft).

A process takes some of a caller's requests out of the shared count in advance (one statement), and counts those off in
its memory. Far from the limit it takes a dozen at a time, near it one: what is granted in all is never more than the
limit, and most requests pay nothing. The minute before counts for the part of it that is not a minute ago yet.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask import Response, g
from flask_babel import gettext as _
from sqlalchemy.dialects.postgresql import insert

from trellis.api.caller import Caller
from trellis.api.problems import Problem
from trellis.web.context import current_tenant

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

ADVANCE = 50  # a process takes this part of the limit at once, and this part of what is left when it is nearly spent
STATEMENT = "requests"
MANY = 10_000  # callers whose counts a process keeps before it throws away those that are over


@dataclass(frozen=True)
class Policy:
    """So many requests in so many seconds."""

    amount: int
    seconds: int


@dataclass(frozen=True)
class Taken:
    """What this process knows of a caller: requests that it may still let in until a moment, and how many are left."""

    ends: float
    own: int = 0
    left: int = 0  # in the shared count beside `own`
    is_refused: bool = False


POLICY = Policy(600, 60)
_known: dict[tuple[str, str], Taken] = {}
_lock = threading.Lock()
_name = "api"


def count(caller: Caller) -> None:
    """Count a request. Raises Problem for one too many."""
    now = _take(current_tenant(), f"{_name}:{caller.id}")
    seconds = max(1, math.ceil(now.ends - time.monotonic()))
    g.rate = {
        "RateLimit-Policy": f'"default";q={POLICY.amount};w={POLICY.seconds}',
        "RateLimit": f'"default";r={now.own + now.left};t={seconds}',
    }
    if now.is_refused:
        detail = _("At most %(n)d requests a minute. Wait %(seconds)d seconds.", n=POLICY.amount, seconds=seconds)
        raise Problem(429, "rate-limit", detail, headers={"Retry-After": str(seconds)})


def tell(response: Response) -> Response:
    """Add the headers to an answer."""
    response.headers.extend(g.get("rate", {}))
    return response


def forget_counts() -> None:
    """Start counting anew (tests, benches)."""
    global _name
    _name = f"api{time.monotonic_ns()}"
    _known.clear()


def _take(tenant: Tenant, name: str) -> Taken:
    """One request of the caller's: out of what this process has, else out of the shared count."""
    key = tenant.slug, name
    with _lock:
        known = _known.get(key)
        if known is not None and known.ends > time.monotonic():
            if known.is_refused:
                return known
            if known.own:
                _known[key] = known = replace(known, own=known.own - 1)
                return known
        else:
            known = None
    taken = _ask(tenant, name, _advance(known))
    with _lock:
        if len(_known) > MANY:
            _forget_what_is_over()
        beside = _known.get(key)
        if beside is not None and not beside.is_refused and beside.ends > time.monotonic():
            taken = replace(taken, own=taken.own + beside.own)  # another thread has asked meanwhile
        _known[key] = taken
    return taken


def _advance(known: Taken | None) -> int:
    """How many to take at once: fewer, the fewer are left."""
    left = POLICY.amount if known is None else known.left
    return max(1, min(POLICY.amount, left) // ADVANCE)


def _ask(tenant: Tenant, name: str, wanted: int) -> Taken:
    """Take requests out of the shared count; the first of them is spent."""
    kept = tenant.tables.metadata.info  # equal models share their tables, and this statement with them
    if (upsert := kept.get(STATEMENT)) is None:
        kept[STATEMENT] = upsert = _upsert(tenant.tables.platform.rate)
    given = {"name": name, "wanted": wanted, "amount": POLICY.amount, "seconds": POLICY.seconds}
    with tenant.begin() as connection:
        found = connection.execute(upsert, given).one()
    return _taken(found[0], found[1], found[2], max(0.0, float(found[3])))


def _upsert(table: sa.Table) -> sa.Executable:
    """The statement that takes some of what is left, by the database's clock."""
    name, wanted, amount, seconds = (
        sa.bindparam(key, type_=kind)
        for key, kind in (
            ("name", sa.Text()),
            ("wanted", sa.Integer()),
            ("amount", sa.Integer()),
            ("seconds", sa.Integer()),
        )
    )
    window = seconds * sa.text("interval '1 second'")
    began = sa.func.date_bin(window, sa.func.now(), sa.text("timestamptz 'epoch'"))
    row = insert(table).values(key=name, began=began, spent=wanted, before=0, given=wanted)
    new, old = row.excluded.began, table.c.began
    is_now = old.in_([new, new + window])  # the next one: somebody came in it while this one waited
    spent = sa.case((is_now, table.c.spent), else_=0)
    before = sa.case((is_now, table.c.before), (old == new - window, table.c.spent), else_=0)
    part = 1 - sa.extract("epoch", sa.func.now() - new) / seconds
    free = sa.cast(amount - spent - sa.func.ceil(before * part), sa.Integer)
    given = sa.func.greatest(sa.func.least(free, wanted), 0)
    changed = {
        "spent": spent + given,
        "before": before,
        "given": given,
        "began": sa.case((is_now, old), else_=new),
    }
    elapsed = sa.extract("epoch", sa.func.now() - old)
    upsert = row.on_conflict_do_update(index_elements=[table.c.key], set_=changed)
    return upsert.returning(table.c.given, table.c.spent, table.c.before, elapsed)


def _taken(given: int, spent: int, before: int, elapsed: float) -> Taken:
    """What came of asking: `spent` of this window are gone by now, and `before` in the last one."""
    amount, window = POLICY.amount, float(POLICY.seconds)
    if given:
        left = amount - spent - math.ceil(before * (1 - elapsed / window))
        return Taken(time.monotonic() + window - elapsed, given - 1, max(0, left))
    if spent < amount:  # the last window's requests are in the way: they pass by and by
        wait = window * (1 - (amount - spent - 1) / before) - elapsed
    else:
        wait = window - elapsed + window / amount
    return Taken(time.monotonic() + max(wait, 0.05), is_refused=True)


def _forget_what_is_over() -> None:
    now = time.monotonic()
    for key in [key for key, taken in _known.items() if taken.ends <= now]:
        del _known[key]
