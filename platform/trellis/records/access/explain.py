"""Why a person can or cannot see or change a record: every rule of every role, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.formula.sql.scope import SqlScope
from trellis.formula.types import Ref
from trellis.model.role import Grant, Level, Role
from trellis.model.text import Text
from trellis.records.access.permit import BY_RIGHT, FOLLOWS, PART_ACTION, Mode
from trellis.records.pools import standing
from trellis.records.reading.catalog import Catalog, system_scope
from trellis.records.refusal import Missing
from trellis.records.sharing import shares

if TYPE_CHECKING:
    from trellis.records.session import Session

EXPLAINED = (
    "read",
    "update",
    "delete",
    "restore",
    "export",
    "merge",
    "bulk-edit",
    "convert",
    "assign",
    "share",
    "approve",
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule: the formula's text, and whether it holds for the record."""

    source: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """What one role says of an action: its level, whether that takes in the record, and the `where`s beside it."""

    role: str
    label: Text
    level: str
    source: str  # of a level that is a formula
    holds: bool
    wheres: tuple[Condition, ...] = ()
    shared: bool = False  # a share stands in for the level
    pooled: bool = False  # it lies in a pool, which stands in for the level
    follows: str = ""  # the action whose level this one has, as the grant does not name it

    @property
    def allows(self) -> bool:
        """Whether this rule alone would allow the action."""
        return (self.holds or self.shared or self.pooled) and all(where.holds for where in self.wheres)


@dataclass(frozen=True, slots=True)
class ShareTold:
    """A share of the record that reaches the person: their own, or one of a team's."""

    whom: Ref
    level: str
    until: date | None
    by: Ref | None


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether an action is allowed, and by which rules; `through` names the parent whose rights a part has."""

    action: str
    allowed: bool
    rules: tuple[Rule, ...] = ()
    through: tuple[str, str] | None = None  # the parent's entity, the action that is needed with it
    because: str = ""  # system, internal, unreadable


@dataclass(frozen=True, slots=True)
class FieldRuling:
    """A field that is not freely open: what it is, and what each role makes of it (blank: open)."""

    field: str
    mode: Mode
    roles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one person and one record."""

    entity: str
    id: UUID
    title: str
    in_bin: bool
    roles: tuple[tuple[str, Text], ...]
    rulings: tuple[Ruling, ...]
    fields: tuple[FieldRuling, ...]
    shares: tuple[ShareTold, ...] = ()
    is_portal: bool = False  # all of the roles are for people from outside
    contact: Ref | None = None  # who such a person is among the contacts


def explain(session: Session, entity: str, id: UUID) -> Explanation:
    """Explain the rights of the session's person with a record, in the bin or not. Raises Missing."""
    session.entity(entity)
    found = _named(session, entity, id)
    if found is None:
        raise Missing(f"{entity} {id}")
    readable = _ruling(session, entity, id, "read")
    rulings = [readable]
    for action in EXPLAINED[1:]:
        ruling = _ruling(session, entity, id, action)
        if ruling.allowed and not readable.allowed:
            ruling = Ruling(action, False, ruling.rules, ruling.through, "unreadable")
        rulings.append(ruling)
    return Explanation(
        entity=entity,
        id=id,
        title=found.title or "",
        in_bin=found.deleted_at is not None,
        roles=tuple((role.key, role.label) for role in session.permit.roles),
        rulings=tuple(rulings),
        fields=(*_fields(session, entity), *_pooled(session, entity, id)),
        shares=_shares(session, entity, id),
        is_portal=session.permit.is_portal,
        contact=_contact(session),
    )


def _contact(session: Session) -> Ref | None:
    """Who somebody from outside is, by name."""
    contact = session.reader.contact
    if contact is None or contact.entity not in session.model.entities:
        return None
    found = _named(session, contact.entity, contact.id)
    return replace(contact, title=None if found is None else found.title)


def _shares(session: Session, entity: str, id: UUID) -> tuple[ShareTold, ...]:
    """The shares that reach the person today."""
    me, teams = session.reader.me, session.reader.team_ids
    told = []
    for one in shares.shares_of(session, entity, id):
        if not one.is_over and (one.whom == me or (one.whom.entity == "team" and one.whom.id in teams)):
            told.append(ShareTold(one.whom, one.level, one.until, one.by))
    return tuple(told)


def _named(session: Session, entity: str, id: UUID) -> sa.Row[Any] | None:
    catalog = Catalog(session, guarded=False)
    table = catalog.table(entity).alias()
    scope = SqlScope(catalog, entity, table, session.reader)
    columns = catalog.title(scope).label("title"), table.c.deleted_at
    return session.execute(sa.select(*columns).select_from(scope.joined()).where(table.c.id == id)).first()


def _ruling(session: Session, entity: str, id: UUID, action: str) -> Ruling:
    permit, definition = session.permit, session.entity(entity)
    if permit.is_system:
        return Ruling(action, True, because="system")
    if definition.part_of and definition.parent_field:
        return _through_parent(session, entity, id, action)
    if definition.internal and action == "read" and not permit.is_portal:
        return Ruling(action, True, because="internal")
    rules = _rules(session, entity, id, permit.grants(entity, action), action)
    return Ruling(action, any(rule.allows for rule in rules), rules)


def _through_parent(session: Session, entity: str, id: UUID, action: str) -> Ruling:
    """A part is open as its parent is."""
    definition = session.entity(entity)
    assert definition.part_of is not None
    assert definition.parent_field is not None
    table = session.table(entity)
    parent = session.execute(sa.select(table.c[definition.parent_field]).where(table.c.id == id)).scalar_one()
    needed = PART_ACTION.get(action, action)
    above = _ruling(session, definition.part_of, parent, needed)
    return Ruling(action, above.allowed, above.rules, (definition.part_of, needed), above.because)


def _rules(
    session: Session, entity: str, id: UUID, grants: Sequence[tuple[Role, Grant, Level]], action: str
) -> tuple[Rule, ...]:
    """Every rule with what it says of the record: all of them in one statement."""
    if not grants:
        return ()
    scope = system_scope(session, entity)
    columns: list[sa.ColumnElement[bool]] = []
    for role, grant, level in grants:
        columns += session.permit.terms(role, grant, level, scope)
    beside = session.permit.shared(action, scope), session.permit.pooled(action, scope)
    row = _evaluate(session, scope, [*columns, *(sa.false() if one is None else one for one in beside)], id)
    made, at = [], 0
    for role, grant, level in grants:
        sources = [f.source for f in (grant.where, role.where) if f is not None]
        holds, *others = row[at : at + 1 + len(sources)]
        at += 1 + len(sources)
        wheres = tuple(Condition(source, bool(value)) for source, value in zip(sources, others, strict=True))
        source = level.formula.source if level.formula is not None else ""
        shared, pooled = (bool(one) and not holds for one in row[-2:])
        follows = "" if action in grant.levels else FOLLOWS.get(action, BY_RIGHT.get(action, ""))
        made.append(Rule(role.key, role.label, level.kind, source, bool(holds), wheres, shared, pooled, follows))
    return tuple(made)


def _evaluate(
    session: Session, scope: SqlScope, columns: Sequence[sa.ColumnElement[bool]], id: UUID
) -> Sequence[bool | None]:
    table = scope.alias
    labelled = [sa.func.coalesce(column, sa.false()).label(f"c{n}") for n, column in enumerate(columns)]
    return session.execute(sa.select(*labelled).select_from(scope.joined()).where(table.c.id == id)).one()


def _fields(session: Session, entity: str) -> tuple[FieldRuling, ...]:
    permit = session.permit
    said = {role.key: grant.fields for role in permit.roles if (grant := _grant_of(role, entity)) is not None}
    return tuple(
        FieldRuling(field, mode, tuple((role, fields.get(field, "")) for role, fields in said.items()))
        for field, mode in sorted(permit.modes(entity).items())
    )


def _pooled(session: Session, entity: str, id: UUID) -> tuple[FieldRuling, ...]:
    """The fields that a pool hides while the record lies in it."""
    hidden = sorted(standing.hidden_now(session, entity, id) - session.permit.modes(entity).keys())
    return tuple(FieldRuling(field, "hidden", (("pool", "hidden"),)) for field in hidden)


def _grant_of(role: Role, entity: str) -> Grant | None:
    return role.grants.get(entity) or role.grants.get("*")
