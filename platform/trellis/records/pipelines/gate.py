"""What stands between a record and a stage: moves, what the stage requires, the checklist of the stage that is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from trellis.model.pipeline import Move, Pipeline, Stage
from trellis.records.draft import Draft
from trellis.records.refusal import Fault
from trellis.records.writing.conditions import holds

if TYPE_CHECKING:
    from trellis.model.text import Text
    from trellis.records.pipelines.pipeline import Track
    from trellis.records.session import Session

Place = tuple[Pipeline, Stage]


def check_require(session: Session, draft: Draft, track: Track, stage: Stage) -> None:
    """What the stage asks for, by field: a page asks for exactly these."""
    modes = session.permit.modes(draft.entity.key)
    for name in stage.require:
        is_field = name in draft.entity.fields
        value = draft.value(name) if is_field else draft.record.graph.children(draft.record, name)
        if value is not None and value != () and value != [] and value is not False:
            continue
        if modes.get(name) == "hidden":
            message = "The stage “{stage}” needs something that you may not see: somebody else has to move this there."
            draft.fault(Fault("forbidden", message, track.field, {"stage": stage.label}))
            continue
        label = draft.entity.fields[name].label if is_field else draft.entity.inverses[name].label
        message = "“{field}” is needed for the stage “{stage}”."
        draft.fault(Fault("gate", message, name, {"field": label, "stage": stage.label}))


def check_move(session: Session, draft: Draft, track: Track, left: Place, to: Place) -> None:
    """Whether the moves allow it. Between pipelines, being let out of the one and into the other is enough."""
    (old, leaving), (pipeline, stage) = left, to
    params: dict[str, Text] = {"from": leaving.label, "to": stage.label}
    if old is not pipeline:
        if leaving.type != "open":
            _check(session, draft, track, _among(old, from_=leaving.key), params)
        if stage is not next(iter(pipeline.stages.values())):
            _check(session, draft, track, _among(pipeline, to=stage.key), params)
        return
    if leaving.key == stage.key:
        return
    keys = list(pipeline.stages)
    if keys.index(stage.key) > keys.index(leaving.key) and stage.type not in ("lost", "cancelled"):
        _check_list(draft, track, leaving)
    _check(session, draft, track, _among(pipeline, from_=leaving.key, to=stage.key), params)


def _among(pipeline: Pipeline, *, from_: str = "", to: str = "") -> list[Move] | None:
    """The moves out of a stage, into one, or both; None where any is allowed."""
    if pipeline.moves is None:
        return None
    return [m for m in pipeline.moves if (not from_ or _fits(m.from_, from_)) and (not to or _fits(m.to, to))]


def _check(session: Session, draft: Draft, track: Track, moves: Sequence[Move] | None, params: dict[str, Text]) -> None:
    """One of the moves must be open to this person and this record."""
    if moves is None:
        return
    if not moves:
        draft.fault(Fault("move", "“{from}” cannot be followed by “{to}”.", track.field, params))
        return
    barred = [m for m in moves if not _may(session, m)]
    if len(barred) == len(moves):
        keys = dict.fromkeys(r for m in moves for r in m.roles)
        roles = tuple(session.model.roles[r].label for r in keys if r in session.model.roles)
        message = "Only {roles} may move this from “{from}” to “{to}”."
        draft.fault(Fault("forbidden", message, track.field, {**params, "roles": roles}))
    elif not _any_holds(draft, (m for m in moves if m not in barred)):
        reads = _read_by(session, draft, [m for m in moves if m not in barred])
        labels = tuple(draft.entity.fields[name].label for name in reads)
        message = "The condition for moving from “{from}” to “{to}” is not met. It looks at: {fields}."
        if not reads:
            message = "The condition for moving from “{from}” to “{to}” is not met."
        draft.fault(Fault("move", message, track.field, {**params, "fields": labels, "reads": reads}))


def _may(session: Session, move: Move) -> bool:
    principal = session.principal
    return not move.roles or principal.is_system or bool(principal.roles.intersection(move.roles))


def _any_holds(draft: Draft, moves: Iterable[Move]) -> bool:
    return any(move.when is None or holds(move.when, draft.env()) for move in moves)


def _read_by(session: Session, draft: Draft, moves: Iterable[Move]) -> tuple[str, ...]:
    """The fields that the conditions look at, as far as this person may see them."""
    modes, fields = session.permit.modes(draft.entity.key), draft.entity.fields
    paths = [path for m in moves if m.when is not None for path in sorted(m.when.reads)]
    names = dict.fromkeys(path[0] for path in paths if path and path[0] in fields)
    return tuple(n for n in names if modes.get(n) != "hidden")


def _check_list(draft: Draft, track: Track, stage: Stage) -> None:
    """A checklist binds when its stage is left forward."""
    ticked = set(draft.value(track.checklist) or ()) if track.checklist in draft.entity.fields else set()
    for key, label in stage.checklist.items():
        if f"{stage.key}.{key}" not in ticked:
            message = "“{item}” must be ticked before “{stage}” is left."
            params = {"item": label, "stage": stage.label, "key": f"{stage.key}.{key}"}
            draft.fault(Fault("gate", message, track.checklist, params))


def _fits(keys: Sequence[str], key: str) -> bool:
    return "*" in keys or key in keys
