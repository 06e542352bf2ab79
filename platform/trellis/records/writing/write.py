"""Writing: a draft goes through every check, then the rows, what hangs on them, and the history, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from trellis.formula.sql.scope import SqlScope
from trellis.formula.types import Value
from trellis.records.deriving import money, rollups
from trellis.records.draft import Draft, Event
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.kept import keep, known
from trellis.records.merging import dedupe
from trellis.records.pipelines import pipeline, stays
from trellis.records.pools import standing, twins
from trellis.records.reading.catalog import system_scope
from trellis.records.refusal import Fault, Forbidden, Missing, Refused, Stale
from trellis.records.versions import history, since
from trellis.records.writing import (
    check,
    following,
    lines,
    linked,
    locks,
    rows,
    sequences,
    spans,
    trees,
    unique,
    values,
)
from trellis.storage.ordering import ORDER

if TYPE_CHECKING:
    from trellis.records.session import Session


def create(
    session: Session,
    entity: str,
    given: Mapping[str, Any],
    *,
    means: str,
    id: UUID | None = None,
    confirmed: bool = True,
) -> Draft:
    """Create one record with its lines and links; Refused with every fault."""
    [draft] = create_drafts(session, entity, [given], means=means, ids=[id] if id else None)
    refuse([draft], confirmed=confirmed)
    store_new(session, [draft])
    return draft


def create_drafts(
    session: Session, entity: str, given: Sequence[Mapping[str, Any]], *, means: str, ids: Sequence[UUID] | None = None
) -> list[Draft]:
    """New records, checked but not written; each carries its own faults."""
    definition = session.entity(entity)
    if not session.permit.may("create", entity):
        raise Forbidden(entity, "create")
    graph = StoreGraph(session)
    drafts = []
    for index, row in enumerate(given):
        record = LiveRecord(graph, definition, ids[index] if ids else uuid7(), {}, is_new=True)
        graph.put(record)
        draft = Draft(definition, record, means=means)
        prepare(session, draft, row)
        drafts.append(draft)
    check_all(session, drafts)
    return drafts


def prepare(session: Session, draft: Draft, given: Mapping[str, Any]) -> None:
    """Parse, default, take lines, enter stages, run `before` hooks: everything up to the checks."""
    values.take(session, draft, given)
    if draft.is_new:
        fill_defaults(session, draft)
    else:
        following.keep(session, draft)
    lines.take(session, draft, {**lines.moved(session, draft, given), **given})
    linked.keep_primary(draft)
    linked.check(draft)
    pipeline.follow(session, draft)
    for hook in session.hooks.before:
        hook(draft)
    pipeline.check(session, draft)  # after the hooks: what a stage asks for may be what they set
    derive(draft)


def fill_defaults(session: Session, draft: Draft) -> None:
    """Fill blanks by their defaults, in the fields' order."""
    for field in draft.entity.fields.values():
        if field.default is not None and field.is_writable and draft.value(field.key) is None:
            draft.set(field.key, default_value(draft, field.key))


def default_value(draft: Draft, name: str) -> Value:
    """What a blank is filled with."""
    field = draft.entity.fields[name]
    assert field.default is not None
    value = field.default.evaluate(draft.env())
    return value if value is None else field.type.parse(value, values.reader_of(draft, field))


def derive(draft: Draft) -> None:
    """What the record's own state decides: roll-ups over its lines, money's base, what is cleared when hidden."""
    from trellis.records.writing.conditions import is_visible

    for field in draft.entity.fields.values():
        if field.clear_when_hidden and draft.value(field.key) is not None and not is_visible(draft, field):
            draft.set(field.key, None)
    spans.keep(draft)
    for inner in draft.every():  # lines, too: their date is their parent's
        money.fill_base(inner)
    rollups.preview(draft)


def check_all(session: Session, drafts: Sequence[Draft]) -> None:
    """Every check of the drafts and of their parts."""
    every = [inner for draft in drafts for inner in draft.every()]
    check.check(session, every)
    trees.check(session, every)
    for entity in dict.fromkeys(d.entity.key for d in every):
        unique.check(session, [d for d in every if d.entity.key == entity])
    dedupe.check(session, every)
    twins.check(session, every)


def refuse(drafts: Sequence[Draft], *, confirmed: bool = True) -> None:
    """Raise when anything is wrong; unconfirmed, also when a person should look twice."""
    found = [fault for draft in drafts for fault in draft.all_faults()]
    if not confirmed:
        found.extend(warning for draft in drafts for warning in draft.warnings)
    if found:
        raise Refused(found)


def store_new(session: Session, drafts: Sequence[Draft]) -> None:
    """Write new records that passed every check."""
    every = [inner for draft in drafts for inner in draft.every()]
    sequences.number(session, every)
    lines.place(session, drafts)
    for entity in dict.fromkeys(d.entity.key for d in every):
        rows.insert(session, [d for d in every if d.entity.key == entity])
    linked.store(session, every)
    _require_reach(session, "create", drafts)
    if drafts[0].means == "import" and session.permit.may("import", drafts[0].entity.key):
        _require_reach(session, "import", drafts)
    finish(session, drafts, "create")


def _require_reach(session: Session, action: str, drafts: Sequence[Draft]) -> None:
    """Whoever may create only within a reach must end up inside it."""
    entity = drafts[0].entity.key
    if session.permit.is_unlimited(action, entity):
        return
    scope = system_scope(session, entity)
    table = scope.alias
    reach = session.permit.reach(action, scope)
    if reach is None:
        return
    ids = [d.record.id for d in drafts]
    statement = sa.select(sa.func.count()).select_from(scope.joined()).where(table.c.id.in_(ids), reach)
    if session.execute(statement).scalar_one() != len(ids):
        raise Forbidden(entity, action)


def finish(session: Session, drafts: Sequence[Draft], kind: str) -> None:
    """After the rows: stage history, roll-ups, history and events."""
    every = [inner for draft in drafts for inner in draft.every()]
    stays.record(session, every)
    rollups.after_drafts(session, every)
    history.record(session, drafts, kind)
    kinds = {"create": "created", "update": "updated", "convert": "converted"}
    session.emit(
        [
            Event(
                "created" if d.is_new else kinds[kind],
                d.entity.key,
                d.record.id,
                d.means,
                {name: (d.before(name), d.value(name)) for name in changed_fields(d)},
                1 if d.is_new else d.record.version + 1,
            )
            for d in every
            if d.is_new or changed_fields(d) or lines.changed(d)
        ]
        + [Event("deleted", line.entity, line.id, d.means) for d in every for gone in d.gone.values() for line in gone]
    )


def open_for_update(session: Session, entity: str, id: UUID, *, means: str, action: str = "update") -> Draft:
    """Lock a live record and make a draft of it; Missing when it cannot be read, Forbidden when not updated."""
    found = open_many(session, entity, [id], means=means, action=action)[id]
    if isinstance(found, Exception):
        raise found
    return found


def open_many(
    session: Session, entity: str, ids: Sequence[UUID], *, means: str, action: str = "update"
) -> dict[UUID, Draft | Missing | Forbidden]:
    """Lock live records, in one order, and make drafts of them; for each that cannot be had, why."""
    definition = session.entity(entity)
    graph = StoreGraph(session)
    rows = session.execute(_open_statement(session, entity, action), {"_ids": list(ids)}).mappings()
    rows_by_id = {row["id"]: dict(row) for row in rows}
    found: dict[UUID, Draft | Missing | Forbidden] = {}
    for id in ids:
        row = rows_by_id.get(id)
        if row is None or not row["_readable"]:
            found[id] = Missing(f"{entity} {id}")
        elif not row["_allowed"]:
            found[id] = Forbidden(entity, action)
        else:
            old = LiveRecord(graph, definition, id, {}, row=row)
            record = old.copy()
            graph.put(record)
            found[id] = draft = Draft(definition, record, old, means=means)
            if (locked := locks.lock_on(session, old)) is not None:
                draft.fault(locked)
    return found


def _open_statement(session: Session, entity: str, action: str) -> sa.Select[Any]:
    """Live records by their ids, locked, with whether each may be read and the action done."""
    key = (session.view_key, "open", entity, action)
    if (found := known(key)) is not None:
        return cast("sa.Select[Any]", found)
    scope = system_scope(session, entity, late=True)
    table = scope.alias
    readable, allowed = (_flag(session, act, scope) for act in ("read", action))
    columns: list[Any] = [c for c in table.c if c.name not in ("search", ORDER)]
    made: sa.Select[Any] = sa.select(*columns, readable.label("_readable"), allowed.label("_allowed"))
    wanted: sa.BindParameter[Any] = sa.bindparam("_ids", expanding=True, type_=sa.Uuid())
    made = made.select_from(scope.joined()).where(table.c.id.in_(wanted), table.c.deleted_at.is_(None))
    # as strongly as an update needs: who links to the record need not wait, and two that link to each other do not
    made = made.order_by(table.c.id).with_for_update(of=table, key_share=True)
    if not scope.catalog.is_personal:
        keep(key, made)
    return made


def _flag(session: Session, action: str, scope: SqlScope) -> sa.ColumnElement[bool]:
    reach = session.permit.reach(action, scope)
    return sa.true() if reach is None else sa.func.coalesce(reach, sa.false())


def update(
    session: Session,
    entity: str,
    id: UUID,
    given: Mapping[str, Any],
    *,
    version: int | None,
    means: str,
    confirmed: bool = True,
    merges: bool = False,
) -> Draft:
    """Change one record with its lines and links; Refused with every fault, Stale when someone else was faster.

    `merges`: what others have changed since `version` and this writer left alone stays; Stale is what both changed.
    """
    draft = open_for_update(session, entity, id, means=means)
    is_stale = version is not None and version != draft.record.version
    apart = None
    if version is not None and is_stale and merges:
        values.take(session, draft, given)
        if (apart := since.apart(session, draft, version)) is not None:
            given = {name: value for name, value in given.items() if name not in apart.left}
        draft = open_for_update(session, entity, id, means=means)  # without what was taken to compare it
    prepare(session, draft, given)
    if is_stale:
        refuse_stale(session, draft, apart)
    check_all(session, [draft])
    refuse([draft], confirmed=confirmed)
    store_changed(session, [draft])
    return draft


def refuse_stale(session: Session, draft: Draft, apart: since.Apart | None = None) -> None:
    """Raise Stale with what the writer meant to change, or both changed, as it is now; nothing is no conflict."""
    changed = [n for n in draft.given if n in draft.entity.fields and draft.has_changed(n)]
    differing = changed if apart is None else apart.both
    if not differing and not lines.changed(draft):
        return
    faults = [
        Fault("stale", "Someone else has changed this in the meantime.", name, {"version": draft.record.version})
        for name in differing
    ] or [Fault("stale", "Someone else has changed this record in the meantime.", None)]
    modes = standing.modes_of(session, draft.old, draft.entity.key)
    current = {name: draft.before(name) for name in differing if modes.get(name) != "hidden"}
    raise Stale(faults, current, draft.record.version, apart.left if apart else frozenset())


def changed_fields(draft: Draft) -> list[str]:
    """The stored fields and links whose values are new."""
    return [
        f.key
        for f in draft.entity.fields.values()
        if f.stored and f.formula is None and f.key not in history.UNTOLD and draft.has_changed(f.key)
    ]


def store_changed(session: Session, drafts: Sequence[Draft], *, kind: str = "update") -> None:
    """Write changed records that passed every check; nothing at all of those in which nothing changed."""
    changes = [(draft, changed) for draft in drafts if (changed := _to_write(draft)) is not None]
    if not changes:
        return
    for draft, _ in changes:
        draft.is_written = True
        sequences.number(session, draft.every())
    rows.update_all(session, changes)
    for draft, _ in changes:
        lines.store(session, draft)
        linked.store(session, draft.every())
    finish(session, [draft for draft, _ in changes], kind)


def _to_write(draft: Draft) -> list[str] | None:
    """The columns' fields that changed, none where only lines or links did; None when there is nothing to write."""
    for inner in draft.every():
        inner.record.forget_derived()
    changed = changed_fields(draft)
    if not (changed or lines.changed(draft) or linked.changed(draft) or draft.told):
        return None
    stored = {f.key for f in draft.stored_fields()}
    return [name for name in changed if name in stored]
