"""Shares as a part of the predicate: records that are open to a person beside the level of their roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.formula.sql.among import among
from trellis.formula.sql.parameters import parameter
from trellis.storage.sharing import WRITE

if TYPE_CHECKING:
    from trellis.formula.sql.scope import SqlScope
    from trellis.records.reading.catalog import Catalog

SHARED = {"read": None, "update": WRITE}  # the actions that a share opens, and the level that it must have


def is_shared(action: str, scope: SqlScope) -> sa.ColumnElement[bool]:
    """Whether the scope's record is shared with the reader, or with a team that they are in, as far as the action.

    The ids are gathered once for the statement, by two indexes: where nothing is shared with the reader, that is all
    there is to it.
    """
    wanted = SHARED[action]
    share = cast("Catalog", scope.catalog).session.tables.platform.share.alias()
    teams = parameter(scope, lambda env: sorted(env.reader.team_ids, key=str), ARRAY(sa.Uuid()))
    me = parameter(scope, lambda env: None if env.reader.me is None else env.reader.me.id, sa.Uuid())
    today = parameter(scope, lambda env: env.reader.today(), sa.Date())
    still = sa.or_(share.c.until.is_(None), share.c.until >= today)
    found = sa.select(share.c.record).where(
        share.c.entity == scope.entity, sa.or_(share.c.user == me, share.c.team == sa.any_(teams)), still
    )
    if wanted is not None:
        found = found.where(share.c.level == wanted)
    return among(scope.alias.c.id, found)
