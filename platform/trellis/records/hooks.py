"""What stands above the door but acts within a save: automation registers itself here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING

from trellis.records.draft import Draft, Event

if TYPE_CHECKING:
    from trellis.records.graph import LiveRecord
    from trellis.records.refusal import Fault
    from trellis.records.session import Session

Hook = Callable[[Draft], None]
Deleting = Callable[["Sequence[LiveRecord]"], "list[Fault]"]


@dataclass
class Hooks:
    """What is done within a save.

    `before` may set values and add faults; `deleting` says what refuses the deletion of records, by their entity;
    `after` gets the events.
    """

    before: list[Hook] = dc_field(default_factory=list)
    deleting: dict[str, Deleting] = dc_field(default_factory=dict)
    after: list[Callable[[list[Event]], None]] = dc_field(default_factory=list)


_joins: list[Callable[[Session, Hooks], None]] = []


def in_every_save(join: Callable[[Session, Hooks], None]) -> Callable[[Session, Hooks], None]:
    """Register what adds its hooks to those of a session that begins; it adds none where it has nothing to do."""
    if join not in _joins:
        _joins.append(join)
    return join


def hooks_of(session: Session) -> Hooks:
    """The hooks of a session that begins."""
    made = Hooks()
    for join in _joins:
        join(session, made)
    return made
