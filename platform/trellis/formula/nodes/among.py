"""`me in collaborators`: whether somebody who is the same for every row is among those that a row links to."""

from __future__ import annotations

import sqlalchemy as sa

from trellis.formula.nodes.aggregate import AnyAll
from trellis.formula.nodes.base import Expr
from trellis.formula.nodes.compare import Compare
from trellis.formula.nodes.listed import Listed
from trellis.formula.nodes.paths import Known
from trellis.formula.sql import values as sqlv
from trellis.formula.sql.among import among
from trellis.formula.sql.scope import SqlScope, SqlValue


class AmongLinks(AnyAll):
    """The rows that link to a known record: found once from its end, so that an index finds them."""

    __slots__ = ("whom",)

    def __init__(self, start: int, end: int, listed: Listed, whom: Expr, compare: Compare) -> None:
        super().__init__(start, end, "any", listed, compare, None)
        self.whom = whom

    def sql(self, scope: SqlScope) -> SqlValue:
        rows = self.listed.base.rows(scope)
        row = rows[0] if len(rows) == 1 else None
        if not isinstance(self.whom, Known) or not isinstance(row, SqlScope):
            return super().sql(scope)
        joined = scope.catalog.children(row.entity, self.listed.steps[0].name)
        target = scope.catalog.table(joined.entity).alias()
        if joined.links is None or scope.catalog.reach(scope.inside(joined.entity, target)) is not None:
            return super().sql(scope)
        links = joined.links.alias()
        whom = sqlv.key(self.whom.value(scope))
        found = sa.select(links.c[joined.near]).join(target, target.c.id == links.c[joined.far])
        found = found.where(links.c[joined.far] == whom, target.c.deleted_at.is_(None))
        return among(row.column("id"), found)
