"""Which way people want to be told of what: in the app, by mail at once, by one letter a day, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.storage.tenant import Tenant

Mail = Literal["no", "now", "daily"]
PREFERENCE = "notices"  # the preference that keeps what somebody has chosen
HOUR = 8  # of the reader's day, when the day's letter goes out
USER = "user"


@dataclass(frozen=True)
class Choice:
    """How one person hears of one kind of notices."""

    app: bool = True
    mail: Mail = "no"

    @property
    def is_off(self) -> bool:
        """Whether the person wants to hear nothing of the kind."""
        return not self.app and self.mail == "no"


KINDS: dict[str, Choice] = {
    "assignment": Choice(),
    "mention": Choice(mail="now"),
    "comment": Choice(),
    "approval": Choice(mail="now"),
    "reminder": Choice(),
    "pool": Choice(),
    "report": Choice(),
    "workflow": Choice(),
}
"""The kinds that people choose about, with what holds for whoever has chosen nothing; others are shown in the app."""


@dataclass(frozen=True)
class Recipient:
    """A person who is told: where, in which language, and how."""

    id: UUID
    email: str
    language: str
    time_zone: str
    choices: Mapping[str, Choice]
    hour: int = HOUR

    def reads(self, reader: Reader) -> Reader:
        """Somebody else's reader with this person's language and time zone: words for them are made with it."""
        try:
            zone = ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            zone = reader.time_zone
        return replace(reader, language=self.language, time_zone=zone)

    def choice(self, kind: str) -> Choice:
        """How the person hears of a kind."""
        return self.choices.get(kind) or KINDS.get(kind, Choice())


def recipients(connection: sa.Connection, tenant: Tenant, people: Collection[UUID]) -> list[Recipient]:
    """The people who are there and active, in the order given."""
    users, preference = tenant.tables.entity[USER], tenant.tables.platform.preference
    own = [users.c[short(name)] for name in ("email", "language", "time_zone") if short(name) in users.c]
    chosen = sa.and_(preference.c.user == users.c.id, preference.c.key == PREFERENCE)
    statement = (
        sa.select(users.c.id, preference.c.value.label("chosen"), *own)
        .select_from(users.outerjoin(preference, chosen))
        .where(users.c.id.in_(list(people)), users.c.deleted_at.is_(None))
    )
    if "active" in users.c:
        statement = statement.where(users.c.active.is_not(False))
    found = {row["id"]: row for row in connection.execute(statement).mappings()}
    profile = tenant.profile
    return [
        Recipient(
            id,
            str(found[id].get("email") or ""),
            str(found[id].get("language") or profile.language),
            str(found[id].get("time_zone") or profile.time_zone),
            *read_choices(found[id]["chosen"]),
        )
        for id in dict.fromkeys(people)
        if id in found
    ]


@dataclass(frozen=True)
class Named:
    """What somebody is called."""

    id: UUID
    name: str


def named(connection: sa.Connection, tenant: Tenant, people: Collection[UUID]) -> list[Named]:
    """The people who are there, with their names."""
    users = tenant.tables.entity[USER]
    statement = sa.select(users.c.id, users.c[short("name")]).where(users.c.id.in_(list(people)))
    return [Named(id, str(name or "")) for id, name in connection.execute(statement)]


def read_choices(stored: Any) -> tuple[dict[str, Choice], int]:
    """What a preference says; what it says wrongly, or of kinds that there are not, is as if it were not said."""
    stored = stored if isinstance(stored, Mapping) else {}
    kinds = stored.get("kinds")
    found: dict[str, Choice] = {}
    for kind, default in KINDS.items():
        said = kinds.get(kind) if isinstance(kinds, Mapping) else None
        if isinstance(said, Mapping):
            mail = said.get("mail")
            found[kind] = Choice(bool(said.get("app", default.app)), mail if mail in ("no", "now", "daily") else "no")
    hour = stored.get("hour")
    return found, hour if isinstance(hour, int) and 0 <= hour < 24 else HOUR


def write_choices(choices: Mapping[str, Choice], hour: int) -> dict[str, Any]:
    """As a preference keeps it."""
    return {"kinds": {k: {"app": c.app, "mail": c.mail} for k, c in choices.items()}, "hour": hour}
