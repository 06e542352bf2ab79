"""Titles of records in hand as one person may see them, for messages and the history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from trellis.formula.types import Ref

if TYPE_CHECKING:
    from trellis.records.session import Session


def title(session: Session, ref: Ref) -> str:
    """The title of one record; empty when this person may not read it."""
    return titles(session, [ref]).get((ref.entity, ref.id), "")


def titles(session: Session, refs: Iterable[Ref]) -> dict[tuple[str, UUID], str]:
    """The titles of those of the records that this person may read, those in the bin too."""
    from trellis.records.reading.filtering import restrict
    from trellis.records.reading.selection import Selection

    wanted: dict[str, dict[UUID, None]] = defaultdict(dict)
    for ref in refs:
        wanted[ref.entity][ref.id] = None
    found: dict[tuple[str, UUID], str] = {}
    for entity, ids in wanted.items():
        if entity not in session.model.entities or not session.permit.may("read", entity):
            continue
        selection = Selection(session, entity)
        shape = selection.shape([])
        conditions = restrict(selection, (), deleted=None)
        statement = selection.select().where(selection.alias.c.id.in_(list(ids)), *conditions)
        for row in session.execute(statement).all():
            found[entity, row[shape.id]] = shape.title(row) or ""
    return found
