"""By what means people write. What binds people binds every means but the platform's own, also one that comes later."""

from __future__ import annotations

PLATFORMS_OWN = frozenset({"workflow", "undo", "merge", "privacy", "purge"})
GIVEN_BACK = frozenset({"undo", "merge"})  # values that were there already: nobody writes them anew
MOST_AT_ONCE = 5000  # lines or new links that people and programs give with one save: each is checked by itself


def is_by_hand(means: str) -> bool:
    """Whether a person wrote it: in the browser, by the API, through an assistant, with a file."""
    return means not in PLATFORMS_OWN
