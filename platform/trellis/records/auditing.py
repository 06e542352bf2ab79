"""What the door tells the audit log: whoever works through it is named, and a person's record says what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trellis.storage.audit import Actor, actor
from trellis.storage.audit import note as write

if TYPE_CHECKING:
    from uuid import UUID

    from trellis.records.session import Session

PERSON = "user"
TOLD = frozenset({"roles", "active", "email", "team", "manager"})  # of a person: with their values, the rest by name
OF_PERSON = {
    "create": "person.created",
    "delete": "person.deleted",
    "restore": "person.restored",
    "purge": "person.purged",
}
OF_BATCH = {
    "import": "data.imported",
    "delete": "data.deleted",
    "restore": "data.restored",
    "undo": "data.undone",
}


def note(
    session: Session,
    kind: str,
    *,
    entity: str | None = None,
    record: UUID | None = None,
    label: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry in the session's open transaction; nothing of a trial, which is rolled back anyway."""
    if session.is_trial:
        return
    who = acting_of(session)
    write(session.connection, session.tenant, kind, by=who, entity=entity, record=record, label=label, details=details)


def acting_of(session: Session) -> Actor:
    """The session's principal, by the means and from the place that the request or command says."""
    now, principal = actor(), session.principal
    name = (now.by_name if principal.is_system else None) or principal.name or None
    return Actor(principal.id or now.by, name, now.means, now.address, now.request)


def note_batch(session: Session, kind: str, entity: str, batch: UUID, counts: Mapping[str, int]) -> None:
    """Many changes at once: one entry for all of them."""
    details = {"batch": str(batch), **counts}
    note(session, OF_BATCH.get(kind, "data.changed"), entity=entity, details=details | {"how": kind})


def follow_people(session: Session, entries: Iterable[Mapping[str, Any]]) -> None:
    """Tell of changes of people from what the history writes; their roles and whether they may sign in by name."""
    for entry in entries:
        if entry["entity"] != PERSON:
            continue
        changes = [c for c in entry["changes"] if "." not in c[0]]
        kind = _kind_of_person(entry["kind"], changes)
        if kind is not None:
            note(session, kind, entity=PERSON, record=entry["record"], label=_name(changes), details=_told(changes))


def _kind_of_person(kind: str, changes: Sequence[Any]) -> str | None:
    if kind in OF_PERSON:
        return OF_PERSON[kind]
    changed = {c[0]: c[2] for c in changes}
    if "active" in changed:
        return "person.enabled" if changed["active"] is not False else "person.disabled"
    if "roles" in changed:
        return "person.roles-changed"
    return "person.changed" if changed else None


def _name(changes: Sequence[Any]) -> str | None:
    for name, _old, new in changes:
        if name in ("name", "email") and isinstance(new, str):
            return new
    return None


def _told(changes: Sequence[Any]) -> dict[str, Any] | None:
    told: dict[str, Any] = {}
    for name, old, new in changes:
        told[name] = {"from": _short(old), "to": _short(new)} if name in TOLD else "changed"
    return told or None


def _short(value: Any) -> Any:
    """A link of a change by its title."""
    return value.get("title") if isinstance(value, dict) and "id" in value else value
