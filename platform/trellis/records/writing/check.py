"""Everything that a record must keep before it is written: required, ranges, patterns, choices, rules, link targets."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.formula.formula import Formula
from trellis.formula.types import Ref, Value
from trellis.model.field import Field
from trellis.model.fields.base import FieldType
from trellis.model.formats import named_format
from trellis.model.known import currency_codes
from trellis.model.text import Text
from trellis.records import faults
from trellis.records.deriving import money
from trellis.records.draft import Draft
from trellis.records.kept import keep, known
from trellis.records.reading import shown
from trellis.records.reading.catalog import system_scope
from trellis.records.reading.concealed import conceals
from trellis.records.refusal import Fault
from trellis.records.writing import assigning, attached, conditions
from trellis.records.writing.hands import is_by_hand

if TYPE_CHECKING:
    from trellis.records.session import Session

_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def check(session: Session, drafts: Iterable[Draft]) -> None:
    """Note every fault of the drafts."""
    every = list(drafts)
    for draft in every:
        for field in draft.entity.fields.values():
            if field.is_writable:
                check_field(session, draft, field)
        check_rules(session, draft)
    check_links(session, every, hold=True)
    attached.check(session, every)
    assigning.check(session, every)


def check_field(session: Session, draft: Draft, field: Field) -> None:
    """Required, then what the type, the pattern, the format and the choices say; unchanged values stay valid."""
    if not draft.has_changed(field.key) and not field.required and field.required_when is None:
        return
    value = draft.value(field.key)
    if _is_blank(field, value):
        if conditions.is_required(draft, field) and field.type.name != "sequence":
            draft.fault(money.why_blank(draft, field) or faults.required(field.key))
        return
    if not draft.has_changed(field.key) and not isinstance(getattr(field.type, "currency", None), Formula):
        return  # an amount must be in the currency of its document, whichever of them has changed
    for error in field.type.check(value) if not _bounds(field) else _with_bounds(draft, field).check(value):
        draft.fault(faults.invalid(field.key, error))
    if field.pattern is not None and isinstance(value, str) and not _pattern(field.pattern).search(value):
        draft.fault(Fault("pattern", field.pattern_message or "This is not in the expected form.", field.key))
    _check_choices(draft, field, value)
    _check_format(session, draft, field, value)


def _is_blank(field: Field, value: Value) -> bool:
    """Whether the field has no value; a required boolean must be true."""
    if value is None or value == () or value == "":
        return True
    return field.required and field.type.name == "boolean" and value is False


BOUNDS = ("min", "max", "currency")


def _bounds(field: Field) -> bool:
    return any(isinstance(getattr(field.type, side, None), Formula) for side in BOUNDS)


def _with_bounds(draft: Draft, field: Field) -> FieldType:
    """The type with bounds that are formulas computed for this record."""
    bounds = {side: bound for side in BOUNDS if isinstance(bound := getattr(field.type, side, None), Formula)}
    computed: dict[str, Any] = {side: bound.evaluate(draft.env()) for side, bound in bounds.items()}
    if "currency" in computed and computed["currency"] not in currency_codes():
        computed["currency"] = None  # what is no currency is refused where it is written
    return replace(field.type, **computed)


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    """The whole value must match, as in HTML."""
    return re.compile(rf"\A(?:{pattern})\Z")


def _check_choices(draft: Draft, field: Field, value: Value) -> None:
    allowed = conditions.open_choices(draft, field)
    if allowed is None:
        return
    before = draft.before(field.key)
    kept = set(before) if isinstance(before, tuple) else {before}
    for item in value if isinstance(value, tuple) else (value,):
        if item not in allowed and item not in kept:
            draft.fault(Fault("choice", "“{value}” cannot be chosen here.", field.key, {"value": str(item)}))


def _check_format(session: Session, draft: Draft, field: Field, value: Value) -> None:
    """The named format: a `format:` document of a layer, else one of the platform's."""
    if field.format is None or not isinstance(value, str):
        return
    found = named_format(field.format, dict(session.model.formats))
    if found is None:
        return
    tidied = found.tidy(value)
    error = found.check(tidied)
    if error is not None:
        said = found.message if found.message is not None and found.message.source else None
        draft.fault(Fault("format", said, field.key) if said else faults.invalid(field.key, error))
    elif tidied != value:
        draft.set(field.key, tidied)


def check_rules(session: Session, draft: Draft) -> None:
    """The entity's rules, which bind everyone; what is wrong already is not said twice, what is kept secret never."""
    env, entity = draft.env(), draft.entity.key
    message: Any
    for rule in draft.entity.rules:
        if not rule.check.refuses(env):
            continue
        message = rule.message.evaluate(env) if not rule.message.is_constant else rule.text
        if not session.principal.is_system and conceals(session, entity, rule.message):
            message = _without_values(rule.text)
        field = None if rule.field and session.permit.hides(entity, rule.field) else rule.field
        draft.fault(Fault("rule", message or rule.text, field, {}))


def _without_values(text: Text) -> Text:
    """A rule's message where what it would name is not for this person."""
    said = {language: _PLACEHOLDER.sub("…", words) for language, words in text.translations.items()}
    return Text(_PLACEHOLDER.sub("…", text.source), said)


def check_links(session: Session, drafts: Iterable[Draft], *, hold: bool = False) -> None:
    """New link targets exist, are not in the bin, may be read by the writer, and fit the link's filter.

    Those that were there before must fit too when a person changes what the filter looks at in the record itself: a
    deal that goes to another account does not keep the contact of the first one. `hold`: see `readable`.
    """
    wanted: dict[str, set[UUID]] = defaultdict(set)
    uses: list[tuple[Draft, Field, Ref]] = []
    drafts = list(drafts)
    inside = {(d.record.entity, d.record.id) for d in drafts}  # made here, or open and locked
    for draft in drafts:
        for field in draft.entity.fields.values():
            if not field.is_writable or field.type.formula_type().kind not in ("record", "records"):
                continue
            for ref in _kept_targets(draft, field):
                _check_filter(draft, field, ref)
            for ref in _new_targets(draft, field):
                if ref.entity not in session.model.entities:
                    draft.fault(_no_target(field, ref))
                    continue
                if (ref.entity, ref.id) not in inside:
                    wanted[ref.entity].add(ref.id)
                uses.append((draft, field, ref))
    there = {(entity, id) for entity, ids in wanted.items() for id in readable(session, entity, ids, hold=hold)}
    for draft, field, ref in uses:
        key = (ref.entity, ref.id)
        if key not in there and key not in inside:
            draft.fault(_no_target(field, ref))
        else:
            _check_filter(draft, field, ref)


def _new_targets(draft: Draft, field: Field) -> list[Ref]:
    """The targets that the stored record does not have yet."""
    if field.key not in draft.given and draft.is_new is False and not draft.has_changed(field.key):
        return []
    value, before = draft.value(field.key), draft.before(field.key)
    new = value if isinstance(value, tuple) else (value,)
    old = set(before) if isinstance(before, tuple) else {before}
    return [ref for ref in new if isinstance(ref, Ref) and ref not in old]


def _kept_targets(draft: Draft, field: Field) -> list[Ref]:
    """The targets that stay, where what the filter asks of this record has changed by a person's hand."""
    if draft.is_new or not is_by_hand(draft.means):
        return []
    asked = {path[1] for path in getattr(_filter_of(field), "reads", ()) if len(path) > 1 and path[0] == "this"}
    if not any(name in draft.entity.fields and draft.has_changed(name) for name in asked):
        return []
    value, before = draft.value(field.key), draft.before(field.key)
    now = value if isinstance(value, tuple) else (value,)
    old = set(before) if isinstance(before, tuple) else {before}
    return [ref for ref in now if isinstance(ref, Ref) and ref in old]


def _filter_of(field: Field) -> Formula | None:
    formula = getattr(field.type, "filter", None)
    return formula if isinstance(formula, Formula) else None


def readable(session: Session, entity: str, ids: set[UUID], *, deleted: bool = False, hold: bool = False) -> set[UUID]:
    """Those of the records that this person may read, and that are live (`deleted`: or in the bin).

    `hold`: they stay live until the save is done, as whoever deletes one of them waits for it and is told what points
    there by then.
    """
    key = (session.view_key, "readable", entity, deleted, hold)
    statement = known(key)
    if statement is None:
        scope = system_scope(session, entity, late=True)
        table = scope.alias
        wanted: sa.BindParameter[Any] = sa.bindparam("_ids", type_=ARRAY(sa.Uuid))
        conditions_: list[sa.ColumnElement[bool]] = [table.c.id == sa.any_(wanted)]
        if not deleted:
            conditions_.append(table.c.deleted_at.is_(None))
        reach = session.permit.reach("read", scope)
        if reach is not None:
            conditions_.append(reach)
        statement = sa.select(table.c.id).select_from(scope.joined()).where(*conditions_)
        if hold:
            statement = statement.order_by(table.c.id).with_for_update(of=table, read=True, key_share=True)
        if not scope.catalog.is_personal:
            keep(key, statement)
    return set(session.execute(statement, {"_ids": list(ids)}).scalars())


def _check_filter(draft: Draft, field: Field, ref: Ref) -> None:
    """A link's `filter` is about the target; `this` is the record that is being saved."""
    formula = _filter_of(field)
    target = draft.record.graph.follow(ref) if formula is not None else None
    if formula is None or target is None or formula.evaluate(target.env(this=draft.record)) is True:
        return
    title = shown.title(draft.record.graph.session, ref)
    params = {"title": title, "unfit": str(ref.id)}
    if title:
        draft.fault(Fault("link", "“{title}” cannot be chosen here.", field.key, params))
    else:
        draft.fault(Fault("link", "What is linked here does not fit any more.", field.key, params))


def _no_target(field: Field, ref: Ref) -> Fault:
    return Fault("link", "There is no such record.", field.key, {"id": str(ref.id)})
