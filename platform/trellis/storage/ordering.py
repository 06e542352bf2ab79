"""What titles and names are sorted by: a column of its own for titles, one expression for other names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.model import collation

if TYPE_CHECKING:
    from trellis.formula.types import Value
    from trellis.model.entity import Entity
    from trellis.model.field import Field

ORDER = "_order"  # the column that holds the order of a title

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


def ordered_field(entity: Entity) -> Field | None:
    """The field that names the records, where it is a text or a person's name that is stored: it has an order."""
    field = entity.fields.get(entity.title_field or "")
    return field if field is not None and field.is_stored and field.type.name in ("text", "name") else None


def order_of(field: Field, value: Value) -> str | None:
    """What the column holds for a value."""
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        last, first, middle = (str(value.get(part) or "") for part in ("last", "first", "middle"))
        return collation.name_key(last, first, middle) or None if last else collation.sort_key(first or middle) or None
    return collation.sort_key(str(value)) or None
