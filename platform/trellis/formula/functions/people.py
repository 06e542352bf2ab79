"""has_role, in_team, in_my_team: about the reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import ARRAY

from trellis.config.phrase import phrase
from trellis.formula.checker import Checker
from trellis.formula.functions.registry import function, special
from trellis.formula.nodes.base import Expr
from trellis.formula.nodes.teams import InMyTeam
from trellis.formula.reader import Reader
from trellis.formula.sql.parameters import parameter
from trellis.formula.sql.scope import SqlScope
from trellis.formula.syntax import CallNode

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


@special(
    "in_my_team",
    "in_my_team(person)",
    "Is the person the reader, or somebody below them, as the level `team` of a role has it?",
    family=FAMILY,
)
def _in_my_team(checker: Checker, node: CallNode) -> Expr:
    if len(node.args) != 1:
        raise checker.wrong_count(node)
    (of,) = checker.all(node.args)
    if of.type.kind != "record" or of.type.entities != ("user",):
        raise checker.fault("E405", phrase("in_my_team takes a person, not a {type}", type=of.type), of)
    checker.uses.add("me")
    return InMyTeam(node.start, node.end, of)
