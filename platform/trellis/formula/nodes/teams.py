"""Whether a person is the reader or somebody below them."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.formula.env import Env
from trellis.formula.nodes.base import Closure, Expr
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.parameters import parameter
from trellis.formula.sql.scope import SqlScope, SqlValue
from trellis.formula.types import BOOLEAN, Ref


class InMyTeam(Expr):
    """in_my_team(person): the person is the reader, or below them. Each reader has their own."""

    __slots__ = ("of",)

    def __init__(self, start: int, end: int, of: Expr) -> None:
        super().__init__(start, end, BOOLEAN, of, constant=False)
        self.of = of

    def python(self, unknown: bool) -> Closure:
        of = self.of.python(False)

        def mine(env: Env) -> bool:
            person = of(env)
            if not isinstance(person, Ref):
                return False
            reader = env.reader
            return person.id in reader.team_members or (reader.me is not None and person.id == reader.me.id)

        return mine

    def sql(self, scope: SqlScope) -> SqlValue:
        return self.truth(scope)

    def truth(self, scope: SqlScope) -> ColumnElement[bool]:
        def people(env: Env) -> list[UUID]:
            reader = env.reader
            return sorted(reader.team_members | ({reader.me.id} if reader.me is not None else set()), key=str)

        among = parameter(scope, people, ARRAY(sa.Uuid()))
        found: ColumnElement[bool] = sqlv.key(self.of.value(scope)) == sa.any_(among)
        return sa.func.coalesce(found, sa.false())
