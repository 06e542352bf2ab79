"""What others have changed in a record since a writer read it: what the writer left alone is no conflict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from trellis.formula.types import Value
from trellis.model.fields.base import Invalid
from trellis.records.draft import Draft
from trellis.records.pools import standing
from trellis.records.versions import history
from trellis.records.writing import values

if TYPE_CHECKING:
    from trellis.records.session import Session


@dataclass(frozen=True, slots=True)
class Apart:
    """What a writer gave, told apart. `left`: others have changed it, the writer did not; `both`: both changed it."""

    left: frozenset[str]
    both: tuple[str, ...]


def apart(session: Session, draft: Draft, version: int) -> Apart | None:
    """Tell what the writer changed from what others did since `version`; None when the history does not say."""
    theirs = _changed(session, draft, version)
    if theirs is None:
        return None
    left, both = set(), []
    modes = standing.modes_of(session, draft.old, draft.entity.key)
    for name, raw in draft.given.items():
        if modes.get(name) == "masked":
            continue  # a conflict would tell what stands there; the save refuses it
        field = draft.entity.fields[name]
        try:  # as it was given: what may not be changed as things stand is not in the draft
            value = field.type.parse(raw, values.reader_of(draft, field))
        except Invalid:
            continue
        if field.is_derived or field.type.same(value, draft.before(name)):
            continue
        if name not in theirs:
            if not field.audit:
                both.append(name)  # nothing tells who changed it
        elif field.type.same(value, theirs[name]):
            left.add(name)
        elif not field.type.same(draft.before(name), theirs[name]):
            both.append(name)
    return Apart(frozenset(left), tuple(both))


def _changed(session: Session, draft: Draft, version: int) -> Mapping[str, Value] | None:
    """The fields that others changed since, with what stood in them at `version`."""
    if version > draft.record.version:
        return None  # read before the record was set back
    table = session.tables.platform.history
    mine = (table.c.entity == draft.entity.key, table.c.record == draft.record.id, table.c.version > version)
    entries = session.execute(sa.select(table).where(*mine).order_by(table.c.version)).mappings().all()
    if [entry["version"] for entry in entries] != list(range(version + 1, draft.record.version + 1)):
        return None  # something came in between that is told elsewhere: a merge, the bin, a link from its other side
    before: dict[str, Value] = {}
    for entry in entries:
        for path, old, _new in entry["changes"] or []:
            field = draft.entity.fields.get(path)
            if field is None or field.is_derived or path in before:
                continue
            if entry["kind"] != "update" or old == history.SECRET:
                return None
            try:
                before[path] = None if old is None else field.type.parse(old, session.reader)
            except (Invalid, ValueError, TypeError, KeyError):
                return None  # the field is another one since
    return before
