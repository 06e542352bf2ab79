"""What a plan tells without doing anything: records that stay as they are and no longer match the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trellis.storage.names import short, sql_text
from trellis.storage.renames import choice_list

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model
    from trellis.storage.steps import Difference


def find_advice(difference: Difference, old: Model, new: Model) -> Iterator[str]:
    """Sentences about choices that are gone, and about fields that become required."""
    for entity in new.entities.values():
        before = old.entities.get(_before(difference.renames.entities, entity.key))
        if before is None or short(entity.key) in difference.created:
            continue
        for field in entity.stored_fields():
            earlier = before.fields.get(_before(difference.renames.fields.get(entity.key, {}), field.key))
            if earlier is not None and earlier.is_stored and _is_live(difference, entity, field):
                yield from _choices(difference, entity, earlier, field)
                yield from _required(difference, entity, earlier, field)


def _is_live(difference: Difference, entity: Entity, field: Field) -> bool:
    table = short(entity.key)
    column = difference.renames.live_column(table, short(field.key))
    return column in difference.live.columns.get(difference.renames.live_table(table), frozenset())


def _choices(difference: Difference, entity: Entity, before: Field, field: Field) -> Iterator[str]:
    if field.type.name != before.type.name or field.key in {p.field for p in entity.pipelines.values()}:
        return
    kept = {c.key for c in choice_list(field)}
    if kept:
        gone = [c.key for c in choice_list(before) if c.key not in kept]
        yield from _values(difference, entity.key, field, gone, several=field.type.formula_type().kind == "list")


def _values(
    difference: Difference, entity: str, field: Field, gone: list[str], *, several: bool = False
) -> Iterator[str]:
    table = short(entity)
    column = difference.live_name(table, short(field.key))
    renamed = {v.old for v in difference.renames.values if (v.entity, v.field) == (entity, field.key)}
    for value in gone:
        condition = f"{column} @> ARRAY[{sql_text(value)}]" if several else f"{column} = {sql_text(value)}"
        if value not in renamed and (rows := difference.count(table, condition)):
            yield (
                f"{_rows(rows)} of {table} with {value} in {field.key}, which is gone: they keep it;"
                f" `was: {value}` at what takes its place moves them."
            )


def _required(difference: Difference, entity: Entity, before: Field, field: Field) -> Iterator[str]:
    if field.required and not before.required:
        table = short(entity.key)
        if rows := difference.count(table, f"{difference.live_name(table, short(field.key))} IS NULL"):
            yield (
                f"{_rows(rows)} of {table} without {field.key}, which is required from now on:"
                " they stay, and whoever edits them next has to give it."
            )


def _rows(number: int) -> str:
    return f"{number} row" if number == 1 else f"{number} rows"


def _before(renamed: dict[str, str], key: str) -> str:
    return next((old for old, new in renamed.items() if new == key), key)
