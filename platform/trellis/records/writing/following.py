"""Defaults that are followed (`follow_default`): found anew when what they read changes, until a value is set by hand.

A value was set by hand when it is not what the default gives for the record as stored. So nothing has to be remembered
about a field, and a value that came in by an import or the API counts like one that was typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.records.draft import Draft
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.writing.foresight import foresee

if TYPE_CHECKING:
    from trellis.records.session import Session

DEEP = 8  # so many derived fields behind one another are looked through


def fields(entity: Entity) -> list[Field]:
    """The fields of an entity that follow their default."""
    return [f for f in entity.fields.values() if f.follow_default and f.default is not None and f.is_writable]


def keep(session: Session, draft: Draft) -> None:
    """Give fields of a stored record what their default gives by now, where that is what they had."""
    from trellis.records.writing.write import default_value

    if draft.old is None:
        return
    for field in fields(draft.entity):
        given = field.key in draft.given and not field.type.same(draft.value(field.key), draft.before(field.key))
        if given or not _stirred(draft, field):
            continue
        now = default_value(draft, field.key)
        if field.type.same(now, draft.value(field.key)):
            continue
        before = _as_stored(session, draft)
        if field.type.same(default_value(before, field.key), draft.before(field.key)):
            draft.set(field.key, now)


def reaches_lines(session: Session, draft: Draft, part: Entity) -> bool:
    """Whether lines of the draft that were not given follow something in it that has changed."""
    assert part.parent_field is not None
    return not draft.is_new and any(
        path[0] == part.parent_field and len(path) > 1 and _changes(draft, path[1:], 0)
        for field in fields(part)
        for path in _reads(field)
    )


def _reads(field: Field) -> frozenset[tuple[str, ...]]:
    return frozenset() if field.default is None else field.default.reads


def _stirred(draft: Draft, field: Field) -> bool:
    """Whether something that the field's default reads has changed."""
    return any(_changes(draft, path, 0) for path in _reads(field))


def _changes(draft: Draft, path: tuple[str, ...], depth: int) -> bool:
    if not path or depth > DEEP:
        return False
    name, rest = path[0], path[1:]
    if name == "this":
        return _changes(draft, rest, depth + 1)
    if draft.parent is not None and name == draft.entity.parent_field and _changes(draft.parent, rest, depth + 1):
        return True
    field = draft.entity.fields.get(name)
    if field is None:
        return name in draft.lines  # a list of the draft's own
    if field.formula is not None:
        return any(_changes(draft, inner, depth + 1) for inner in field.formula.reads)
    return draft.has_changed(name) or any(
        step == "this" and _changes(draft, path[at + 1 :], depth + 1) for at, step in enumerate(path) if at
    )


def _as_stored(session: Session, draft: Draft) -> Draft:
    """The record and everything around it as the database has it, before this change."""
    top = draft
    while top.parent is not None:
        top = top.parent
    if top.stored_graph is None:
        top.stored_graph = StoreGraph(session)
        for lines in draft.parent.lines.values() if draft.parent is not None else ():
            if lines:  # the others will ask for the same
                foresee(session, top.stored_graph, lines[0].entity, [({}, line.old) for line in lines if line.old])
    assert draft.old is not None
    graph = top.stored_graph
    record = LiveRecord(graph, draft.entity, draft.old.id, {}, row=draft.old.row)
    graph.put(record)
    return Draft(draft.entity, record, record)
