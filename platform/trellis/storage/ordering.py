"""What names are sorted by: one expression, the same in an index and in the queries that it serves."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

# literal text, not parameters: PostgreSQL finds an index by what its expression says
_PARTS = ("'last'", "'first'", "'middle'")


def name_order(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A person's name as it stands in a directory: the last name first; blank when there is none of the parts."""
    space: sa.ColumnElement[str] = sa.literal_column("' '")
    nothing: sa.ColumnElement[str] = sa.literal_column("''")
    text: Any = None
    for part in _PARTS:
        word = column.op("->>", return_type=sa.Text())(sa.literal_column(part))
        found = sa.func.coalesce(word.op("||", return_type=sa.Text())(space), nothing, type_=sa.Text())
        text = found if text is None else text.op("||", return_type=sa.Text())(found)
    return sa.func.nullif(text, nothing, type_=sa.Text())
