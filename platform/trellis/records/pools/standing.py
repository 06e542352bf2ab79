"""Who is what to a pool, and which records lie in it: as SQL, and for one record in hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.formula.sql.parameters import parameter
from trellis.formula.types import Ref
from trellis.model.pool import People, Pool
from trellis.records.pools.which import holds, pools_of
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope
    from trellis.records.access.permit import Mode, Permit
    from trellis.records.graph import LiveRecord
    from trellis.records.session import Session


def lies_in(pool: Pool, scope: SqlScope) -> sa.ColumnElement[bool]:
    """Whether the scope's record lies in the pool: nobody has it, and the filter holds."""
    free = scope.alias.c[short(pool.owner)].is_(None)
    if pool.filter is None:
        return free
    return sa.and_(free, sa.func.coalesce(pool.filter.predicate(scope), sa.false()))


def lies(pool: Pool, record: LiveRecord) -> bool:
    """The same of a record in hand."""
    return record.value(pool.owner) is None and holds(pool, record)


def among(permit: Permit, people: People, scope: SqlScope) -> sa.ColumnElement[bool] | bool:
    """Whether the reader is one of the people: known by their roles, else a question for the database."""
    if people.roles & {role.key for role in permit.roles}:
        return True
    asked: list[sa.ColumnElement[bool]] = []
    catalog = scope.catalog
    if people.teams and "team" in permit.model.entities:
        team = catalog.table("team").alias()
        entity = permit.model.entities["team"]
        name = team.c[short(entity.natural_key or entity.title_field or "name")]
        mine = parameter(scope, lambda env: sorted(env.reader.team_ids, key=str), ARRAY(sa.Uuid()))
        named = sa.func.lower(name).in_([one.lower() for one in people.teams])
        asked.append(sa.exists(sa.select(sa.literal(1)).where(team.c.id == sa.any_(mine), named)))
    if people.users and "user" in permit.model.entities and scope.reader.me is not None:
        user = catalog.table("user").alias()
        named = sa.func.lower(user.c.email).in_([one.lower() for one in people.users])
        mine_ = user.c.id == scope.ref_id(scope.reader.me)
        asked.append(sa.exists(sa.select(sa.literal(1)).where(mine_, named)))
    return sa.or_(*asked) if asked else False


def opened(permit: Permit, scope: SqlScope) -> sa.ColumnElement[bool] | None:
    """Whether a pool opens the record to the reader; None: there is no pool that could."""
    found: list[sa.ColumnElement[bool]] = []
    for pool in pools_of(permit.model).of.get(scope.entity, ()) if not permit.is_portal else ():
        member = among(permit, pool.members, scope) if pool.members else True
        if member is not True and (admin := among(permit, pool.admins, scope)) is not False:
            member = True if admin is True else admin if member is False else sa.or_(member, admin)
        if member is not False:
            inside = lies_in(pool, scope)
            found.append(inside if member is True else sa.and_(member, inside))
    return sa.or_(*found) if found else None


def hides(permit: Permit, entity: str, name: str) -> tuple[Pool, ...]:
    """The pools of the entity that keep a field from this person while a record lies in them."""
    pools = pools_of(permit.model).of.get(entity, ())
    if not pools or permit.is_system or permit.allows("admin"):
        return ()
    roles = {role.key for role in permit.roles}
    return tuple(pool for pool in pools if name in pool.hide and not pool.admins.roles & roles)


def covers(permit: Permit, scope: SqlScope, name: str) -> sa.ColumnElement[bool] | None:
    """Whether the field of the scope's record is hidden by a pool that it lies in; None: no pool hides it."""
    found: list[sa.ColumnElement[bool]] = []
    for pool in hides(permit, scope.entity, name):
        inside, admin = lies_in(pool, scope), among(permit, pool.admins, scope)
        if admin is True:
            continue
        found.append(inside if admin is False else sa.and_(inside, sa.not_(admin)))
    return sa.or_(*found) if found else None


def hidden_in(session: Session, record: LiveRecord) -> frozenset[str]:
    """The fields of a stored record that a pool keeps from this person as it is now."""
    permit = session.permit
    if permit.is_system or permit.allows("admin"):
        return frozenset()
    found: set[str] = set()
    for pool in pools_of(session.model).of.get(record.entity, ()):
        if pool.hide and lies(pool, record) and not is_among(session, pool.admins):
            found |= pool.hide
    return frozenset(found)


def hidden_now(session: Session, entity: str, id: UUID) -> frozenset[str]:
    """The same of a record by its id."""
    pools = pools_of(session.model).of.get(entity, ())
    if not any(pool.hide for pool in pools) or session.permit.is_system:
        return frozenset()
    from trellis.records.graph import StoreGraph

    record = StoreGraph(session).follow(Ref(entity, id))
    return hidden_in(session, record) if record is not None else frozenset()


def modes_of(session: Session, record: LiveRecord | None, entity: str) -> Mapping[str, Mode]:
    """The fields of one stored record that are not freely readable and writable, with what they are."""
    modes = session.permit.modes(entity)
    covered = hidden_in(session, record) if record is not None else ()
    return {**modes, **dict.fromkeys(covered, _HIDDEN)} if covered else modes


_HIDDEN: Mode = "hidden"


def is_member(session: Session, pool: Pool) -> bool:
    """Whether this person sees and claims what lies in the pool."""
    if session.permit.is_portal or not session.permit.may("read", pool.entity):
        return False
    return not pool.members or is_among(session, pool.members) or is_admin(session, pool)


def is_admin(session: Session, pool: Pool) -> bool:
    """Whether this person also assigns, and sees everything of what lies in the pool."""
    return session.permit.is_system or session.permit.allows("admin") or is_among(session, pool.admins)


def is_among(session: Session, people: People) -> bool:
    """Whether this person is one of the people."""
    from trellis.records.reading.catalog import system_scope

    if people.roles & {role.key for role in session.permit.roles}:
        return True
    if not people.teams and not people.users:
        return False
    found = among(session.permit, people, system_scope(session, "user"))
    return found if isinstance(found, bool) else bool(session.execute(sa.select(found)).scalar())
