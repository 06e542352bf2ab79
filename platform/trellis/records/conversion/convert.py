"""Conversion: a record becomes records of other entities, once, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from uuid_utils.compat import uuid7

from trellis.formula.env import Env
from trellis.formula.types import Ref, Value
from trellis.model.conversion import CONVERTED_AT, Conversion, Target, became_field
from trellis.model.fields.base import Invalid
from trellis.model.given import Given
from trellis.records import faults
from trellis.records.access import rights
from trellis.records.conversion import matches, moving
from trellis.records.conversion.matches import Match
from trellis.records.draft import Draft
from trellis.records.graph import LiveRecord, StoreGraph
from trellis.records.merging import dedupe
from trellis.records.recycling.bin import reach_or_raise
from trellis.records.refusal import Fault, Forbidden, Missing, Refused
from trellis.records.versions import batches
from trellis.records.writing import write

if TYPE_CHECKING:
    from trellis.records.session import Session

Choices = Mapping[str, Any]
CARRIED = {"tags": ("tags",), "files": ("file", "image")}  # what a new record takes over under the same name


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a record may become: the values of a new one, and existing ones that look like it."""

    target: Target
    values: Mapping[str, Value]
    given: frozenset[str]  # fields that follow from what it becomes before: nobody types them in
    matches: tuple[Match, ...]
    may_create: bool
    may_choose: bool


@dataclass(frozen=True, slots=True)
class Converted:
    """What came of a conversion."""

    became: Mapping[str, Ref]
    created: frozenset[str]  # those that are new
    moved: Mapping[str, int]
    batch: UUID


def conversion_of(session: Session, entity: str) -> Conversion:
    """The conversion of an entity; Forbidden when there is none, or none for this person."""
    session.entity(entity)
    found = session.model.conversions.get(entity)
    if found is None or not may(session, entity):
        raise Forbidden(entity, "convert")
    return found


def may(session: Session, entity: str) -> bool:
    """Whether this person may convert any record of the entity."""
    found = session.model.conversions.get(entity)
    if found is None:
        return False
    has_role = not found.roles or session.permit.is_system or bool(set(found.roles) & set(session.principal.roles))
    return has_role and session.permit.may("convert", entity)


def is_ready(session: Session, entity: str, id: UUID) -> bool:
    """Whether this person may convert the record as it is now."""
    if not may(session, entity) or not rights.may_with(session, "convert", entity, id):
        return False
    conversion = session.model.conversions[entity]
    for record in StoreGraph(session).load(entity, [id]):
        is_open = record.value("deleted_at") is None and record.value(CONVERTED_AT) is None
        return is_open and (conversion.when is None or conversion.when.evaluate(record.env()) is True)
    return False


def _open(session: Session, conversion: Conversion, id: UUID) -> Draft:
    """The record, locked; Refused when it was converted before or is not ready."""
    draft = write.open_for_update(session, conversion.entity, id, means="convert", action="convert")
    if draft.before(CONVERTED_AT) is not None:
        raise Refused([Fault("converted", "It has been converted already.", None)])
    write.refuse([draft])
    if conversion.when is not None and conversion.when.evaluate(draft.env()) is not True:
        raise Refused([Fault("convert", "It cannot be converted as it is now.", None)])
    return draft


def propose(session: Session, entity: str, id: UUID) -> list[Proposal]:
    """What the record would become, with what looks like it; nothing is written."""
    conversion = conversion_of(session, entity)
    draft = _open(session, conversion, id)
    found = []
    for target in _offered(conversion, draft):
        fills = {key: _evaluate(draft, filling, {}) for key, filling in target.fills.items()}
        fills |= _carried(session, conversion, draft, target)
        new = _new_draft(session, draft, target, fills)
        found.append(
            Proposal(
                target=target,
                values={key: new.value(key) for key in fills if not session.permit.conceals(target.entity, key)},
                given=frozenset(k for k, f in target.fills.items() if _names_made(conversion, f)),
                matches=_matches(session, new, target),
                may_create=session.permit.may("create", target.entity),
                may_choose=session.permit.may("read", target.entity),
            )
        )
    return found


def _matches(session: Session, new: Draft, target: Target) -> tuple[Match, ...]:
    """What looks like the new record: by the fields of `match`, and by the rules that would warn of it or refuse it."""
    found = matches.find(session, new, target.match)
    seen = {match.ref.id for match in found if match.ref}
    for fault in dedupe.look(session, new):
        for told in fault.params.get("records", ()):
            id = UUID(told["id"])
            if told["entity"] == target.entity and id not in seen:
                seen.add(id)
                on = (fault.field,) if fault.field else ()
                found.append(Match(Ref(target.entity, id, told["title"]), told.get("owner", ""), on))
    return tuple(found)


def convert(session: Session, entity: str, id: UUID, choices: Choices) -> Converted:
    """Convert a record. `choices` by target: "new", "skip", {"existing": id} or {"new": {field: value}}; "new" is meant
    where nothing is said. Raises Refused with every fault, each at `<target>.<field>`.
    """
    conversion = conversion_of(session, entity)
    with batches.within(session, "convert", entity) as batch:
        draft = _open(session, conversion, id)
        became, created = _become(session, conversion, draft, choices)
        moved = moving.move(session, conversion, draft, became, batch)
        _close(session, conversion, draft, became)
    return Converted({k: r.ref for k, r in became.items()}, frozenset(created), moved, batch.id)


def _offered(conversion: Conversion, draft: Draft) -> Iterator[Target]:
    """The targets that this record may become."""
    for target in conversion.into.values():
        if target.when is None or target.when.evaluate(draft.env()) is True:
            yield target


def _become(
    session: Session, conversion: Conversion, draft: Draft, choices: Choices
) -> tuple[dict[str, LiveRecord], set[str]]:
    """Make or find the records, in order: later ones may name earlier ones."""
    became: dict[str, LiveRecord] = {}
    created: set[str] = set()
    failed: set[str] = set()
    found: list[Fault] = [
        Fault("unknown", "There is nothing of that name to become.", name)
        for name in choices
        if name not in conversion.into
    ]
    for target in _offered(conversion, draft):
        try:
            record, is_new = _one(session, conversion, draft, target, _choice(target, choices), became)
        except Refused as refused:
            failed.add(target.entity)
            follow = {k for k, f in target.fills.items() if any(_names(f, name) for name in failed)}
            found.extend(_at(target, fault) for fault in refused.faults if fault.field not in follow)
            continue
        if record is not None:
            became[target.entity] = record
        if is_new:
            created.add(target.entity)
    if not found and not became and not failed:
        found.append(Fault("convert", "Choose at least one record that it becomes.", None))
    if found or failed:
        raise Refused(found or [Fault("convert", "It cannot be converted as it is now.", None)])
    return became, created


def _at(target: Target, fault: Fault) -> Fault:
    return replace(fault, field=f"{target.entity}.{fault.field}" if fault.field else target.entity)


def _choice(target: Target, choices: Choices) -> tuple[str, Any]:
    """What was chosen: ("new", values), ("existing", id) or ("skip", None)."""
    given = choices.get(target.entity, "new")
    if isinstance(given, Mapping) and len(given) == 1:
        [(how, what)] = given.items()
        if how == "new" and isinstance(what, Mapping):
            return "new", what
        if how == "existing" and what:
            return "existing", what
    if given in ("new", "skip"):
        return given, {}
    raise Refused([Fault("invalid", "Choose an existing record, a new one, or none.", None)])


def _one(
    session: Session,
    conversion: Conversion,
    draft: Draft,
    target: Target,
    choice: tuple[str, Any],
    became: Mapping[str, LiveRecord],
) -> tuple[LiveRecord | None, bool]:
    how, what = choice
    if how == "skip":
        if not target.optional:
            raise Refused([Fault("required", "This cannot be left out.", None)])
        return None, False
    if how == "existing":
        return _existing(session, draft, target, what), False
    return _create(session, conversion, draft, target, what, became), True


def _existing(session: Session, draft: Draft, target: Target, id: Any) -> LiveRecord:
    """A record that is there already: it is linked to, and nothing in it is changed."""
    try:
        wanted = id.id if isinstance(id, Ref) else id if isinstance(id, UUID) else UUID(str(id))
        reach_or_raise(session, target.entity, wanted, "read", deleted=False)
    except (ValueError, Missing) as error:
        raise Refused([Fault("link", "There is no such record.", None, {"id": str(id)})]) from error
    return draft.record.graph.load(target.entity, [wanted])[0]


def _create(
    session: Session,
    conversion: Conversion,
    draft: Draft,
    target: Target,
    typed: Mapping[str, Any],
    became: Mapping[str, LiveRecord],
) -> LiveRecord:
    if not session.permit.may("create", target.entity):
        label = session.model.entities[target.entity].label
        message = "You may not create this: {thing}. Choose one that is there."
        raise Refused([Fault("forbidden", message, None, {"thing": label})])
    fills = {k: _evaluate(draft, f, became) for k, f in target.fills.items() if k not in typed}
    fills |= {k: v for k, v in _carried(session, conversion, draft, target).items() if k not in typed}
    new = _new_draft(session, draft, target, fills)
    write.prepare(session, new, typed)
    write.check_all(session, [new])
    write.refuse([new])
    try:
        write.store_new(session, [new])
    except Forbidden as error:
        raise Refused([Fault("forbidden", "You may not create this as it is.", None)]) from error
    return new.record


def _new_draft(session: Session, draft: Draft, target: Target, fills: Mapping[str, Any]) -> Draft:
    """A new record with what the configuration fills in, whoever converts."""
    definition = session.entity(target.entity)
    record = LiveRecord(draft.record.graph, definition, uuid7(), {}, is_new=True)
    draft.record.graph.put(record)
    new = Draft(definition, record, means="convert", comes_from=draft.record.id)
    for key, raw in fills.items():
        field = definition.fields[key]
        try:
            value = None if raw is None else field.type.parse(raw, session.reader)
        except Invalid as error:
            new.fault(faults.invalid(key, error))
            continue
        if value is not None:
            new.set(key, value)
            new.given[key] = raw
    return new


def _evaluate(draft: Draft, filling: Given, became: Mapping[str, LiveRecord]) -> Any:
    record = draft.record
    variables: dict[str, Any] = {"record": record.ref, **{name: made.ref for name, made in became.items()}}
    env = Env(record, record.graph.session.reader, record.graph, old=draft.old, variables=variables)
    return filling.evaluate(env)


def _carried(session: Session, conversion: Conversion, draft: Draft, target: Target) -> dict[str, Any]:
    """Tags and files go over into fields of the same name, unless the configuration fills these."""
    definition = session.entity(target.entity)
    kinds = {kind for word in conversion.move for kind in CARRIED.get(word, ())}
    return {
        key: value
        for key, field in draft.entity.fields.items()
        if field.type.name in kinds and key not in target.fills
        if key in definition.fields and definition.fields[key].type.name == field.type.name
        if (value := draft.value(key)) is not None
    }


def _names(filling: Given, name: str) -> bool:
    """Whether a value follows from what the record becomes under this name."""
    return any(re.search(rf"(?<![\w.\"']){name}\b", formula.source) for formula in filling.formulas())


def _names_made(conversion: Conversion, filling: Given) -> bool:
    return any(_names(filling, name) for name in conversion.into)


def _close(session: Session, conversion: Conversion, draft: Draft, became: Mapping[str, LiveRecord]) -> None:
    """Write into the record what it became, and what `then` says."""
    for key, filling in conversion.then.items():
        raw = _evaluate(draft, filling, became)
        field = draft.entity.fields[key]
        try:
            draft.set(key, None if raw is None else field.type.parse(raw, session.reader))
        except Invalid as error:
            draft.fault(faults.invalid(key, error))
        draft.given[key] = raw
    draft.set(CONVERTED_AT, session.reader.now)
    for name, record in became.items():
        draft.set(became_field(name), record.ref)
    write.prepare(session, draft, {})
    write.check_all(session, [draft])
    write.refuse([draft])
    write.store_changed(session, [draft], kind="convert")
