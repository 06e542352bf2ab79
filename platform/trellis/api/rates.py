"""How many requests a caller may send: counted for each process, told in RateLimit headers (IETF draft)."""

from __future__ import annotations

import time

from flask import Response, g
from flask_babel import gettext as _
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from trellis.api.caller import Caller
from trellis.api.problems import Problem
from trellis.web.context import current_tenant

POLICY: RateLimitItem = parse("600/minute")
_limiter = MovingWindowRateLimiter(MemoryStorage())


def count(caller: Caller) -> None:
    """Count a request. Raises Problem for one too many."""
    names = ("api", current_tenant().slug, str(caller.id))
    allowed = _limiter.hit(POLICY, *names)
    stats = _limiter.get_window_stats(POLICY, *names)
    seconds = max(1, round(stats.reset_time - time.time()))
    g.rate = {
        "RateLimit-Policy": f'"default";q={POLICY.amount};w={POLICY.get_expiry()}',
        "RateLimit": f'"default";r={max(0, stats.remaining)};t={seconds}',
    }
    if not allowed:
        detail = _("At most %(n)d requests a minute. Wait %(seconds)d seconds.", n=POLICY.amount, seconds=seconds)
        raise Problem(429, "rate-limit", detail, headers={"Retry-After": str(seconds)})


def tell(response: Response) -> Response:
    """Add the headers to an answer."""
    response.headers.extend(g.get("rate", {}))
    return response


def forget_counts() -> None:
    """Start counting anew (tests)."""
    _limiter.storage.reset()
