"""Steps for what is renamed: tables, columns, stored values, and the platform's rows that name them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trellis.storage.names import short, sql_name, sql_text
from trellis.storage.step import Phase, Step

if TYPE_CHECKING:
    from trellis.storage.renames import ValueRename
    from trellis.storage.steps import Difference

# platform tables whose rows name an entity; those with `field` name a field of it, too
NAMING_ENTITIES = (
    "_history",
    "_stage_history",
    "_sequence",
    "_file",
    "_saved_view",
    "_follow",
    "_recent",
    "_comment",
    "_share",
)
NAMING_FIELDS = ("_stage_history", "_sequence", "_file")


def rename_steps(difference: Difference) -> Iterator[Step]:
    """Tables and columns first, then what is stored about them."""
    renames = difference.renames
    for old, new in renames.tables.items():
        rows = difference.count(new)
        text = f"Rename the table {old} to {new}; its {rows} rows go with it."
        sql: tuple[str, ...] = (
            f"ALTER TABLE {sql_name(old)} RENAME TO {sql_name(new)}",
            # an index's name is taken in the whole schema: the old one may be wanted for a new table
            f"ALTER INDEX IF EXISTS {sql_name(f'{old}_pkey')} RENAME TO {sql_name(f'{new}_pkey')}",
        )
        yield Step(Phase.RENAME, "rename_table", new, old, text, sql, rows=rows)
    for table, columns in renames.columns.items():
        for old, new in columns.items():
            sql = (f"ALTER TABLE {sql_name(table)} RENAME COLUMN {sql_name(old)} TO {sql_name(new)}",)
            yield Step(Phase.RENAME, "rename_column", table, new, f"Rename {table}.{old} to {table}.{new}.", sql)
    for old, new in renames.entities.items():
        yield from _entity_rows(difference, old, new)
    for entity, fields in renames.fields.items():
        for old, new in fields.items():
            yield from _field_rows(difference, entity, old, new)
    for value in renames.values:
        yield from _value_rows(difference, value)


def _update(difference: Difference, table: str, column: str, change: str, condition: str, text: str) -> Iterator[Step]:
    """A step that rewrites rows, if there are any; `condition` is over columns that keep their names."""
    if rows := difference.count(table, condition):
        sql = (f"UPDATE {sql_name(table)} SET {change} WHERE {condition}",)
        yield Step(Phase.VALUES, "rename_value", table, column, text.format(rows=rows), sql, rows=rows)


def _entity_rows(difference: Difference, old: str, new: str) -> Iterator[Step]:
    for table in NAMING_ENTITIES:
        change, condition = f"entity = {sql_text(new)}", f"entity = {sql_text(old)}"
        yield from _update(difference, table, "entity", change, condition, f"{{rows}} rows of {table} name {new}.")
    for table, columns in difference.live.columns.items():
        for column in sorted(columns):
            if column.endswith("_entity") and column.removesuffix("_entity") in columns:
                name = difference.renames.tables.get(table, table)
                now = difference.renames.columns.get(name, {}).get(column, column)
                live = f"{sql_name(column)} = {sql_text(old)}"
                if rows := difference.count(name, live):
                    change = f"UPDATE {sql_name(name)} SET {sql_name(now)} = {sql_text(new)}"
                    sql = (f"{change} WHERE {sql_name(now)} = {sql_text(old)}",)
                    text = f"{rows} links of {name}.{now} name {new}."
                    yield Step(Phase.VALUES, "rename_value", name, now, text, sql, rows=rows)


def _field_rows(difference: Difference, entity: str, old: str, new: str) -> Iterator[Step]:
    """Rows are counted by the name that the entity still has, and changed when it has the new one."""
    before = next((o for o, n in difference.renames.entities.items() if n == entity), entity)
    for table in NAMING_FIELDS:
        condition = f"field = {sql_text(old)}"
        if rows := difference.count(table, f"entity = {sql_text(before)} AND {condition}"):
            where = f"entity = {sql_text(entity)} AND {condition}"
            sql = (f"UPDATE {sql_name(table)} SET field = {sql_text(new)} WHERE {where}",)
            yield Step(
                Phase.VALUES, "rename_value", table, "field", f"{rows} rows of {table} name {new}.", sql, rows=rows
            )
    named = f"changes @> jsonb_build_array(jsonb_build_array({sql_text(old)}))"
    if rows := difference.count("_history", f"entity = {sql_text(before)} AND {named}"):
        item = (
            f"CASE WHEN c->>0 = {sql_text(old)} THEN jsonb_set(c, '{{0}}', to_jsonb({sql_text(new)}::text)) ELSE c END"
        )
        changed = f"(SELECT jsonb_agg({item} ORDER BY n) FROM jsonb_array_elements(changes) WITH ORDINALITY AS x(c, n))"
        sql = (f"UPDATE _history SET changes = {changed} WHERE entity = {sql_text(entity)} AND {named}",)
        text = f"{rows} changes in the history name {entity}.{new}."
        yield Step(Phase.VALUES, "rename_value", "_history", "changes", text, sql, rows=rows)


def _value_rows(difference: Difference, value: ValueRename) -> Iterator[Step]:
    table, old, new = short(value.entity), sql_text(value.old), sql_text(value.new)
    if table in difference.created:
        return
    column = sql_name(short(value.field))
    live = difference.live_name(table, short(value.field))
    only = f" AND {sql_name(value.pipeline_column)} = {sql_text(value.stage_of or '')}" if value.pipeline_column else ""
    if value.several:
        change, holds = f"array_replace({column}, {old}, {new})", "{} @> ARRAY[" + old + "]"
    else:
        change, holds = new, "{} = " + old
    if live.strip('"') in difference.live.columns.get(difference.renames.live_table(table), frozenset()) and (
        rows := difference.count(table, holds.format(live) + only)
    ):
        sql = (f"UPDATE {sql_name(table)} SET {column} = {change} WHERE {holds.format(column)}{only}",)
        text = f"{rows} rows of {table} have {value.new} in {value.field} instead of {value.old}."
        yield Step(Phase.VALUES, "rename_value", table, value.field, text, sql, rows=rows)
    if value.stage_of:
        yield from _stage_rows(difference, value)


def _stage_rows(difference: Difference, value: ValueRename) -> Iterator[Step]:
    where = f"entity = {sql_text(value.entity)} AND pipeline = {sql_text(value.stage_of or '')}"
    for column in ("stage", "previous"):
        change = f"{column} = {sql_text(value.new)}"
        condition = f"{where} AND {column} = {sql_text(value.old)}"
        text = f"{{rows}} rows of the stage history have {value.new}."
        yield from _update(difference, "_stage_history", column, change, condition, text)
