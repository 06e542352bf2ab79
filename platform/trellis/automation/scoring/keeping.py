"""Scores within saves: what a record is counts in its own save, what happens to it in the save that tells of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from trellis.automation.scoring import earning
from trellis.automation.scoring.earning import NOTHING, Account
from trellis.automation.workflows.listening import QUIET, is_meant
from trellis.formula.env import Env
from trellis.formula.types import Ref
from trellis.model.fields.base import Invalid
from trellis.model.scoring import Behaviour, Scoring
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.hooks import Hooks, in_every_save
from trellis.records.kept import kept
from trellis.records.refusal import Forbidden, Missing, Refused
from trellis.records.writing import write

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.records.draft import Draft, Event
    from trellis.records.session import Session


@dataclass(frozen=True)
class Scorings:
    """The scorings that are on: by the entity that is scored, and the behaviours by the entity that they hear."""

    of: Mapping[str, tuple[Scoring, ...]]
    heard: Mapping[str, tuple[tuple[Scoring, Behaviour], ...]]


def scorings_of(model: Model) -> Scorings:
    """The scorings of a Model that are on."""

    def find() -> Scorings:
        of: dict[str, list[Scoring]] = defaultdict(list)
        heard: dict[str, list[tuple[Scoring, Behaviour]]] = defaultdict(list)
        for one in model.scorings.values():
            if one.active:
                of[one.entity].append(one)
                for behaviour in one.behaviour:
                    heard[behaviour.on.entity or ""].append((one, behaviour))
        return Scorings({k: tuple(v) for k, v in of.items()}, {k: tuple(v) for k, v in heard.items()})

    found: Scorings = kept((model.hash, "scorings"), find)
    return found


@in_every_save
def _join(session: Session, hooks: Hooks) -> None:
    found = scorings_of(session.model)
    if found.of:
        hooks.before.append(partial(_before, session))
    if found.of:
        hooks.after.append(partial(_after, session))


# ── what a record is ─────────────────────────────────────────────────────────────────────────────────────────


def _before(session: Session, draft: Draft) -> None:
    """Count what the record is about to be; where nothing has changed that is looked at, there is nothing to count."""
    for inner in draft.every():
        for scoring in scorings_of(session.model).of.get(inner.entity.key, ()):
            if not inner.is_new and not _has_changed(inner, scoring):
                continue
            account = None if inner.is_new else read_accounts(session, scoring, [inner.record.id]).get(inner.record.id)
            value = value_of(scoring, inner.record, account, inner.env())
            if value is not None and value != inner.value(scoring.field):
                inner.set(scoring.field, value)


def _has_changed(draft: Draft, scoring: Scoring) -> bool:
    formulas = [rule.when for rule in scoring.fit] + ([scoring.filter] if scoring.filter is not None else [])
    for name in {path[0] for formula in formulas for path in formula.reads}:
        field = draft.entity.fields.get(name)
        if field is None or field.is_derived or field.system or draft.has_changed(name):
            return True
    return False


def fit_of(scoring: Scoring, env: Env) -> Decimal:
    """The points for what the record is."""
    return sum((rule.points for rule in scoring.fit if rule.when.evaluate(env) is True), NOTHING)


def value_of(scoring: Scoring, record: LiveRecord, account: Account | None, env: Env) -> Any:
    """The score as the field holds it; None where the scoring has nothing to say of the record."""
    if scoring.filter is not None and scoring.filter.evaluate(env) is not True:
        return None
    now = record.graph.session.reader.now
    worn = earning.wear(scoring, account, now) if account is not None else None
    points = earning.score(scoring, fit_of(scoring, env), worn)
    kind = record.definition.fields[scoring.field].type
    most = getattr(kind, "max", None)
    if isinstance(most, int | Decimal):
        points = min(points, Decimal(most))
    if kind.name == "integer":
        points = points.to_integral_value(ROUND_HALF_UP)
    try:
        return kind.parse(str(points), record.graph.session.reader)
    except Invalid:
        return None


# ── what happens to it ───────────────────────────────────────────────────────────────────────────────────────


def _after(session: Session, events: Sequence[Event]) -> None:
    """Give the points for what has happened."""
    heard = scorings_of(session.model).heard
    if isinstance(session.cause, Mapping) and "scoring" in session.cause:
        return  # a score that was written earns no points
    _merge(session, events)
    graph: StoreGraph | None = None
    earned: dict[str, dict[UUID, list[Behaviour]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        for scoring, behaviour in heard.get(event.entity, ()):
            stages = {p.field for p in session.model.entities[event.entity].pipelines.values()}
            if event.means in QUIET or not is_meant(behaviour.on, event.kind, event.changed, stages):
                continue
            graph = graph or StoreGraph(session)
            for id in _targets(graph, scoring, behaviour, event):
                earned[scoring.key][id].append(behaviour)
    for key, by_record in earned.items():
        give(session, session.model.scorings[key], by_record)


def _merge(session: Session, events: Sequence[Event]) -> None:
    """What happened to merged records has happened to the one that they are now."""
    of = scorings_of(session.model).of
    for event in events:
        if event.kind != "merged" or event.entity not in of:
            continue
        losers = [one.id for one in events if one.kind == "merged_into" and one.entity == event.entity]
        for scoring in of[event.entity]:
            ids = [event.id, *losers]
            if accounts := read_accounts(session, scoring, ids, hold=True):
                table = session.tables.platform.score
                keep_empty(session, scoring, [event.id])
                keep(session, scoring, event.id, earning.together(scoring, list(accounts.values()), session.reader.now))
                gone = sa.delete(table).where(table.c.scoring == scoring.key, table.c.record.in_(losers))
                session.execute(gone)
            rescore(session, scoring, [event.id])


def _targets(graph: StoreGraph, scoring: Scoring, behaviour: Behaviour, event: Event) -> Iterator[UUID]:
    """The records that an event gives points to."""
    record = graph.follow(Ref(event.entity, event.id))
    if record is None:
        return
    old = record.copy()
    for name, (before, _now) in event.changed.items():
        if name in record.definition.fields:
            old.set(name, before)
    variables = {"record": record, "old": old}
    env = Env(record, graph.session.reader, graph, old=old, is_new=event.kind == "created", variables=variables)
    if behaviour.when is not None and behaviour.when.evaluate(env) is not True:
        return
    found = behaviour.of.evaluate(env)
    for one in found if isinstance(found, list | tuple) else (found,):
        entity, id = getattr(one, "entity", None), getattr(one, "id", None)
        if entity == scoring.entity and isinstance(id, UUID):
            yield id


def give(session: Session, scoring: Scoring, earned: Mapping[UUID, Sequence[Behaviour]]) -> None:
    """Write down what records have earned, one after the other where two are at it, and then their scores."""
    now = session.reader.now
    ids = sorted(earned)
    keep_empty(session, scoring, ids)
    accounts = read_accounts(session, scoring, ids, hold=True)
    for id in ids:
        account = accounts[id] if accounts[id].earned else Account(now)
        for behaviour in earned[id]:
            account = earning.earn(scoring, account, behaviour, now)
        keep(session, scoring, id, account)
    rescore(session, scoring, ids)


def keep_empty(session: Session, scoring: Scoring, ids: Sequence[UUID]) -> None:
    """Have a row for each record, which may then be held."""
    now = session.reader.now
    empty = [{"scoring": scoring.key, "record": id, "earned": {}, "at": now} for id in ids]
    session.execute(insert(session.tables.platform.score).on_conflict_do_nothing(), empty)


def read_accounts(
    session: Session, scoring: Scoring, ids: Collection[UUID], *, hold: bool = False
) -> dict[UUID, Account]:
    """What records have earned; `hold`: nobody else gives or takes anything until the transaction ends."""
    table = session.tables.platform.score
    wanted = sa.select(table).where(table.c.scoring == scoring.key, table.c.record.in_(list(ids)))
    rows = session.execute(wanted.order_by(table.c.record).with_for_update() if hold else wanted)
    return {row.record: earning.from_json(row.at, row.earned) for row in rows}


def keep(session: Session, scoring: Scoring, id: UUID, account: Account) -> None:
    """Write what a record has earned."""
    table = session.tables.platform.score
    values = {
        "earned": earning.to_json(account),
        "at": account.at,
        "due_at": earning.due_at(scoring, account),
    }
    one = sa.update(table).where(table.c.scoring == scoring.key, table.c.record == id)
    session.execute(one.values(**values))


def rescore(session: Session, scoring: Scoring, ids: Sequence[UUID]) -> int:
    """Write the scores of records through the door, where they are different from what is stored; how many were."""
    graph = StoreGraph(session)
    accounts = read_accounts(session, scoring, ids)
    written = 0
    for record in graph.load(scoring.entity, ids):
        env = Env(record, session.reader, graph, old=record)
        value = value_of(scoring, record, accounts.get(record.id), env)
        if record.value("deleted_at") is not None or value is None or value == record.value(scoring.field):
            continue
        try:
            with session.write(), session.as_system(), _because(session, scoring):
                given = {scoring.field: str(value)}
                write.update(session, scoring.entity, record.id, given, version=None, means="workflow")
            written += 1
        except (Refused, Missing, Forbidden):
            continue  # it is locked, or breaks a rule of its own: that must not undo what has happened to it
    return written


@contextmanager
def _because(session: Session, scoring: Scoring) -> Iterator[None]:
    before = session.cause
    session.cause = {**(before if isinstance(before, dict) else {}), "scoring": scoring.key}
    try:
        yield
    finally:
        session.cause = before
