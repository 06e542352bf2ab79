"""What a person has selected in a list: these records, or all that match."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from werkzeug.datastructures import MultiDict

from trellis.records.refusal import Fault, Forbidden, Missing, Refused

if TYPE_CHECKING:
    from trellis.web.lists.desk import Desk

MOST = 10_000  # records that one action touches while the page waits
AT_ONCE = 500


@dataclass(frozen=True)
class Selection:
    """The selected records."""

    desk: Desk
    ids: tuple[UUID, ...]
    is_all: bool

    def each(self) -> Iterator[UUID]:
        """The ids, read page by page when all that match are meant."""
        if not self.is_all:
            yield from self.ids
            return
        state, store = self.desk.state, self.desk.store
        found: list[UUID] = []
        cursor: str | None = None
        # read to the end before anything is changed: a change may move records in the order
        while len(found) < MOST:
            page = store.list(
                state.entity.key,
                columns=(),
                where=state.formulas(store.principal.reader),
                q=state.q or None,
                sort=state.sorting,
                limit=AT_ONCE,
                cursor=cursor,
            )
            found += [record.id for record in page.rows]
            cursor = page.next
            if cursor is None:
                break
        yield from found[:MOST]


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

    @property
    def count_refused(self) -> int:
        """How many records were left as they were."""
        return sum(self.refused.values())


def do_each(selection: Selection, action: Callable[[UUID], object], say: Callable[[Fault], str], words: Mapping[str, str]) -> BulkOutcome:
    """Does the action to every record, each for itself; gathers why some were refused."""
    outcome = BulkOutcome([], {})
    for id in selection.each():
        try:
            action(id)
        except Refused as refused:
            reason = say(refused.faults[0]) if refused.faults else words["refused"]
        except Forbidden:
            reason = words["forbidden"]
        except Missing:
            reason = words["missing"]
        else:
            outcome.done.append(id)
            continue
        outcome.refused[reason] = outcome.refused.get(reason, 0) + 1
    return outcome
