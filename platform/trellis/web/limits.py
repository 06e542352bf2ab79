"""How often something may be tried: by address, and by what is tried from many addresses."""

from __future__ import annotations

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from trellis.web.context import current_tenant

_limiter = MovingWindowRateLimiter(MemoryStorage())
_LIMITS: dict[str, tuple[RateLimitItem, RateLimitItem]] = {  # for each address, for each account
    "sign-in": (parse("30/minute"), parse("10/minute")),
    "forgot": (parse("10/minute"), parse("3/hour")),
    "password": (parse("20/minute"), parse("10/minute")),
}


def too_often(what: str, address: str, account: str) -> bool:
    """Whether this attempt is one too many; counts it."""
    slug = current_tenant().slug
    by_address, by_account = _LIMITS[what]
    allowed = _limiter.hit(by_address, what, "address", address)
    return not (_limiter.hit(by_account, what, slug, account) and allowed)


def forget_attempts() -> None:
    """Start counting anew (tests)."""
    _limiter.storage.reset()
