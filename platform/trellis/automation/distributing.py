"""What lies in a pool is given out by itself: in turn, by spare capacity or by skill, within the pool's limits."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from trellis.automation.pool_words import tell_about
from trellis.automation.workflows.acting import system_of
from trellis.automation.workflows.assignment import Chosen, choose
from trellis.automation.workflows.people import people_of
from trellis.formula.env import Env
from trellis.model.pool import OWNER_SINCE, Distribution, Pool
from trellis.records.graph import LiveRecord, StoreGraph, title_of
from trellis.records.pools import claiming
from trellis.records.pools.keeping import DISTRIBUTE, RELEASE, RETURN
from trellis.records.pools.standing import lies_in
from trellis.records.pools.usage import Usage, midnight, team_of, usage_of
from trellis.records.pools.which import is_true, pools_of
from trellis.records.reading.catalog import system_scope
from trellis.records.session import Session

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

AT_ONCE = 100  # records in one transaction


def distribute_free(connection: sa.Connection, tenant: Tenant) -> bool:
    """Give out what has lain in pools for long enough, the oldest first; whether there may be more."""
    more = False
    with Session(tenant, system_of(tenant)).within(connection) as session:
        for pools in pools_of(tenant.model).of.values():
            for pool in pools:
                if pool.distribute is not None:
                    more |= _Round(session, pool, pool.distribute).go()
    return more


class _Round:
    """One look at one pool; what people have is counted once, and counted on."""

    def __init__(self, session: Session, pool: Pool, rule: Distribution) -> None:
        self.session, self.pool, self.rule = session, pool, rule
        self.usages: dict[UUID, Usage] = {}
        self.teams: dict[UUID, UUID | None] = {}
        self.given: Counter[UUID] = Counter()  # to people, and to teams
        self.today = self._today()

    def go(self) -> bool:
        """Give out some; whether there may be more."""
        ids = self._lying()
        done = 0
        for record in StoreGraph(self.session).load(self.pool.entity, ids):
            if not is_true(self.rule.when, record):
                continue
            chosen = self._choose(record)
            if chosen is not None and claiming.hand(self.session, self.pool, record.id, chosen.user, chosen.reason):
                self._count(chosen.user)
                self._tell(record, chosen)
                done += 1
        return len(ids) == AT_ONCE and done > 0

    def _lying(self) -> list[UUID]:
        """The records that have lain in the pool for long enough."""
        scope = system_scope(self.session, self.pool.entity)
        row, rule = scope.alias.c, self.rule
        where = [lies_in(self.pool, scope), row.deleted_at.is_(None)]
        if rule.after is not None:
            where.append(row[OWNER_SINCE] <= rule.after.before(self.session.reader.now))
        if rule.when is not None:
            where.append(sa.func.coalesce(rule.when.predicate(scope), sa.false()))
        found = sa.select(row.id).select_from(scope.joined()).where(*where).order_by(row[OWNER_SINCE], row.id)
        return list(self.session.execute(found.limit(AT_ONCE)).scalars())

    def _choose(self, record: LiveRecord) -> Chosen | None:
        pool, session = self.pool, self.session
        cooling = self._cooling(record.id)
        env = Env(record, session.reader, record.graph, old=record, variables={"record": record})
        return choose(
            session,
            self.rule.choosing,
            env,
            f"pool:{pool.key}",
            pool.entity,
            pool.owner,
            among=self._members(),
            may=lambda user: user not in cooling and self._has_room(user),
        )

    def _members(self) -> list[UUID] | None:
        """The pool's members, in case the rule names nobody."""
        of = self.pool.members
        named: list[Any] = [{"role": role} for role in sorted(of.roles)]
        named += [{"team": team} for team in of.teams] + list(of.users)
        return people_of(self.session, named) if named else None

    def _has_room(self, user: UUID) -> bool:
        if self.rule.per_day is not None and self.today[user] >= self.rule.per_day:
            return False
        usage = self.usages.get(user)
        if usage is None:
            usage = self.usages[user] = usage_of(self.session, self.pool, user)
            self.teams[user] = team_of(self.session, user)
        team = self.teams[user]
        if usage.holding is not None and usage.held + self.given[user] >= usage.holding:
            return False
        of_team = self.given[team] if team is not None else 0
        return usage.team_holding is None or usage.team_held + of_team < usage.team_holding

    def _count(self, user: UUID) -> None:
        self.today[user] += 1
        team = self.teams.get(user)
        self.given.update([user] if team is None else [user, team])

    def _today(self) -> Counter[UUID]:
        """How many each has been given today."""
        moves = self.session.tables.platform.pool_move
        mine = moves.c.pool == self.pool.key, moves.c.act == DISTRIBUTE, moves.c.at >= midnight(self.session)
        rows: Any = self.session.execute(sa.select(moves.c.to, sa.func.count()).where(*mine).group_by(moves.c.to))
        return Counter({row[0]: row[1] for row in rows})

    def _cooling(self, record: UUID) -> set[UUID]:
        """Who has had the record until a while ago."""
        if self.pool.cool_down is None:
            return set()
        moves = self.session.tables.platform.pool_move
        mine = moves.c.entity == self.pool.entity, moves.c.record == record, moves.c.act.in_((RETURN, RELEASE))
        lately = moves.c.at > self.pool.cool_down.before(self.session.reader.now)
        return set(self.session.execute(sa.select(moves.c.whose).where(*mine, lately)).scalars())

    def _tell(self, record: LiveRecord, chosen: Chosen) -> None:
        title = title_of(record)
        tell_about(
            self.session,
            [chosen.user],
            record,
            lambda _, at: _("“%(title)s” from the pool %(pool)s is yours now.", title=title, pool=at(self.pool.label)),
        )
