"""Columns that come beside a field's main column when its type changes, and what they hold for the rows there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from trellis.storage.names import short, sql_name, sql_text
from trellis.storage.step import Phase, Step
from trellis.storage.tables import linked_entity

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model
    from trellis.model.profile import TenantProfile
    from trellis.storage.steps import Difference

# by suffix: the field as it was and the tenant's profile → the value, in SQL, of a row whose main column is {main}
FILLS: dict[str, Callable[[Field, TenantProfile], str | None]] = {
    "_currency": lambda old, profile: sql_text(profile.currency),
    "_base": lambda old, profile: "{main}",
    "_entity": lambda old, profile: sql_text(target) if (target := linked_entity(old)) else None,
}


def fill_steps(difference: Difference, old: Model | None, new: Model, profile: TenantProfile) -> Iterator[Step]:
    """A number that becomes money gets the tenant's currency, a link that becomes an any_link its entity."""
    for entity in new.entities.values():
        before = old.entities.get(_before(difference.renames.entities, entity.key)) if old else None
        added = difference.added.get(short(entity.key), set())
        if before is not None and added:
            yield from _entity_fills(difference, before, entity, added, profile)


def _entity_fills(
    difference: Difference, before: Entity, entity: Entity, added: set[str], profile: TenantProfile
) -> Iterator[Step]:
    table = short(entity.key)
    for field in entity.stored_fields():
        main = short(field.key)
        earlier = before.fields.get(_before(difference.renames.fields.get(entity.key, {}), field.key))
        if earlier is None or main in added:
            continue
        for suffix in field.type.columns():
            column, fill = short(field.key + suffix), FILLS.get(suffix)
            value = fill(earlier, profile) if fill and column in added else None
            if value is None:
                continue
            rows = difference.count(table, f"{difference.live_name(table, main)} IS NOT NULL")
            change = f"{sql_name(column)} = {value.replace('{main}', sql_name(main))}"
            sql = (f"UPDATE {sql_name(table)} SET {change} WHERE {sql_name(main)} IS NOT NULL",)
            if rows:
                text = f"Fill {table}.{column} in {rows} rows."
                yield Step(Phase.VALUES, "fill_column", table, column, text, sql, rows=rows)


def _before(renamed: dict[str, str], key: str) -> str:
    return next((old for old, new in renamed.items() if new == key), key)
