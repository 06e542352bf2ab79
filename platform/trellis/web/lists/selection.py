"""What a person has selected in a list: these records, or all that match."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from werkzeug.datastructures import MultiDict

from trellis.records.record import Outcome
from trellis.records.refusal import Fault

if TYPE_CHECKING:
    from trellis.web.lists.desk import Desk

MOST = 10_000  # records that one action touches while the page waits
AT_ONCE = 200  # records in one transaction


@dataclass(frozen=True)
class Selection:
    """The selected records."""

    desk: Desk
    ids: tuple[UUID, ...]
    is_all: bool

    def each(self) -> Sequence[UUID]:
        """The ids, all read before anything is changed; one more than `MOST` says that there are more."""
        if not self.is_all:
            return self.ids
        state, store = self.desk.state, self.desk.store
        where = state.formulas(store.principal.reader)
        return store.matching(state.entity.key, where=where, q=state.q or None, limit=MOST + 1)


def read_selection(desk: Desk, form: Mapping[str, str] | MultiDict[str, str]) -> Selection:
    """The selection of a submitted form: `all=1`, or `ids` with commas between."""
    ids: list[UUID] = []
    for text in form.get("ids", "").split(",")[:MOST]:
        try:
            ids.append(UUID(text))
        except ValueError:
            continue
    return Selection(desk, tuple(dict.fromkeys(ids)), form.get("all") == "1")


@dataclass
class BulkOutcome:
    """What became of a bulk action."""

    done: list[UUID]
    refused: dict[str, int]
    batch: UUID | None = None  # what undoes it; None when nothing was changed
    same: int = 0  # that had the value already
    is_cut: bool = False  # more match than one action touches

    def refuse(self, reason: str) -> None:
        """Counts a record that was left as it was."""
        self.refused[reason] = self.refused.get(reason, 0) + 1

    @property
    def count_refused(self) -> int:
        """How many records were left as they were."""
        return sum(self.refused.values())


def update_each(
    selection: Selection, values: Mapping[str, Any], say: Callable[[Fault], str], *, confirmed: bool = True
) -> BulkOutcome:
    """Gives every record the values, some hundred to a transaction; gathers why some were refused."""
    store, entity = selection.desk.store, selection.desk.entity.key
    ids = selection.each()
    found, ids = BulkOutcome([], {}, is_cut=len(ids) > MOST), ids[:MOST]
    with store.batch("edit", entity) as made:
        for start in range(0, len(ids), AT_ONCE):
            changes = [(id, values) for id in ids[start : start + AT_ONCE]]
            for outcome in store.update_many(entity, changes, means="bulk", confirmed=confirmed):
                if outcome.status == "refused":
                    found.refuse(say(outcome.faults[0]) if outcome.faults else "")
                elif outcome.status == "updated" and outcome.id is not None:
                    found.done.append(outcome.id)
                    found.batch = made.id
                else:
                    found.same += 1
    return found


def move_each(
    selection: Selection, action: Callable[[Sequence[UUID]], Sequence[Outcome]], say: Callable[[Fault], str]
) -> BulkOutcome:
    """Does the action to every record, some hundred to a transaction; gathers why some were refused."""
    ids = selection.each()
    found = BulkOutcome([], {}, is_cut=len(ids) > MOST)
    for start in range(0, min(len(ids), MOST), AT_ONCE):
        some = ids[start : min(start + AT_ONCE, MOST)]
        for id, outcome in zip(some, action(some), strict=True):
            if outcome.status == "refused":
                found.refuse(say(outcome.faults[0]) if outcome.faults else "")
            else:
                found.done.append(id)
    return found
