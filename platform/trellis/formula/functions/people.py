"""has_role, in_team: about the reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.formula.functions.registry import function
from trellis.formula.reader import Reader
from trellis.formula.sql.parameters import parameter
from trellis.formula.sql.scope import SqlScope

FAMILY = "people"


def _one_of(
    scope: SqlScope, known: Callable[[Reader], Iterable[str]], names: tuple[ColumnElement[Any], ...]
) -> ColumnElement[bool]:
    among = parameter(scope, lambda env: sorted(known(env.reader)), ARRAY(sa.Text()))
    return sa.or_(*(n == sa.any_(among) for n in names))


def _has_role(env: Any, *roles: str) -> bool:
    return any(r in env.reader.roles for r in roles)


def _in_team(env: Any, *teams: str) -> bool:
    return any(t in env.reader.teams for t in teams)


has_role = function("has_role", 'has_role("sales-manager", …)', "Has the reader one of the roles?", family=FAMILY)
in_team = function(
    "in_team", 'in_team("north", …)', "Is the reader in one of the teams, or in a team below it?", family=FAMILY
)
has_role(
    "text, text... -> boolean",
    _has_role,
    lambda s, *names: _one_of(s, lambda r: r.roles, names),
    env=True,
    uses=("me",),
)
in_team(
    "text, text... -> boolean", _in_team, lambda s, *names: _one_of(s, lambda r: r.teams, names), env=True, uses=("me",)
)
