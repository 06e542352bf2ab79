"""What links keep, going back: the columns of a many-to-many as the history tells them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.types import Ref, Value
from trellis.model.entity import Entity
from trellis.model.fields.base import Invalid
from trellis.records.draft import Draft
from trellis.records.reading.catalog import link_columns
from trellis.records.refusal import Fault
from trellis.records.writing import linked

if TYPE_CHECKING:
    from trellis.records.session import Session

Span = list[Any]  # the value before, and the one after
Kept = dict[UUID, dict[str, Value]]  # what each link keeps, by the far end


def place_of(entity: Entity, path: str) -> tuple[str, UUID, str] | None:
    """The links field, the far end and the column of a path like contacts.<id>.part; None for any other path."""
    name, _dot, rest = path.partition(".")
    key, _dot, column = rest.partition(".")
    field = entity.fields.get(name)
    if field is None or column not in link_columns(field):
        return None
    try:
        return name, UUID(key), column
    except ValueError:
        return None


def spans_of(entity: Entity, spans: Mapping[str, Span]) -> dict[str, dict[tuple[UUID, str], Span]]:
    """Those of the changes that are about what links keep, by the links field."""
    found: dict[str, dict[tuple[UUID, str], Span]] = defaultdict(dict)
    for path, span in spans.items():
        if (place := place_of(entity, path)) is not None:
            found[place[0]][place[1:]] = span
    return found


def give_back(session: Session, draft: Draft, spans: Mapping[str, Span], faults: list[Fault]) -> bool:
    """Have links keep what they kept before, unless it was changed since or the link is gone; whether any does."""
    changed = False
    for name, told in spans_of(draft.entity, spans).items():
        field = draft.entity.fields[name]
        stored = linked.stored_columns(session, draft.entity, field, draft.record.id)
        there: dict[UUID, Ref] = {ref.id: ref for ref in draft.value(name) or ()}
        back: dict[UUID, dict[str, Value]] = defaultdict(dict)
        for (id, column), (old, new) in told.items():
            try:
                before, after = (parsed(session, draft.entity, name, column, value) for value in (old, new))
            except Invalid:
                faults.append(Fault("since", "The field is another one since.", name))
                continue
            now = stored.get(id, {}).get(column)
            if id not in there or now == before:
                continue
            if id in stored and now != after:
                faults.append(Fault("since", "It has been changed since.", name))
                continue
            back[id][column] = before
        if back:
            draft.given[name] = as_given(tuple(there.values()), back)
            changed = True
    if changed:
        linked.check(draft)
    return changed


def parsed(session: Session, entity: Entity, name: str, column: str, value: Any) -> Value:
    """A column's value from the history. Raises Invalid."""
    kind = link_columns(entity.fields[name])[column].type
    return None if value is None else kind.parse(value, session.reader)


def as_given(refs: tuple[Ref, ...], kept: Mapping[UUID, Mapping[str, Value]]) -> list[dict[str, Any]]:
    """Links with what they keep, as a save takes them."""
    return [{"entity": ref.entity, "id": ref.id, **kept.get(ref.id, {})} for ref in refs]
