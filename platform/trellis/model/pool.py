"""A pool: records that belong to nobody until somebody claims them, and that come back when nobody looks after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trellis.model.text import NO_TEXT, Text

if TYPE_CHECKING:
    from trellis.formula.formula import Formula
    from trellis.model.automation.steps import Choosing
    from trellis.model.spans import Span

ACTIVITY, STAGE, UPDATE = "activity", "stage", "update"
WORDS = (ACTIVITY, STAGE, UPDATE)  # beside the entity's own lists
OWNER_SINCE, RETURNS_AT, PREVIOUS_OWNER, LOCKED_UNTIL = "owner_since", "returns_at", "previous_owner", "locked_until"
FIELDS = (OWNER_SINCE, RETURNS_AT, PREVIOUS_OWNER, LOCKED_UNTIL)  # what a pool gives its entity


@dataclass(frozen=True, slots=True)
class People:
    """Some of the people: by role, by the name of a team, by e-mail address."""

    roles: frozenset[str] = frozenset()
    teams: tuple[str, ...] = ()
    users: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.roles or self.teams or self.users)


@dataclass(frozen=True, slots=True)
class Renewal:
    """Something that renews a clock: an activity, a move, any change, or a record in a list for which `when` holds."""

    word: str
    when: Formula | None = None


@dataclass(frozen=True)
class ReleaseRule:
    """When a record goes back: so long after it got its owner, unless something of `without` renews it."""

    key: str
    label: Text
    after: Span
    without: tuple[Renewal, ...] = ()
    extend: Span | None = None  # a renewal keeps it for at least so long; None: for `after`
    at_most: Span | None = None  # never longer than this after it got its owner
    warn: tuple[Span, ...] = ()  # the owner is told so long before
    when: Formula | None = None


@dataclass(frozen=True, slots=True)
class Claiming:
    """How much one person may claim, and one team may hold."""

    per_day: int | None = None
    holding: int | None = None
    not_counting: Formula | None = None
    team_holding: int | None = None  # all of a team together


@dataclass(frozen=True, slots=True)
class Locking:
    """How many records one person may keep from going back, and for how long."""

    at_most: int | None = None
    span: Span | None = None
    duplicates: bool = False  # what is the same as a locked record is nobody else's to claim, change or follow up


@dataclass(frozen=True, slots=True)
class Distribution:
    """What lies in a pool is given out by itself: to whom, after which time in it, and how much to each in a day."""

    choosing: Choosing
    after: Span | None = None
    per_day: int | None = None
    when: Formula | None = None


@dataclass(frozen=True)
class Pool:
    """A pool. In it lie the records of the entity without an owner for which `filter` holds."""

    key: str
    label: Text
    entity: str
    owner: str  # the field of the owner
    description: Text = NO_TEXT
    filter: Formula | None = None
    members: People = People()  # who sees and claims; nobody named: whoever may read records of the entity
    admins: People = People()  # who also assigns, and sees what is hidden
    hide: frozenset[str] = frozenset()  # until it is claimed
    rules: tuple[ReleaseRule, ...] = ()
    claim: Claiming = Claiming()
    lock: Locking | None = None
    distribute: Distribution | None = None
    cool_down: Span | None = None
    active: bool = True
    digest: str = ""

    def rule(self, key: str) -> ReleaseRule | None:
        """One of its rules."""
        return next((rule for rule in self.rules if rule.key == key), None)
