"""Choosing who gets a record: whoever has waited longest, has most room, or knows how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.clock import now
from trellis.automation.workflows.context import refs_of
from trellis.automation.workflows.people import name_of, people_of, users
from trellis.formula.env import Env
from trellis.formula.types import Value
from trellis.model.automation.steps import Choosing
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.pipelines.pipeline import tracks
from trellis.records.refusal import Fault
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

TURNS = 7275  # advisory locks of those who choose by one rule: one after the other, so that each sees whose turn it is
SKILLS = "skills"
CLOSED = ("won", "lost", "done", "cancelled")


@dataclass(frozen=True)
class Chosen:
    """Who was chosen, and why."""

    user: UUID
    why: Fault

    @property
    def reason(self) -> str:
        """Why, in the words that the log of a pool keeps."""
        return str(self.why)


def choose(
    session: Session,
    choosing: Choosing,
    env: Env,
    rule: str,
    entity: str,
    field: str,
    *,
    among: Sequence[UUID] | None = None,
    may: Callable[[UUID], bool] | None = None,
) -> Chosen | None:
    """Somebody for a record of the entity, whose owner stands in `field`; None when nobody is free.

    `among`: these people instead of everybody, where the rule names nobody. `may`: whether somebody can be chosen.

    Those who choose by the same rule wait for each other until their transactions end: a turn is taken once.
    """
    if not isinstance(choosing.to, str):
        found = [user for user in people_of(session, choosing.to.evaluate(env)) if may is None or may(user)]
        by_formula = {"name": name_of(session, found[0])} if found else {}
        return Chosen(found[0], Fault("chosen", "{name}, as the formula says", None, by_formula)) if found else None
    session.connection.exec_driver_sql(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", (f"{session.tenant.slug}:{rule}", TURNS)
    )
    people = _candidates(session, choosing, env, among)
    if may is not None:
        people = [user for user in people if may(user)]
    wanted = choosing.skill.evaluate(env) if choosing.skill is not None else None
    if wanted is not None:
        people = [record.id for record in StoreGraph(session).load("user", people) if _knows(record, wanted)]
    counts = choosing.capacity is not None or choosing.to != "round-robin"
    loads = _loads(session, entity, field, people) if counts else {}
    if choosing.capacity is not None:
        people = [user for user in people if loads[user] < choosing.capacity]
    if not people:
        return None
    turns = _turns(session, rule)
    if choosing.to == "round-robin":
        user = min(people, key=lambda user: (turns.get(user, ""), people.index(user)))
    else:
        user = min(people, key=lambda user: (loads[user], turns.get(user, ""), people.index(user)))
    _take_turn(session, rule, user)
    told = {"name": name_of(session, user), "open": loads.get(user, 0), "capacity": choosing.capacity, "skill": wanted}
    return Chosen(user, _why(choosing, wanted, told))


def _why(choosing: Choosing, wanted: Value, told: dict[str, Any]) -> Fault:
    if choosing.to == "round-robin":
        return Fault("chosen", "{name} has waited longest", None, told)
    if choosing.to == "by-skill" and wanted is not None:
        return Fault("chosen", "{name} knows {skill} and has most room: {open} open", None, told)
    if choosing.capacity is not None:
        return Fault("chosen", "{name} has most room: {open} of {capacity} open", None, told)
    return Fault("chosen", "{name} has most room: {open} open", None, told)


def _candidates(session: Session, choosing: Choosing, env: Env, else_: Sequence[UUID] | None = None) -> list[UUID]:
    among = choosing.among
    if among.team or among.role:
        named: Value = {key: word for key, word in (("team", among.team), ("role", among.role)) if word}
        people = people_of(session, [{key: word} for key, word in named.items()])
        if among.team and among.role:
            holders = set(users(session, role=among.role))
            people = [user for user in people_of(session, {"team": among.team}) if user in holders]
    else:
        listed = among.users.evaluate(env)
        everybody = users(session) if else_ is None else list(else_)
        people = people_of(session, listed) if listed is not None else everybody
    if among.when is None:
        return people
    graph = StoreGraph(session)
    kept = []
    for record in graph.load("user", people):
        inner = Env(record, session.reader, graph, this=env.record, variables=env.variables)
        if among.when.evaluate(inner) is True:
            kept.append(record.id)
    return [user for user in people if user in kept]


def _knows(record: LiveRecord, wanted: Value) -> bool:
    if SKILLS not in record.definition.fields:
        return False
    known = record.get(SKILLS) or ()
    asked = wanted if isinstance(wanted, (list, tuple)) else [wanted]
    return all(any(_same(one, skill) for skill in known) for one in asked)


def _same(one: Value, other: Value) -> bool:
    first, second = next(refs_of(one), one), next(refs_of(other), other)
    return str(first).casefold() == str(second).casefold() if isinstance(first, str) else bool(first == second)


def _loads(session: Session, entity: str, field: str, people: Sequence[UUID]) -> dict[UUID, int]:
    """How many open records of the entity each of the people has."""
    if not people:
        return {}
    table = session.table(entity)
    owner = table.c[short(field)]
    statement: sa.Select[Any] = sa.select(owner.label("user"), sa.func.count().label("open")).where(
        owner.in_(list(people)), table.c.deleted_at.is_(None)
    )
    for track in tracks(session.entity(entity)):
        statement = statement.where(table.c[short(track.type)].not_in(CLOSED))
    found: dict[UUID, int] = {}
    for row in session.execute(statement.group_by(owner)).mappings():
        found[row["user"]] = row["open"]
    return {user: found.get(user, 0) for user in people}


def _turns(session: Session, rule: str) -> dict[UUID, str]:
    table = session.tables.platform.turn
    rows = session.execute(sa.select(table.c.user, table.c.at).where(table.c.rule == rule))
    return {row.user: row.at.isoformat() for row in rows}


def _take_turn(session: Session, rule: str, user: UUID) -> None:
    table = session.tables.platform.turn
    made = insert(table).values(rule=rule, user=user, at=now())
    made = made.on_conflict_do_update(index_elements=[table.c.rule, table.c.user], set_={"at": now()})
    session.execute(made)
