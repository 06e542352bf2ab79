"""Membership in a few ids that a statement gathers once, however many rows are looked at."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY


def among(column: sa.ColumnElement[Any], found: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """Whether the column's value is one of those that the query finds, which depends on no row.

    Said twice, for two ways of reading: going through many rows, each is looked up in a hash of the ids; and where only
    these rows are wanted, an index finds them by the array.
    """
    ids = sa.func.array(found.scalar_subquery(), type_=ARRAY(sa.Uuid()))
    return sa.and_(column.in_(found), column == sa.any_(ids))
