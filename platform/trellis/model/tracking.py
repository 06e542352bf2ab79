"""Whether it is noted that a letter was opened, and which of its links were followed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tracking:
    """What `track:` says. What is nearest to a letter counts: its template, its sequence, then its account."""

    opens: bool = False
    clicks: bool = False

    def __bool__(self) -> bool:
        return self.opens or self.clicks


def tracking_of(account: Tracking | None, *nearer: Tracking | None) -> Tracking:
    """What holds for a letter. An account that says no has none at all; where nobody says anything there is none."""
    if account is not None and not account:
        return account
    return next((said for said in nearer if said is not None), account) or Tracking()
