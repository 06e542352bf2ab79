"""Handing a record over: changing its owner needs the action `assign`, judged on the record as it is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from trellis.records.access import rights
from trellis.records.draft import Draft
from trellis.records.refusal import Fault
from trellis.records.writing.hands import is_by_hand

if TYPE_CHECKING:
    from trellis.records.session import Session

CONVERTS = "convert"  # who may convert a record may hand it to whom the conversion says


def check(session: Session, drafts: Iterable[Draft]) -> None:
    """Note it where the owner changes and this person may not assign the record."""
    handed: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        owner = draft.entity.owner_field
        if owner is not None and not draft.is_new and _is_handed(draft) and draft.has_changed(owner):
            handed[draft.entity.key].append(draft)
    for entity, some in handed.items():
        allowed = rights.within(session, "assign", entity, [draft.record.id for draft in some])
        for draft in some:
            if draft.record.id not in allowed:
                message = "You may not hand this over to somebody else."
                draft.fault(Fault("forbidden", message, draft.entity.owner_field))


def _is_handed(draft: Draft) -> bool:
    return is_by_hand(draft.means) and draft.means != CONVERTS
