"""What a person may do: the roles' grants, per entity and action, as SQL predicates and as field modes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.formula.sql.parameters import parameter
from trellis.formula.sql.scope import SqlScope
from trellis.model.entity import Entity
from trellis.model.field import Field
from trellis.model.model import Model
from trellis.model.role import NONE, Grant, Level, Role
from trellis.records.access.reach_of_shares import SHARED, is_shared
from trellis.records.pools import standing
from trellis.records.principal import Principal
from trellis.records.reading.names import names_freely

Mode = Literal["hidden", "masked", "readonly"]
_STRICTNESS: dict[Mode | None, int] = {None: 0, "readonly": 1, "masked": 2, "hidden": 3}


class Permit:
    """One principal's rights under one model. Roles add up to the most permissive."""

    def __init__(self, model: Model, principal: Principal) -> None:
        self.model = model
        self.principal = principal
        self.is_system = principal.is_system
        self.roles: tuple[Role, ...] = tuple(model.roles[r] for r in sorted(principal.roles) if r in model.roles)
        self.is_portal = bool(self.roles) and all(role.portal for role in self.roles) and not self.is_system
        self.scopes = None if self.is_system else principal.scopes
        self.cache_key = None if self.is_system else (self.scopes, *(r.key for r in self.roles))

    def allows(self, right: str) -> bool:
        """Whether a role gives a right beside any entity: admin, import, merge, bulk-edit, reports, api."""
        return self.is_system or any(right in role.allow for role in self.roles)

    def covers(self, action: str, entity: str) -> bool:
        """Whether an API key's scopes leave the action open; people have no scopes."""
        return self.scopes is None or action in UNSCOPED or self.scopes.cover(entity, action)

    def grants(self, entity: str, action: str) -> list[tuple[Role, Grant, Level]]:
        """The grants that reach at least some records of the entity with the action."""
        found: list[tuple[Role, Grant, Level]] = []
        if not self.covers(action, entity):
            return found
        for role in self.roles:
            grant = role.grants.get(entity) or role.grants.get("*")
            if grant is not None and (level := self.level(role, grant, action)).kind != "none":
                found.append((role, grant, level))
        return found

    def level(self, role: Role, grant: Grant, action: str) -> Level:
        """How far a grant goes with an action: as far as it says, else as far as a right beside any entity carries."""
        if action in grant.levels:
            return grant.levels[action]
        if action in FOLLOWS:  # people from outside neither share nor hand on, unless their role says so
            return NONE if role.portal else grant.level(FOLLOWS[action])
        if action in BY_RIGHT and self.allows(action):
            return grant.level(BY_RIGHT[action])
        return NONE

    def is_open_to_many(self, entity: str) -> bool:
        """Whether the right `bulk-edit` is enough with every readable record: no grant says anything narrower."""
        grants = (role.grants[entity] for role in self.roles if entity in role.grants)
        named = any("bulk-edit" in grant.levels for grant in grants)
        return self.is_system or (not named and self.may("bulk-edit", entity))

    def may(self, action: str, entity: str) -> bool:
        """Whether there can be records that the action is allowed with; `reach` says which ones."""
        if self.is_system:
            return True
        definition = self.model.entities[entity]
        if definition.part_of:
            return self.may(PART_ACTION.get(action, action), definition.part_of)
        if definition.internal and action == "read" and not self.is_portal:
            return self.covers(action, entity)
        return bool(self.grants(entity, action))

    def is_unlimited(self, action: str, entity: str) -> bool:
        """Whether every record of the entity is within reach, so that no predicate is needed."""
        if self.is_system:
            return True
        definition = self.model.entities[entity]
        if definition.part_of:
            return self.is_unlimited(PART_ACTION.get(action, action), definition.part_of)
        if definition.internal and action == "read" and not self.is_portal:
            return True  # people and teams are named everywhere: owners, authors of changes
        own = any(
            level.kind == "all" and grant.where is None and role.where is None
            for role, grant, level in self.grants(entity, action)
        )
        return own and (action in ("read", "create") or self.is_unlimited("read", entity))

    def names_freely(self, field: Field) -> bool:
        """Whether this person may read the title of whatever the field, if it is a link, points to."""
        kind = field.type.formula_type()
        if self.is_system or kind.kind not in ("record", "records"):
            return True
        return all(
            self.is_unlimited("read", target) and names_freely(self, target)
            for target in kind.entities or tuple(self.model.entities)
        )

    def reach(self, action: str, scope: SqlScope) -> sa.ColumnElement[bool] | None:
        """The predicate for the records of the scope's entity that the action is allowed with; None: all of them."""
        entity = scope.entity
        if self.is_unlimited(action, entity):
            return None
        if not self.may(action, entity):
            return sa.false()
        definition = self.model.entities[entity]
        if definition.part_of and definition.parent_field:
            return self._reach_through_parent(action, scope, definition)
        grants = self.grants(entity, action)
        beside = [opened for opened in (self.shared(action, scope), self.pooled(action, scope)) if opened is not None]
        shared = sa.or_(*beside) if beside else None
        reached = sa.or_(*(sa.and_(*self.terms(role, grant, level, scope, shared)) for role, grant, level in grants))
        if action in ("read", "create"):
            return reached
        readable = self.reach("read", scope)
        return reached if readable is None else sa.and_(reached, readable)

    def _reach_through_parent(self, action: str, scope: SqlScope, part: Entity) -> sa.ColumnElement[bool]:
        """Parts are secured with their parent: reading needs reading it, any other action needs updating it."""
        assert part.part_of is not None
        assert part.parent_field is not None
        parent = scope.catalog.table(part.part_of).alias()
        above = SqlScope(scope.catalog, part.part_of, parent, scope.reader)
        predicate = self.reach(PART_ACTION.get(action, action), above)
        found = sa.select(sa.literal(1)).select_from(above.joined(parent))
        found = found.where(parent.c.id == scope.alias.c[part.parent_field])
        return sa.exists(found if predicate is None else found.where(predicate))

    def shared(self, action: str, scope: SqlScope) -> sa.ColumnElement[bool] | None:
        """Whether a share opens the record to this person for the action; None: shares have no say."""
        if self.is_system or action not in SHARED or scope.reader.me is None or not scope.reader.has_shares:
            return None
        return is_shared(action, scope)

    def pooled(self, action: str, scope: SqlScope) -> sa.ColumnElement[bool] | None:
        """Whether the record lies in a pool that this person may see; None: no pool has a say."""
        return None if self.is_system or action != "read" else standing.opened(self, scope)

    def terms(
        self,
        role: Role,
        grant: Grant,
        level: Level,
        scope: SqlScope,
        shared: sa.ColumnElement[bool] | None = None,
    ) -> list[sa.ColumnElement[bool]]:
        """What a grant asks of a record, all of which must hold: its level, then its own and the role's `where`.

        A share, or a pool that the record lies in, stands in for the level, so that it gives nobody an action that no
        role of theirs grants at all.
        """
        entity = self.model.entities[scope.entity]
        reached = _LEVELS[level.kind](scope, entity, level)
        if shared is not None and level.kind != "all":
            reached = sa.or_(reached, shared)
        terms: list[sa.ColumnElement[bool]] = [reached]
        terms.extend(formula.predicate(scope) for formula in (grant.where, role.where) if formula is not None)
        return terms

    def modes(self, entity: str) -> Mapping[str, Mode]:
        """The fields of an entity that are not freely readable and writable, with what they are."""
        if self.is_system:
            return {}
        return _modes(tuple(g for _, g, _ in self.grants(entity, "read")) or self._part_grants(entity))

    def _part_grants(self, entity: str) -> tuple[Grant, ...]:
        """For parts, which are read with their parent: what the roles say of the fields all the same."""
        return tuple(g for role in self.roles if (g := role.grants.get(entity)) is not None)

    def hides(self, entity: str, name: str) -> bool:
        """Whether the field, or the list of what points here by it, does not exist for this person."""
        return self._mode(entity, name) == "hidden"

    def conceals(self, entity: str, name: str) -> bool:
        """Whether the true value of the field, or of the list, is kept from this person: hidden or masked."""
        return self._mode(entity, name) in ("hidden", "masked")

    def _mode(self, entity: str, name: str) -> Mode | None:
        """What a field is, or a list by the link on its other side: who may not see the link may not see the list."""
        definition = self.model.entities[entity]
        inverse = None if name in definition.fields else definition.inverses.get(name)
        if inverse is not None:
            return self.modes(inverse.entity).get(inverse.field)
        return self.modes(entity).get(name)


# who has the right in `allow:` may do it wherever the action named here is granted, unless the grant says otherwise
BY_RIGHT = {
    "import": "create",
    "merge": "delete",
    "bulk-edit": "read",
    "convert": "update",
    "export": "read",
    "approve": "read",
}
FOLLOWS = {"assign": "update", "share": "update"}  # not named, it is granted as this one is
UNSCOPED = frozenset({"assign", "bulk-edit"})  # come on top of an action that a key's scopes are asked for
PART_ACTION = {"create": "update", "delete": "update", "restore": "update"}


def _own(scope: SqlScope, entity: Entity, level: Level) -> sa.ColumnElement[bool]:
    me = scope.reader.me
    if me is None:
        return sa.false()
    mine = scope.ref_id(me)
    if entity.key == "user":
        return scope.alias.c.id == mine
    return scope.alias.c[entity.owner_field or "created_by"] == mine


def _team(scope: SqlScope, entity: Entity, level: Level) -> sa.ColumnElement[bool]:
    if not scope.reader.team_members:
        return _own(scope, entity, level)
    members = parameter(scope, lambda env: sorted(env.reader.team_members, key=str), ARRAY(sa.Uuid()))
    column = scope.alias.c.id if entity.key == "user" else scope.alias.c[entity.owner_field or "created_by"]
    return sa.or_(_own(scope, entity, level), column == sa.any_(members))


def _formula(scope: SqlScope, entity: Entity, level: Level) -> sa.ColumnElement[bool]:
    assert level.formula is not None
    return level.formula.predicate(scope)


_LEVELS: dict[str, Callable[[SqlScope, Entity, Level], sa.ColumnElement[bool]]] = {
    "own": _own,
    "team": _team,
    "formula": _formula,
    "all": lambda scope, entity, level: sa.true(),
    "none": lambda scope, entity, level: sa.false(),
}


@lru_cache(maxsize=4096)
def _merged(grants: tuple[tuple[tuple[str, Mode], ...], ...]) -> Mapping[str, Mode]:
    result: dict[str, Mode] = {}
    tables = [dict(g) for g in grants]
    for field in {f for table in tables for f in table}:
        mildest = min((table.get(field) for table in tables), key=_STRICTNESS.__getitem__)
        if mildest is not None:
            result[field] = mildest
    return result


def _modes(grants: tuple[Grant, ...]) -> Mapping[str, Mode]:
    """Several roles add up: a field is as open as the most open of them says."""
    return _merged(tuple(tuple(sorted(g.fields.items())) for g in grants))
