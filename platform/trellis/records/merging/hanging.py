"""What hangs on records, as far as one person may see it: told before a merge carries it along."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import sqlalchemy as sa

from trellis.records.merging.places import links_to, many_of, points_at
from trellis.records.reading import filtering
from trellis.records.reading.selection import Selection
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session


def hanging(session: Session, entity: str, ids: Sequence[UUID]) -> dict[str, int]:
    """How many live records of each entity lead to one of the records; one statement."""
    parts: list[sa.Select[Any]] = []
    for other, field in links_to(session, entity):
        if session.permit.may("read", other.key) and not session.permit.conceals(other.key, field.key):
            selection = Selection(session, other.key)
            table = selection.alias
            found = sa.select(sa.literal(other.key), sa.func.count()).select_from(selection.source())
            mine = [table.c[short(field.key)].in_(list(ids)), points_at(table, field, entity)]
            parts.append(cast("sa.Select[Any]", found.where(*filtering.restrict(selection, ()), *mine)))
    for owner, name, side in many_of(session, entity):
        links = session.tables.links[owner, name]
        far = session.model.entities[owner].fields[name].type.formula_type().entities[0] if side == "source" else owner
        if far != entity and session.permit.may("read", far) and not session.permit.conceals(owner, name):
            selection = Selection(session, far)
            near, end = (links.c.source, links.c.target) if side == "source" else (links.c.target, links.c.source)
            conditions = filtering.restrict(selection, ())
            joined = selection.source().join(links, end == selection.alias.c.id)
            found = sa.select(sa.literal(far), sa.func.count()).select_from(joined)
            parts.append(cast("sa.Select[Any]", found.where(*conditions, near.in_(list(ids)))))
    counts: dict[str, int] = defaultdict(int)
    if parts:
        for key, count in map(tuple, session.execute(sa.union_all(*parts)).all()):
            counts[key] += count
    return {key: count for key, count in sorted(counts.items(), key=lambda item: -item[1]) if count}
