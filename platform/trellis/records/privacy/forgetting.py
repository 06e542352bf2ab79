"""What keeps data of persons beside their records: history, comments, merges, answers of the API, the access log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.privacy.emptying import goes, personal_only
from trellis.records.privacy.finding import Person
from trellis.records.versions import history

if TYPE_CHECKING:
    from trellis.records.session import Session


@contextmanager
def as_owner(session: Session) -> Iterator[None]:
    """Do something with the platform's own login within the open transaction: what the tenant's role may not."""
    session.connection.exec_driver_sql("RESET ROLE")
    try:
        yield
    finally:
        session.tenant.become(session.connection)


Eraser = Callable[["Session", Person, Mapping[str, str]], int]
ERASERS: dict[str, Eraser] = {}
"""What keeps data of persons beside their records; other parts register theirs: it is given the person and the names
that are replaced, and tells how many of its rows it has changed."""


def eraser(name: str) -> Callable[[Eraser], Eraser]:
    """Register what erases one kind of holding."""

    def register(work: Eraser) -> Eraser:
        ERASERS[name] = work
        return work

    return register


@eraser("history")
def _history(session: Session, person: Person, names: Mapping[str, str]) -> int:
    """Entries of the own records lose the values of what was emptied; others lose the person's name."""
    return _clean(session, session.tables.platform.history, person, names)


@eraser("events")
def _events(session: Session, person: Person, names: Mapping[str, str]) -> int:
    """What workflows and webhooks are told of changes, likewise."""
    return _clean(session, session.tables.platform.event, person, names)


def _clean(session: Session, table: sa.Table, person: Person, names: Mapping[str, str]) -> int:
    known = {str(ref.id) for ref in person.own}
    activities = {(ref.entity, ref.id) for ref in (*person.activities, *person.logins)}
    linked = {(ref.entity, ref.id) for ref in person.linked}
    own = {(ref.entity, ref.id) for ref in (*person.own, *person.parts)}
    ids = [id for _entity, id in own | activities | linked]
    text = sa.cast(table.c.changes, sa.Text)
    mentions = sa.or_(*(text.contains(id) for id in sorted(known)))
    query = sa.select(table.c.id, table.c.entity, table.c.record, table.c.changes)
    changed = 0
    with as_owner(session):
        for row in session.execute(query.where(sa.or_(table.c.record.in_(ids), mentions))).mappings().all():
            where = (row["entity"], row["record"])
            emptied: Callable[[Entity], list[Field]] | None = None
            if where in own:
                emptied = partial(goes, everything=False)
            elif where in activities:
                emptied = partial(goes, everything=True)
            elif where in linked:
                emptied = personal_only
            told = row["changes"] or []
            listed = [[name, *values] for name, values in told.items()] if isinstance(told, dict) else told
            new: Any = _cleaned(session, row["entity"], listed, emptied, names)
            if isinstance(told, dict):  # events tell by field
                new = {name: values for name, *values in new}
            if new != row["changes"]:
                session.execute(sa.update(table).where(table.c.id == row["id"]).values(changes=new))
                changed += 1
    return changed


def _cleaned(
    session: Session,
    entity: str,
    changes: Sequence[Any],
    emptied: Callable[[Entity], list[Field]] | None,
    names: Mapping[str, str],
) -> list[Any]:
    definition = session.model.entities.get(entity)
    found = []
    for change in changes:
        path, old, new = change
        owner, name = history.locate(session, definition, path) if definition is not None else (None, path)
        line = owner if owner is not None else _line_of(session, definition, path)
        if emptied is not None and line is not None:
            if owner is None:  # a whole line, told by its title
                found.append([path, None if old is None else "", None if new is None else ""])
                continue
            if name in {f.key for f in emptied(line)}:
                continue
        found.append([path, _renamed(old, names), _renamed(new, names)])
    return found


def _line_of(session: Session, definition: Entity | None, path: str) -> Entity | None:
    first = path.partition(".")[0]
    if definition is None or first not in definition.inverses:
        return None
    return session.model.entities[definition.inverses[first].entity]


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A value of the history in which the person has another name: links carry the titles of their time."""
    if isinstance(value, list):
        return [_renamed(v, names) for v in value]
    if isinstance(value, dict):
        if (known := names.get(str(value.get("id")))) is not None and "title" in value:
            return {**value, "title": known}
        return {k: _renamed(v, names) for k, v in value.items()}
    return value


@eraser("comments")
def _comments(session: Session, person: Person, _names: Mapping[str, str]) -> int:
    table = session.tables.platform.comment
    return sum(
        session.execute(sa.delete(table).where(table.c.entity == r.entity, table.c.record == r.id)).rowcount
        for r in person.own
    )


@eraser("merges")
def _merges(session: Session, person: Person, _names: Mapping[str, str]) -> int:
    """What merges keep to be undone: old values. They cannot be undone any more; old addresses lead on as before."""
    tables, done = session.tables.platform, 0
    for key, ids in person.ids.items():
        table = tables.merge
        merges = sa.select(table.c.id).where(table.c.entity == key, table.c.winner.in_(ids))
        found = list(session.execute(merges).scalars())
        session.execute(sa.delete(tables.merge_move).where(tables.merge_move.c.merge.in_(found)))
        done += session.execute(sa.delete(table).where(table.c.id.in_(found))).rowcount
    return done


@eraser("answers")
def _answers(session: Session, person: Person, _names: Mapping[str, str]) -> int:
    """Answers of the API that are kept for a day, to be given again."""
    table = session.tables.platform.idempotency
    body = sa.func.encode(table.c.body, "escape")
    mentions = sa.or_(*(body.contains(str(ref.id)) for ref in person.own))
    return session.execute(sa.delete(table).where(mentions)).rowcount


@eraser("readings")
def _readings(session: Session, person: Person, _names: Mapping[str, str]) -> int:
    """Who has read stays; a search for the person's address does not."""
    table = session.tables.platform.access
    if not person.values:
        return 0
    mentions = sa.or_(*(table.c.filter.icontains(v, autoescape=True) for v in sorted(person.values)))
    return session.execute(sa.update(table).where(mentions).values(filter=None)).rowcount
