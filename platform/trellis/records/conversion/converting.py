"""Converting many records at once: each becomes what stands there already where that is clear, else something new."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.types import Ref
from trellis.records.access import rights
from trellis.records.conversion import convert
from trellis.records.conversion.convert import Proposal
from trellis.records.conversion.matches import Match
from trellis.records.reading import shown
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.versions import batches

if TYPE_CHECKING:
    from trellis.records.session import Session

MOST = 500  # records that are converted in one go
FORBIDDEN = Fault("forbidden", "You are not allowed to convert this.", None)
MISSING = Fault("missing", "There is no such record.", None)


@dataclass(frozen=True, slots=True)
class Becoming:
    """What one target is, or is going to be. `alike`: how many look like a new one, and were not clear enough."""

    is_new: bool
    ref: Ref | None = None
    alike: int = 0


@dataclass(frozen=True, slots=True)
class Conversions:
    """What becomes of one of the records; with faults it stays as it is."""

    ref: Ref
    became: Mapping[str, Becoming] = dc_field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def clear_match(proposal: Proposal) -> Match | None:
    """The one readable record that agrees in every field there is to compare; None when there is none, or several."""
    compared = {name for name in proposal.target.match if proposal.values.get(name) is not None}
    equal = [match for match in proposal.matches if compared and set(match.on) >= compared]
    return equal[0] if len(equal) == 1 and equal[0].ref is not None and proposal.may_choose else None


def _plan(session: Session, entity: str, id: UUID, leave: Collection[str]) -> dict[str, Becoming]:
    """What a record is going to be, by the rule; Refused, Missing or Forbidden as for a single one."""
    found = {}
    for proposal in convert.propose(session, entity, id):
        target = proposal.target
        if target.optional and target.entity in leave:
            continue
        match = clear_match(proposal)
        alike = len(proposal.matches)
        found[target.entity] = Becoming(True, None, alike) if match is None else Becoming(False, match.ref)
    return found


def propose_many(session: Session, entity: str, ids: Sequence[UUID], leave: Collection[str] = ()) -> list[Conversions]:
    """What each of the records would become; nothing is written."""
    convert.conversion_of(session, entity)
    titles = shown.titles(session, [Ref(entity, id) for id in ids])
    found = []
    for id in ids:
        ref = Ref(entity, id, titles.get((entity, id), ""))
        try:
            found.append(Conversions(ref, _plan(session, entity, id, leave)))
        except (Refused, Forbidden, Missing) as error:
            found.append(Conversions(ref, {}, _faults(error)))
    return found


def convert_many(session: Session, entity: str, ids: Sequence[UUID], leave: Collection[str] = ()) -> list[Conversions]:
    """Convert each record by the rule, in a transaction of its own; what is refused holds up no other."""
    if len(ids) > MOST:
        message = "At most {most} records are converted at once. Select fewer."
        raise Refused([Fault("many", message, None, {"most": MOST})])
    convert.conversion_of(session, entity)
    rights.require_many(session, entity, "bulk")
    with session.transaction():
        out = rights.out_of_many(session, entity, ids, "bulk")
    results: dict[UUID, Any] = {id: Forbidden(entity, "bulk-edit") for id in out}
    with batches.within(session, "convert", entity):
        for id in [id for id in ids if id not in out]:
            try:
                with session.write(entity):
                    results[id] = _convert_one(session, entity, id, leave)
            except (Refused, Forbidden, Missing) as error:
                results[id] = error
    with session.transaction():
        return _told(session, entity, ids, results)


def _convert_one(session: Session, entity: str, id: UUID, leave: Collection[str] = ()) -> dict[str, Becoming]:
    """Convert one of many by the rule."""
    plan = _plan(session, entity, id, leave)
    offered = session.model.conversions[entity].into
    choices: dict[str, Any] = {name: "skip" for name, target in offered.items() if target.optional and name in leave}
    for name, becoming in plan.items():
        choices[name] = "new" if becoming.ref is None else {"existing": becoming.ref.id}
    done = convert.convert(session, entity, id, choices)
    return {name: Becoming(name in done.created, ref, plan[name].alike) for name, ref in done.became.items()}


def _told(session: Session, entity: str, ids: Sequence[UUID], results: Mapping[UUID, Any]) -> list[Conversions]:
    """What became of each record, with the names that this person may know."""
    became = [b.ref for result in results.values() if isinstance(result, dict) for b in result.values()]
    titles = shown.titles(session, [*(Ref(entity, id) for id in ids), *became])

    def named(ref: Ref) -> Ref:
        return Ref(ref.entity, ref.id, titles.get((ref.entity, ref.id), ""))

    found = []
    for id in ids:
        result = results[id]
        if isinstance(result, dict):
            made = {k: Becoming(b.is_new, named(b.ref), b.alike) for k, b in result.items()}
            found.append(Conversions(named(Ref(entity, id)), made))
        else:
            found.append(Conversions(named(Ref(entity, id)), {}, _faults(result)))
    return found


def _faults(error: Exception) -> tuple[Fault, ...]:
    if isinstance(error, Refused):
        return tuple(error.faults)
    return (FORBIDDEN if isinstance(error, Forbidden) else MISSING,)
