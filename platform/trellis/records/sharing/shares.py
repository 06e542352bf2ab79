"""Sharing a record: with whom, reading or changing, until when. What it opens is a part of the predicate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.formula.types import Ref
from trellis.records import auditing
from trellis.records.access import rights
from trellis.records.reading import query, shown
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.versions import history
from trellis.storage.sharing import READ, WRITE

if TYPE_CHECKING:
    from trellis.records.session import Session

LEVELS = (READ, WRITE)
KINDS = ("user", "team")  # what a record is shared with
TOLD = ("share", "unshare")  # kinds of entries in the history
MOST = 200  # shares of one record


@dataclass(frozen=True, slots=True)
class Share:
    """One person or team that a record is shared with. `is_over`: its last day is past."""

    id: UUID
    whom: Ref
    level: str
    until: date | None
    at: datetime
    by: Ref | None
    is_over: bool = False


def may_share(session: Session, entity: str, id: UUID | None = None) -> bool:
    """Whether this person may share records of the entity, or this one: who may change it by their roles."""
    definition = session.model.entities.get(entity)
    if definition is None or definition.part_of or definition.internal:
        return False
    return rights.may(session, "share", entity) if id is None else rights.may_with(session, "share", entity, id)


def read_shares(session: Session, entity: str, id: UUID) -> list[Share]:
    """Who a record is shared with, the latest first. Raises Missing, and Forbidden for people from outside."""
    query.read(session, entity, id, fields=(), deleted=True)
    if session.permit.is_portal:
        raise Forbidden(entity, "share")
    return shares_of(session, entity, id)


def share(
    session: Session, entity: str, id: UUID, whom: Ref, level: str = READ, until: date | None = None, *, means: str
) -> Share:
    """Share a record, or change what is shared with that person or team. Raises Missing, Forbidden, Refused."""
    _require(session, entity, id)
    refuse = _faults(session, entity, id, whom, level, until)
    if refuse:
        raise Refused(refuse)
    table = session.tables.platform.share
    mine = (table.c.entity == entity) & (table.c.record == id) & (table.c[whom.entity] == whom.id)
    old = session.execute(sa.select(table).where(mine).with_for_update()).mappings().first()
    told = {"whom": _named(session, whom), "level": level, "until": until.isoformat() if until else None}
    if old is None:
        row = {"id": uuid7(), "entity": entity, "record": id, whom.entity: whom.id, "level": level, "until": until}
        count = sa.select(sa.func.count()).where(table.c.entity == entity, table.c.record == id)
        if session.execute(count).scalar_one() >= MOST:
            raise Refused(
                [Fault("most", "At most {most} people and teams: share it with a team.", None, {"most": MOST})]
            )
        me = session.principal
        session.execute(sa.insert(table).values(**row, created_by=me.id, created_by_name=me.name or None))
        history.record_plain(session, entity, [id], "share", means, [["shared", None, told]])
        auditing.note(session, "sharing.granted", entity=entity, record=id, details=told)
    elif (old["level"], old["until"]) != (level, until):
        session.execute(sa.update(table).where(mine).values(level=level, until=until))
        before = {**told, "level": old["level"], "until": old["until"].isoformat() if old["until"] else None}
        history.record_plain(session, entity, [id], "share", means, [["shared", before, told]])
        auditing.note(session, "sharing.changed", entity=entity, record=id, details=told)
    return next(s for s in shares_of(session, entity, id) if s.whom == whom)


def change(session: Session, entity: str, id: UUID, one: UUID, given: Mapping[str, Any], *, means: str) -> Share:
    """Change what a share opens: `level`, `until`. Raises Missing, Forbidden, Refused."""
    _require(session, entity, id)
    found = _find(session, entity, id, one)
    level, until = given.get("level", found.level), given.get("until", found.until)
    return share(session, entity, id, found.whom, level, until, means=means)


def end(session: Session, entity: str, id: UUID, one: UUID, *, means: str) -> None:
    """End a share, by who may share the record, or by the person whom it is for. Raises Missing, Forbidden."""
    query.read(session, entity, id, fields=(), deleted=True)
    found = _find(session, entity, id, one)
    if found.whom != session.reader.me:
        _require(session, entity, id)
    table = session.tables.platform.share
    session.execute(sa.delete(table).where(table.c.id == one))
    told = {
        "whom": _named(session, found.whom),
        "level": found.level,
        "until": found.until.isoformat() if found.until else None,
    }
    history.record_plain(session, entity, [id], "unshare", means, [["shared", told, None]])
    auditing.note(session, "sharing.revoked", entity=entity, record=id, details=told)


def forget(session: Session, entity: str, ids: Iterable[UUID]) -> None:
    """Records are gone for good, and with them what was shared of them, or with them."""
    table, gone = session.tables.platform.share, list(ids)
    session.execute(sa.delete(table).where(table.c.entity == entity, table.c.record.in_(gone)))
    if entity in KINDS:
        session.execute(sa.delete(table).where(table.c[entity].in_(gone)))


def _require(session: Session, entity: str, id: UUID) -> None:
    query.read(session, entity, id, fields=())
    if not may_share(session, entity, id):
        raise Forbidden(entity, "share")


def _find(session: Session, entity: str, id: UUID, one: UUID) -> Share:
    found = next((s for s in shares_of(session, entity, id) if s.id == one), None)
    if found is None:
        raise Missing(f"share {one}")
    return found


def shares_of(session: Session, entity: str, id: UUID) -> list[Share]:
    """The shares of a record, the latest first, whoever asks."""
    table = session.tables.platform.share
    statement = sa.select(table).where(table.c.entity == entity, table.c.record == id).order_by(table.c.id.desc())
    rows = session.execute(statement).mappings().all()
    refs = [Ref(kind, row[kind]) for row in rows for kind in KINDS if row[kind] is not None]
    with session.as_system():  # people and teams are named everywhere
        titles = shown.titles(session, refs)
    today = session.reader.today()
    return [
        Share(
            id=row["id"],
            whom=Ref(ref.entity, ref.id, titles.get((ref.entity, ref.id)) or None),
            level=row["level"],
            until=row["until"],
            at=row["created_at"],
            by=None if row["created_by"] is None else Ref("user", row["created_by"], row["created_by_name"]),
            is_over=row["until"] is not None and row["until"] < today,
        )
        for row, ref in zip(rows, refs, strict=True)
    ]


def _faults(session: Session, entity: str, id: UUID, whom: Ref, level: str, until: date | None) -> list[Fault]:
    """What is wrong with a share."""
    found: list[Fault] = []
    if level not in LEVELS:
        found.append(Fault("choice", "“{value}” cannot be chosen here.", "level", {"value": level}))
    elif level == WRITE and not rights.may_with(session, "update", entity, id):
        found.append(Fault("forbidden", "You may not change this record yourself.", "level"))
    if until is not None and until < session.reader.today():
        found.append(Fault("range", "This day is past.", "until"))
    if whom.entity not in KINDS or whom.entity not in session.model.entities:
        return [*found, Fault("link", "Share it with a person or a team.", "whom")]
    table = session.table(whom.entity)
    row = (
        session.execute(sa.select(table).where(table.c.id == whom.id, table.c.deleted_at.is_(None))).mappings().first()
    )
    if row is None:
        return [*found, Fault("link", "There is no such record.", "whom", {"id": str(whom.id)})]
    if whom == session.reader.me:
        found.append(Fault("link", "That is you.", "whom"))
    elif whom.entity == "user" and not found:
        found.extend(_useless(session, entity, row, level))
    return found


def _useless(session: Session, entity: str, person: sa.RowMapping, level: str) -> list[Fault]:
    """A share opens nothing to somebody none of whose roles may do such a thing with any record."""
    roles = [session.model.roles[key] for key in person.get("roles") or () if key in session.model.roles]
    things = session.model.entities[entity].plural
    for action, message in (
        ("read", "{name} has no role that reads “{things}”."),
        *((("update", "{name} has no role that changes “{things}”: share it for reading."),) if level == WRITE else ()),
    ):
        grants: Sequence[Any] = [grant for role in roles if (grant := role.grants.get(entity)) is not None]
        if not any(grant.level(action).kind != "none" for grant in grants):
            params = {"name": str(person.get("name") or "…"), "things": things}
            return [Fault("share", message, "whom" if action == "read" else "level", params)]
    return []


def _named(session: Session, whom: Ref) -> dict[str, Any]:
    with session.as_system():
        title = shown.titles(session, [whom]).get((whom.entity, whom.id))
    return {"entity": whom.entity, "id": str(whom.id), "title": title}
