"""Tells automation where tenants are reached from outside, for links in letters that no request has asked for."""

from __future__ import annotations

from trellis.automation.mail.places import places_are_known_by
from trellis.web.settings import Settings


@places_are_known_by
def _address(slug: str) -> str | None:
    return Settings.from_environment().address_of(slug)
