"""Whose eyes a stored value is computed with: the tenant's, so that it is the same whoever happens to save."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from trellis.formula.reader import UTC_ZONE, Reader

if TYPE_CHECKING:
    from trellis.records.session import Session


@contextmanager
def as_tenant(session: Session) -> Iterator[None]:
    """Within the block, values are computed in the tenant's language and time zone, and for nobody in particular."""
    before = session.principal
    session.principal = replace(before, reader=tenant_reader(session))
    try:
        yield
    finally:
        session.principal = before


def tenant_reader(session: Session) -> Reader:
    """The reader that is nobody: what a person's own settings would change is the tenant's."""
    reader, profile = session.reader, session.tenant.profile
    return replace(
        reader,
        me=None,
        my_team=None,
        teams=frozenset(),
        team_members=frozenset(),
        language=profile.language,
        time_zone=_zone(profile.time_zone),
    )


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC_ZONE
