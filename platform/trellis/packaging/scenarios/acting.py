"""What scenarios do: one function for each verb."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.automation.clock import now
from trellis.automation.workflows import approvals, enrolling
from trellis.automation.workflows.buttons import press
from trellis.automation.workflows.context import refs_of
from trellis.automation.workflows.finding import Bound
from trellis.automation.workflows.starting import Start, start
from trellis.automation.workflows.values import evaluated, settled
from trellis.formula.types import Ref, Value
from trellis.model.automation.sequence import PREFIX
from trellis.packaging.scenarios.findings import Failed, Finding
from trellis.records.pools.claiming import claim
from trellis.records.refusal import Fault, Refused

if TYPE_CHECKING:
    from trellis.model.scenario import Action
    from trellis.packaging.scenarios.play import Play

Act = Callable[["Play", "Action"], Value]
ACTS: dict[str, Act] = {}


def act(*verbs: str) -> Callable[[Act], Act]:
    """Register what verbs do; the answer is what `as:` names."""

    def register(done: Act) -> Act:
        ACTS.update(dict.fromkeys(verbs, done))
        return done

    return register


def target(play: Play, action: Action) -> list[Ref]:
    """The records that an action names."""
    if action.target is None:
        raise Failed(Finding(action.mark, f"{action.verb} names no record"))
    with play.reading() as (_store, env):
        refs = list(refs_of(action.target.evaluate(env)))
    if not refs:
        raise Failed(Finding(action.mark, f"{action.verb}: there is no record", action.target.source, "blank"))
    return refs


def values_of(play: Play, action: Action, entity: str | None) -> dict[str, Any]:
    """What an action gives, computed."""
    with play.reading() as (store, env):
        if entity is not None:
            return evaluated(store.session, entity, action.values, env)
        return {k: settled(store.session, None, v.evaluate(env), written=False) for k, v in action.values.items()}


@act("user")
def _user(play: Play, action: Action) -> Value:
    play.user = action.user
    return play.known[action.user]


@act("create")
def _create(play: Play, action: Action) -> Value:
    values = values_of(play, action, action.word)
    return play.store(action.user or None).create(action.word, values, means=play.means).ref


@act("update")
def _update(play: Play, action: Action) -> Value:
    refs = target(play, action)
    for ref in refs:
        values = values_of(play, action, ref.entity)
        play.store(action.user or None).update(ref.entity, ref.id, values, means=play.means)
    return refs[0]


@act("delete")
def _delete(play: Play, action: Action) -> Value:
    for ref in target(play, action):
        play.store(action.user or None).delete(ref.entity, ref.id, means=play.means)
    return None


@act("restore")
def _restore(play: Play, action: Action) -> Value:
    refs = target(play, action)
    for ref in refs:
        play.store(action.user or None).restore(ref.entity, ref.id, means=play.means)
    return refs[0]


@act("merge")
def _merge(play: Play, action: Action) -> Value:
    [winner] = target(play, action)
    with play.reading() as (_store, env):
        losers = [ref.id for ref in refs_of(action.to.evaluate(env))] if action.to is not None else []
    if not losers:
        raise Failed(Finding(action.mark, "merge: `with` names no record"))
    play.store(action.user or None).merge(winner.entity, winner.id, losers, means=play.means)
    return winner


@act("link", "unlink")
def _link(play: Play, action: Action) -> Value:
    assert action.list is not None
    with play.reading() as (_store, env):
        owners = list(refs_of(action.list.record.evaluate(env))) if action.list.record is not None else []
        others = list(refs_of(action.to.evaluate(env))) if action.to is not None else []
        columns = {key: value.evaluate(env) for key, value in action.values.items()}
    if not owners or not others:
        raise Failed(Finding(action.mark, f"{action.verb} names no records: write deal.contacts, and to: =contact"))
    store, owner = play.store(action.user or None), owners[0]
    for other in others:
        if action.verb == "link":
            store.link(owner.entity, owner.id, action.list.list, other, columns, means=play.means)
        else:
            store.unlink(owner.entity, owner.id, action.list.list, other, means=play.means)
    return owner


@act("find")
def _find(play: Play, action: Action) -> Value:
    with play.reading() as (store, env):
        where = [Bound(action.where, env)] if action.where is not None else []
        rows = store.list(action.word, columns=(), where=where, limit=1).rows
    if not rows:
        source = action.where.source if action.where is not None else ""
        raise Failed(Finding(action.mark, f"there is no {action.word}", source, "none"))
    return rows[0].ref


@act("advance")
def _advance(play: Play, action: Action) -> Value:
    if action.span is not None:
        play.hands.advance(action.span.after(now()))
    return None


@act("press")
def _press(play: Play, action: Action) -> Value:
    [ref] = target(play, action)
    press(play.store(action.user or None), ref.entity, ref.id, action.word, values_of(play, action, None))
    return ref


@act("convert")
def _convert(play: Play, action: Action) -> Value:
    [ref] = target(play, action)
    done = play.store(action.user or None).convert(ref.entity, ref.id, values_of(play, action, None))
    return dict(done.became)


@act("tick")
def _tick(play: Play, action: Action) -> Value:
    [ref] = target(play, action)
    with play.reading() as (store, _env):
        record = store.read(ref.entity, ref.id, fields=("checklist", "stage"))
    stage = record["stage"]
    items = [word if "." in word else f"{stage}.{word}" for word in action.words]
    already = record["checklist"]
    ticked = [*(already if isinstance(already, (list, tuple)) else ()), *items]
    play.store(action.user or None).update(ref.entity, ref.id, {"checklist": ticked}, means=play.means)
    return ref


@act("approve", "reject")
def _decide(play: Play, action: Action) -> Value:
    [ref] = target(play, action)
    user = play.known.get(action.user or play.user)
    table = play.tenant.tables.platform.approval
    same = table.c.entity == ref.entity, table.c.record == ref.id, table.c.state == "pending"
    who = (table.c.user == user.id,) if isinstance(user, Ref) else ()
    rows = play.rows(sa.select(table.c.id, table.c.user).where(*same, *who).order_by(table.c.id))
    if not rows:
        params = {"who": action.user or play.user or "nobody", "title": ref.title or ref.entity}
        raise Refused([Fault("asked", "{who} is not asked about {title}", None, params)])
    outcome: Any = action.word or ("approved" if action.verb == "approve" else "rejected")
    with play.reading() as (_store, env):
        comment = str(action.text.evaluate(env) or "")
    answers = values_of(play, action, None)
    with play.tenant.begin() as connection:
        approvals.decide(
            connection, play.tenant, rows[0]["id"], rows[0]["user"], outcome, comment=comment, answers=answers
        )
    return ref


@act("run")
def _run(play: Play, action: Action) -> Value:
    workflow = play.tenant.model.workflows[action.word]
    refs: list[Ref | None] = [*target(play, action)] if action.target is not None else [None]
    with play.tenant.begin() as connection:
        start(connection, play.tenant, [Start(workflow, "run", ref) for ref in refs])
    return refs[0]


@act("enrol")
def _enrol(play: Play, action: Action) -> Value:
    """Let a record begin a sequence by hand."""
    [ref] = target(play, action)
    enrolling.enrol(play.store(action.user or None), ref, f"{PREFIX}{action.word}")
    return ref


@act("claim")
def _claim(play: Play, action: Action) -> Value:
    [ref] = target(play, action)
    pools = [pool for pool in play.tenant.model.pools.values() if pool.entity == ref.entity]
    if not pools:
        raise Failed(Finding(action.mark, f"there is no pool of {ref.entity}"))
    for outcome in claim(play.store(action.user or None), pools[0].key, [ref.id]):
        if outcome.error is not None:
            raise outcome.error
    return ref
