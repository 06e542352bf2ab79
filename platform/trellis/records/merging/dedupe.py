"""Records that are probably the same: looked for on create, edit and import, and while a form is filled in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.formula.types import Ref
from trellis.model import matching
from trellis.model.entity import Dedupe, Entity
from trellis.records.draft import Draft
from trellis.records.merging import alike
from trellis.records.reading import filtering
from trellis.records.reading.selection import Selection
from trellis.records.refusal import Fault
from trellis.storage import matching as sql
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.records.session import Session

MOST_TOLD = 5  # records that a refusal names
NEIGHBOURS = 50  # names that are looked at on each side, from the front and from the end
NEAR_IN_BATCH = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What a draft is looked for by under a rule: each part's normal form."""

    draft: Draft
    key: tuple[Any, ...]


def check(session: Session, drafts: Sequence[Draft]) -> None:
    """Note each rule that finds a record like a draft: a fault where it blocks, a warning where it warns."""
    by_entity: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        if draft.entity.dedupe:
            by_entity[draft.entity.key].append(draft)
    for some in by_entity.values():
        for rule in some[0].entity.dedupe:
            for draft, fault in find(session, rule, some):
                if rule.action == "block":
                    draft.fault(fault)
                else:
                    draft.warnings.append(fault)


def look(session: Session, draft: Draft) -> tuple[Fault, ...]:
    """What the rules would say of a record that is still being typed."""
    wrong = {fault.field for fault in draft.faults}
    rules = [r for r in draft.entity.dedupe if not wrong.intersection(m.field for m in r.match)]
    return tuple(fault for rule in rules for _, fault in find(session, rule, [draft]))


def find(session: Session, rule: Dedupe, drafts: Sequence[Draft]) -> list[tuple[Draft, Fault]]:
    """The drafts of one entity that a rule has something to say about."""
    asked = [a for d in drafts if _concerns(d, rule) and (a := _asked(d, rule)) is not None]
    if not asked:
        return []
    found: dict[int, list[tuple[str, UUID]]] = defaultdict(list)
    own = drafts[0].entity.key
    known = {m.field: not session.permit.conceals(own, m.field) for m in rule.match}
    if rule.action != "block" and not all(known.values()):
        return []  # a hint would tell what the person may not see
    for target, names in rule.targets(own):
        for at, ids in _stored(session, rule, target, names, asked).items():
            found[at] += [(target, id) for id in ids]
    seen = _describe(session, found) if all(known.values()) else {}
    field = next((name for name, is_known in known.items() if is_known), None)
    said = []
    earlier = _earlier(rule, asked) if not rule.against else set()
    for at, one in enumerate(asked):
        if records := found.get(at):
            said.append((one.draft, _fault(rule, [seen.get(r) for r in records], field)))
        elif at in earlier:
            said.append((one.draft, _batch_fault(rule, field)))
    return said


def same_as(session: Session, draft: Draft) -> list[tuple[str, UUID]]:
    """The live records that a rule takes for the same as a stored one: equal in every part, not only similar."""
    found: dict[tuple[str, UUID], None] = {}
    for rule in draft.entity.dedupe:
        asked = _asked(draft, rule) if all(m.how != "similar" for m in rule.match) else None
        for target, names in rule.targets(draft.entity.key) if asked is not None else ():
            for id in _stored(session, rule, target, names, [asked] if asked else []).get(0, ()):
                found[target, id] = None
    return list(found)


def _batch_fault(rule: Dedupe, field: str | None) -> Fault:
    message = "This looks like another record of the same import or edit."
    return Fault("duplicate", message, field, {"rule": rule.key, "blocks": rule.action == "block"})


def _concerns(draft: Draft, rule: Dedupe) -> bool:
    return any(draft.has_changed(match.field) for match in rule.match)


def _asked(draft: Draft, rule: Dedupe) -> Asked | None:
    """The draft's values; None when one is blank, which matches nothing."""
    key = []
    for match in rule.match:
        value = matching.normal(draft.entity.fields[match.field], draft.value(match.field), match.how)
        if value is None:
            return None
        key.append(value)
    return Asked(draft, tuple(key))


# ── what is stored ───────────────────────────────────────────────────────────────────────────────────────────


def _stored(
    session: Session, rule: Dedupe, target: str, names: Mapping[str, str], asked: Sequence[Asked]
) -> dict[int, list[UUID]]:
    """The live records like each of the drafts, by its place."""
    fields = [session.model.entities[target].fields.get(names[m.field]) for m in rule.match]
    if any(f is None or not f.is_stored for f in fields):
        return {}
    alikes = any(m.how == "similar" for m in rule.match)
    found = _similar(session, rule, target, names, asked) if alikes else _same(session, rule, target, names, asked)
    apart = _apart(session, target, [a.draft.record.id for a in asked]) if any(found.values()) else {}
    result = {}
    for at, ids in found.items():
        own = asked[at].draft.record.id
        itself = (own, asked[at].draft.comes_from)
        if left := [id for id in ids if id not in itself and id not in apart.get(own, ())]:
            result[at] = left
    return result


def _apart(session: Session, entity: str, ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
    """The records that somebody has said to be no duplicates of these."""
    table = session.tables.platform.not_duplicate
    wanted = sa.select(table.c.one, table.c.other).where(
        table.c.entity == entity, sa.or_(table.c.one.in_(list(ids)), table.c.other.in_(list(ids)))
    )
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for row in session.execute(wanted).all():
        found[row.one].add(row.other)
        found[row.other].add(row.one)
    return found


def _parts(session: Session, rule: Dedupe, target: str, names: Mapping[str, str], table: Any) -> list[Any]:
    """The normal forms of the target's columns."""
    entity = session.model.entities[target]
    return [sql.normal(entity.fields[names[m.field]], table.c[short(names[m.field])], m.how) for m in rule.match]


def _same(
    session: Session, rule: Dedupe, target: str, names: Mapping[str, str], asked: Sequence[Asked]
) -> dict[int, list[UUID]]:
    """Records that are equal in every part: one statement for all drafts."""
    table = session.table(target)
    parts = _parts(session, rule, target, names, table)
    keys = list(dict.fromkeys(a.key for a in asked))
    wanted = sa.tuple_(*parts).in_(keys) if len(parts) > 1 else parts[0].in_([key[0] for key in keys])
    statement = sa.select(table.c.id, *parts).where(wanted, table.c.deleted_at.is_(None))
    by_key: dict[tuple[Any, ...], list[UUID]] = defaultdict(list)
    for row in session.execute(statement.limit((MOST_TOLD + 2) * 20 * len(keys))).all():
        by_key[tuple(row[1:])].append(row[0])
    return {at: by_key[a.key] for at, a in enumerate(asked) if a.key in by_key}


def _similar(
    session: Session, rule: Dedupe, target: str, names: Mapping[str, str], asked: Sequence[Asked]
) -> dict[int, list[UUID]]:
    """Records that are equal in some parts and similar in others: one statement for all drafts.

    Similar names are neighbours in the order of their letters, read from the front or from the end: so an index
    gives the ones to look at, as many in a large table as in a small one.
    """
    table = session.table(target)
    parts = _parts(session, rule, target, names, table)
    place = next(at for at, m in enumerate(rule.match) if m.how == "similar")
    fields = [session.model.entities[target].fields[names[m.field]] for m in rule.match]
    raw = [table.c[short(f.key)] for f in fields]  # Python is quicker with their normal forms
    sought, columns = _sought(parts, asked)
    same = [p == c for p, c, m in zip(parts, columns, rule.match, strict=True) if m.how != "similar"]
    near = [
        sa.select(table.c.id, *raw)
        .where(*same, condition, table.c.deleted_at.is_(None))
        .order_by(order)
        .limit(NEIGHBOURS)
        .correlate(sought)
        .lateral(f"near{at}")
        for at, (condition, order) in enumerate(_neighbourhood(parts[place], columns[place]))
    ]
    found_near = [sa.select(sought.c.place, *n.c).select_from(sought.join(n, sa.true())) for n in near]
    rows = session.execute(sa.union_all(*found_near)).all()
    known: dict[str, Any] = {}
    found: dict[int, dict[UUID, None]] = defaultdict(dict)
    for at, id, *values in map(tuple, rows):
        one = asked[at - 1]
        spelled = repr(values)  # neighbours of one are neighbours of the next
        normal = known.get(spelled) or known.setdefault(spelled, _normal(rule, fields, one.key, values))
        if id not in found[at - 1] and _is_alike(rule, one.key, _with_own(rule, one.key, normal)):
            found[at - 1][id] = None
    return {at: list(ids) for at, ids in found.items()}


def _sought(parts: Sequence[Any], asked: Sequence[Asked]) -> tuple[Any, list[Any]]:
    """What the drafts are looked for by, as a table of the query with each one's place from 1 on."""
    values = [
        sa.cast(sa.literal([one.key[at] for one in asked], ARRAY(part.type)), ARRAY(part.type))
        for at, part in enumerate(parts)
    ]
    named = [sa.column(f"v{at}", part.type) for at, part in enumerate(parts)]
    sought = sa.func.unnest(*values).table_valued(*named, with_ordinality="place").render_derived(name="sought")
    return sought, [sought.c[f"v{at}"] for at in range(len(parts))]


def _with_own(rule: Dedupe, key: Sequence[Any], normal: Sequence[Any]) -> list[Any]:
    """A row's normal forms, with what was asked for where the statement saw to it that it is equal."""
    return [n if m.how == "similar" else k for m, k, n in zip(rule.match, key, normal, strict=True)]


def _normal(rule: Dedupe, fields: Sequence[Any], key: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """The normal forms of a row's similar parts; the others are what was asked for."""
    return [
        matching.normal(field, value, m.how) if m.how == "similar" else same
        for m, field, same, value in zip(rule.match, fields, key, values, strict=True)
    ]


def _neighbourhood(part: Any, value: Any) -> list[tuple[Any, Any]]:
    """What stands before and after a value, in the order from the front and from the end."""
    ways = []
    for expression, own in ((part, value), (sql.backwards(part), sql.backwards(value))):
        ways += [(expression >= own, expression.asc()), (expression < own, expression.desc())]
    return ways


def _is_alike(rule: Dedupe, key: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(
        alike.is_alike(str(a), str(b), m.least) if m.how == "similar" else a == b
        for m, a, b in zip(rule.match, key, other, strict=True)
    )


def _earlier(rule: Dedupe, asked: Sequence[Asked]) -> set[int]:
    """The places of drafts that are like an earlier one of the same batch."""
    if len(asked) < 2:
        return set()
    if not any(m.how == "similar" for m in rule.match):
        seen: set[tuple[Any, ...]] = set()
        late = set()
        for at, one in enumerate(asked):
            if one.key in seen:
                late.add(at)
            elif not one.draft.faults:
                seen.add(one.key)
        return late
    late = set()
    order = sorted(range(len(asked)), key=lambda at: str(asked[at].key))
    for position, at in enumerate(order):
        for other in order[position + 1 : position + 1 + NEAR_IN_BATCH]:
            if _is_alike(rule, asked[at].key, asked[other].key) and not asked[min(at, other)].draft.faults:
                late.add(max(at, other))
    return late


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────


def _describe(session: Session, found: Mapping[int, list[tuple[str, UUID]]]) -> dict[tuple[str, UUID], dict[str, Any]]:
    """The records as far as this person may see them: title, owner and stage."""
    wanted: dict[str, dict[UUID, None]] = defaultdict(dict)
    for records in found.values():
        for entity, id in records[: MOST_TOLD + 1]:
            wanted[entity][id] = None
    seen = {}
    for entity, ids in wanted.items():
        for id, told in describe(session, entity, list(ids)).items():
            seen[entity, id] = told
    return seen


def describe(session: Session, entity: str, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Those of the records that this person may read, with what tells whose they are and how they stand."""
    if not session.permit.may("read", entity):
        return {}
    definition = session.model.entities[entity]
    selection = Selection(session, entity)
    paths = _telling(session, definition)
    shape = selection.shape(paths)
    conditions = filtering.restrict(selection, ())
    statement = selection.select().where(selection.alias.c.id.in_(list(ids)), *conditions)
    found = {}
    for row in session.execute(statement).all():
        told: dict[str, Any] = {"entity": entity, "id": str(row[shape.id]), "title": shape.title(row) or ""}
        for path in paths:
            value = shape.slots[path](row)
            kind = "owner" if path == definition.owner_field else "state"
            field = definition.fields[path]
            if isinstance(value, Ref) and value.title:
                told[kind] = value.title
            else:
                told[kind] = "" if value is None else field.type.display(value, session.reader)
        found[row[shape.id]] = told
    return found


def _telling(session: Session, entity: Entity) -> list[str]:
    """The owner and the first stage field, where this person may see them."""
    modes = session.permit.modes(entity.key)
    stage = next((p.field for p in entity.pipelines.values()), None)
    return [
        p for p in (entity.owner_field, stage) if p and p in entity.fields and modes.get(p) not in ("hidden", "masked")
    ]


def _fault(rule: Dedupe, records: Sequence[dict[str, Any] | None], field: str | None) -> Fault:
    """The refusal or warning; of records that the person may not see, only that there are any."""
    told = [r for r in records if r is not None][:MOST_TOLD]
    hidden = sum(r is None for r in records)
    blocks = rule.action == "block"
    params = {"rule": rule.key, "blocks": blocks, "title": "", "id": "", "records": tuple(told), "hidden": hidden}
    if not told:
        message = "There is already a record like this, which you cannot see. Ask an administrator."
        return Fault("duplicate", message, field, params)
    params |= {"title": told[0]["title"], "id": told[0]["id"]}
    message = (
        "This looks like “{title}”, which is already there."
        if told[0]["title"]
        else "There is already a record like this."
    )
    return Fault("duplicate", message, field, params)
