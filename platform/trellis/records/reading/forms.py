"""What an open form is told: conditions, defaults and computed values for what stands in it now, nothing saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from uuid_utils.compat import uuid7

from trellis.formula.formula import Formula
from trellis.formula.types import Value
from trellis.model.entity import Entity
from trellis.model.form import Form
from trellis.records.draft import Draft
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.merging import dedupe
from trellis.records.pipelines import pipeline
from trellis.records.pools import standing
from trellis.records.record import FieldState, FormState
from trellis.records.refusal import Missing
from trellis.records.writing import check, conditions, following, lines, values, write

if TYPE_CHECKING:
    from trellis.records.session import Session


def evaluate(session: Session, entity: str, given: Mapping[str, Any], id: UUID | None) -> FormState:
    """The state of every field of the form; paths into lines are `lines.0.amount`."""
    draft = _draft(session, entity, given, id)
    blank = {n for n in draft.entity.fields if draft.value(n) is None} if draft.is_new else set()
    values.take(session, draft, given)
    if draft.is_new:
        write.fill_defaults(session, draft)
    else:
        following.keep(session, draft)
    lines.take(session, draft, {**lines.moved(session, draft, given), **given})
    unfit = _forget_unreadable(session, draft)
    pipeline.follow(session, draft)
    pipeline.check(session, draft)
    write.derive(draft)
    fields: dict[str, FieldState] = {}
    defaults: dict[str, Value] = {}
    computed: dict[str, Value] = {}
    _describe(session, draft, "", fields, computed)
    for name, ids in unfit.items():
        if name in fields:
            fields[name] = replace(fields[name], unfit=tuple(ids))
    for name in blank:
        field = draft.entity.fields[name]
        if field.default is not None and name not in given and draft.value(name) is not None:
            defaults[name] = draft.value(name)
    if not draft.is_new:
        defaults.update({f.key: draft.value(f.key) for f in following.fields(draft.entity) if f.key not in given})
    for name, drafts in draft.lines.items():
        raw = given.get(name) or ()
        for index, line in enumerate(drafts):
            place = f"{name}.{index}."
            _describe(session, line, place, {}, computed)
            defaults.update(_line_defaults(line, place, raw[index] if index < len(raw) else {}))
    sections = {
        s.key: s.visible_when is None or conditions.holds(s.visible_when, draft.env())
        for form in _forms(draft.entity, session.principal.roles)
        for s in form.sections
    }
    wrong, alike = tuple(draft.all_faults()), dedupe.look(session, draft)
    return FormState(fields, defaults, computed, sections, wrong, alike, dict(_currencies(draft)))


def _currencies(draft: Draft, place: str = "") -> Iterator[tuple[str, str]]:
    """The currencies of amounts that the document says, by path."""
    for name, field in draft.entity.fields.items():
        if isinstance(getattr(field.type, "currency", None), Formula):
            yield place + name, values.reader_of(draft, field).currency
    for name, drafts in draft.lines.items():
        for index, line in enumerate(drafts):
            yield from _currencies(line, f"{place}{name}.{index}.")


def _forget_unreadable(session: Session, draft: Draft) -> dict[str, list[str]]:
    """Blank links to what the person may not read, so that nothing computed gives it away.

    What does not fit a link's filter any more is blanked too; its ids by the record's own fields.
    """
    check.check_links(session, draft.every())
    unfit: dict[str, list[str]] = {}
    for inner in draft.every():
        for fault in inner.faults:
            name = (fault.field or "").removeprefix(inner.prefix)
            if fault.code == "link" and name in inner.entity.fields:
                inner.set(name, None)
                if inner is draft and "unfit" in fault.params:
                    unfit.setdefault(name, []).append(fault.params["unfit"])
    return unfit


def _draft(session: Session, entity: str, given: Mapping[str, Any], id: UUID | None) -> Draft:
    definition = session.entity(entity)
    graph = StoreGraph(session)
    if id is None:
        record = LiveRecord(graph, definition, uuid7(), {}, is_new=True)
        graph.put(record)
        return Draft(definition, record)
    from trellis.records.reading.query import read

    read(session, entity, id, fields=(), deleted=True)  # raises Missing for one who may not see it
    loaded = graph.load(entity, [id])
    if not loaded:
        raise Missing(f"{entity} {id}")
    old = loaded[0]
    record = old.copy()
    graph.put(record)
    return Draft(definition, record, old)


def _describe(
    session: Session, draft: Draft, place: str, fields: dict[str, FieldState], computed: dict[str, Value]
) -> None:
    modes = standing.modes_of(session, draft.old, draft.entity.key)
    stages = _stages(draft)
    for name, field in draft.entity.fields.items():
        mode = modes.get(name)
        if mode == "hidden":
            continue
        closed = mode is not None or not field.is_writable or conditions.is_readonly(draft, field)
        fields[name] = FieldState(
            visible=conditions.is_visible(draft, field),
            required=conditions.is_required(draft, field),
            readonly=closed or conditions.is_locked(draft, field),
            closed=closed,
            choices=stages.get(name) or conditions.open_choices(draft, field),
        )
        if field.is_derived and mode != "masked" and (field.stored or field.formula is not None):
            computed[place + name] = draft.value(name)


def _stages(draft: Draft) -> dict[str, tuple[str, ...]]:
    """The stages of the pipeline that is chosen, by stage field, where there are several."""
    found = {}
    for track in pipeline.tracks(draft.entity):
        among = pipeline.pipeline_of(draft, track)
        if among is not None and len(pipeline.pipelines_on(draft.entity, track)) > 1:
            found[track.field] = tuple(among.stages)
    return found


def _line_defaults(line: Draft, place: str, raw: Mapping[str, Any]) -> dict[str, Value]:
    return {
        place + f.key: line.value(f.key)
        for f in (line.entity.fields.values() if line.is_new else following.fields(line.entity))
        if f.default is not None and f.key not in raw and line.value(f.key) is not None
    }


def _forms(entity: Entity, roles: frozenset[str]) -> list[Form]:
    """The forms that the person may have before them."""
    own = [form for form in entity.forms.values() if not form.roles or roles & frozenset(form.roles)]
    return [*([entity.form] if entity.form is not None else []), *own]
