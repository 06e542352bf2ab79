"""Alembic's operations and our renames as steps: DDL, what it costs, what it destroys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.operations import ops
from sqlalchemy.schema import AddConstraint, CreateColumn, CreateIndex
from sqlalchemy.sql.visitors import iterate

from trellis.storage.convert import Case, conversion, sql_type
from trellis.storage.ddl import DIALECT, compile_ddl, create_statements, foreign_keys
from trellis.storage.names import sql_name
from trellis.storage.ordering import ORDER
from trellis.storage.step import Phase, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from trellis.storage.live import Live
    from trellis.storage.renames import Renames

EXAMPLES = 5


@dataclass
class Difference:
    """What steps are made from: the connection to count with, the tables wanted, the tables that are there."""

    connection: Connection
    metadata: sa.MetaData
    live: Live
    renames: Renames
    time_zone: str = "UTC"
    created: set[str] = dc_field(default_factory=set)
    dropped: set[str] = dc_field(default_factory=set)
    added: dict[str, set[str]] = dc_field(default_factory=dict)  # columns that are new, by table

    @property
    def version(self) -> int:
        """The server's version as a number: 180000."""
        info = self.connection.dialect.server_version_info or (15,)
        return int(info[0]) * 10_000

    def count(self, table: str, condition: str = "true") -> int:
        """Rows of a live table (by its new name) that a condition over live columns holds for."""
        if table not in {*self.live.columns, *self.renames.tables.values()}:
            return 0
        source = sql_name(self.renames.live_table(table))
        return self.number(f"SELECT count(*) FROM {source} WHERE {condition}")

    def examples(self, table: str, column: str, condition: str) -> tuple[str, ...]:
        """A few different values that a condition holds for."""
        source = sql_name(self.renames.live_table(table))
        distinct = f"SELECT DISTINCT left({column}::text, 60) FROM {source} WHERE {condition} LIMIT {EXAMPLES}"
        return tuple(str(r[0]) for r in self.rows(distinct))

    def rows(self, query: str) -> Sequence[Any]:
        """The rows of a query that is text, percent signs and all."""
        return self.connection.exec_driver_sql(query, execution_options={"no_parameters": True}).all()

    def number(self, query: str) -> int:
        """The one number that a query gives."""
        return int(self.rows(query)[0][0] or 0)

    def live_name(self, table: str, column: str) -> str:
        """A column's name in the live table, in quotes."""
        return sql_name(self.renames.live_column(table, column))


def operation_steps(difference: Difference, operations: list[ops.MigrateOperation]) -> Iterator[Step]:
    """Steps for everything that Alembic has found."""
    for operation in operations:
        if isinstance(operation, ops.CreateTableOp):
            difference.created.add(str(operation.table_name))
        elif isinstance(operation, ops.DropTableOp):
            difference.dropped.add(str(operation.table_name))
    yield from _created(difference)
    for operation in operations:
        if isinstance(operation, ops.DropTableOp):
            yield _drop_table(difference, str(operation.table_name))
        elif isinstance(operation, ops.ModifyTableOps):
            table = str(operation.table_name)
            if table not in difference.created | difference.dropped:
                yield from _modified(difference, table, list(operation.ops))


def _created(difference: Difference) -> Iterator[Step]:
    tables = [difference.metadata.tables[t] for t in sorted(difference.created)]
    for table in tables:
        sql = tuple(s for s in create_statements([table]) if not s.startswith("ALTER TABLE"))
        yield Step(Phase.CREATE, "create_table", table.name, table.name, f"Create the table {table.name}.", sql)
    for table in tables:
        keys = tuple(compile_ddl(AddConstraint(k)) for k in foreign_keys(table))
        if keys:
            yield Step(Phase.KEY, "add_key", table.name, table.name, f"Link {table.name} to other tables.", keys)


def _drop_table(difference: Difference, table: str) -> Step:
    rows = difference.count(table)
    text = f"Drop the table {table} with its {rows} rows."
    sql = (f"DROP TABLE {sql_name(table)} CASCADE",)
    return Step(Phase.DROP, "drop_table", table, table, text, sql, rows=rows, destroys=True)


def _modified(difference: Difference, table: str, operations: list[Any]) -> Iterator[Step]:
    added = difference.added.setdefault(table, set())
    added |= {str(o.column.name) for o in operations if isinstance(o, ops.AddColumnOp)}
    gone = {str(o.column_name) for o in operations if isinstance(o, ops.DropColumnOp)}
    operations, renamed = _renamed_indexes(difference, table, operations)
    yield from renamed
    for operation in operations:
        builder = BUILDERS.get(type(operation))
        if builder is not None:
            yield from builder(difference, table, operation, gone)


def _add_column(difference: Difference, table: str, operation: Any, gone: set[str]) -> Iterator[Step]:
    column = difference.metadata.tables[table].c[operation.column.name]
    definition = compile_ddl(CreateColumn(column))
    sql = (f"ALTER TABLE {sql_name(table)} ADD COLUMN {definition}",)
    failing = 0
    if not column.nullable and column.server_default is None and column.identity is None:
        failing = difference.count(table)
    text = f"Add the column {table}.{column.name} ({sql_type(column.type)})."
    yield Step(Phase.ADD, "add_column", table, column.name, text, sql, failing=failing)


def _drop_column(difference: Difference, table: str, operation: Any, gone: set[str]) -> Iterator[Step]:
    name = str(operation.column_name)
    rows = difference.count(table, f"{difference.live_name(table, name)} IS NOT NULL")
    text = f"Drop the column {table}.{name}; {rows} rows have a value in it."
    sql = (f"ALTER TABLE {sql_name(table)} DROP COLUMN {sql_name(name)}",)
    destroys = name != ORDER  # that one is computed from the title
    yield Step(Phase.DROP, "drop_column", table, name, text, sql, rows=rows, destroys=destroys)


def _alter_column(difference: Difference, table: str, operation: Any, gone: set[str]) -> Iterator[Step]:
    name = str(operation.column_name)
    where, column = sql_name(table), sql_name(name)
    live = difference.live_name(table, name)
    if operation.modify_type is not None:
        yield _convert(difference, table, name, operation.existing_type, operation.modify_type)
    if operation.modify_server_default is not False:
        default = difference.metadata.tables[table].c[name].server_default
        change = "DROP DEFAULT" if default is None else f"SET DEFAULT {_default_text(default)}"
        sql = (f"ALTER TABLE {where} ALTER COLUMN {column} {change}",)
        yield Step(Phase.TIGHTEN, "default", table, name, f"Change the default of {table}.{name}.", sql)
    if operation.modify_nullable is True:
        sql = (f"ALTER TABLE {where} ALTER COLUMN {column} DROP NOT NULL",)
        yield Step(Phase.LOOSEN, "nullable", table, name, f"Let {table}.{name} be blank.", sql)
    elif operation.modify_nullable is False:
        failing = difference.count(table, f"{live} IS NULL")
        sql = (f"ALTER TABLE {where} ALTER COLUMN {column} SET NOT NULL",)
        yield Step(Phase.TIGHTEN, "not_null", table, name, f"Let {table}.{name} never be blank.", sql, failing=failing)


def _default_text(default: Any) -> str:
    argument = default.arg
    return str(argument.text) if hasattr(argument, "text") else "'" + str(argument).replace("'", "''") + "'"


def _convert(difference: Difference, table: str, name: str, old: Any, new: Any) -> Step:
    before, after = sql_type(old), sql_type(new)
    live = Case(difference.live_name(table, name), before, after, difference.time_zone, difference.version)
    found = conversion(live)
    failing, examples = 0, tuple[str, ...]()
    if found.fails is not None:
        condition = f"{live.column} IS NOT NULL AND ({found.fails})"
        if failing := difference.count(table, condition):
            examples = difference.examples(table, live.column, condition)
    using = conversion(Case(sql_name(name), before, after, difference.time_zone, difference.version)).using
    rows = difference.count(table, f"{live.column} IS NOT NULL")
    sql = (f"ALTER TABLE {sql_name(table)} ALTER COLUMN {sql_name(name)} TYPE {after} USING {using}",)
    loses = f"; {found.loses} is lost" if found.loses else ""
    text = f"Convert {table}.{name} from {before} to {after}: {rows} values{loses}."
    return Step(
        Phase.CONVERT,
        "convert_column",
        table,
        name,
        text,
        sql,
        rows=rows,
        failing=failing,
        examples=examples,
        destroys=bool(found.loses and rows),
    )


def _add_index(difference: Difference, table: str, operation: Any, gone: set[str]) -> Iterator[Step]:
    index = next(i for i in difference.metadata.tables[table].indexes if i.name == operation.index_name)
    statement = compile_ddl(CreateIndex(index))
    names = {str(c.name) for c in index.columns}
    failing, examples = 0, tuple[str, ...]()
    if index.unique and not names & difference.added.get(table, set()):
        failing, examples = _duplicates(difference, table, index)
    text = f"Add the {'unique ' if index.unique else ''}index {index.name}."
    if difference.live.is_big(difference.renames.live_table(table)):
        # built after the transaction, while people go on writing
        later: tuple[str, ...] = (statement.replace("INDEX", "INDEX CONCURRENTLY", 1),)
        statements: tuple[str, ...] = ()
    else:
        later, statements = (), (statement,)
    yield Step(
        Phase.INDEX, "add_index", table, str(index.name), text, statements, later, failing=failing, examples=examples
    )


def _duplicates(difference: Difference, table: str, index: sa.Index) -> tuple[int, tuple[str, ...]]:
    """Rows beyond the first of each value that should be there once."""

    columns = []
    for expression in index.expressions:
        parts = iterate(expression) if isinstance(expression, sa.ColumnElement) else ()
        column = next((c for c in parts if isinstance(c, sa.Column)), None)
        if column is None:
            return 0, ()
        live = difference.live_name(table, column.name)
        columns.append(live if isinstance(expression, sa.Column) else f"lower({live})")
    where = index.dialect_options["postgresql"].get("where")
    conditions = [f"{c} IS NOT NULL" for c in columns]
    if where is not None:
        conditions.append(str(where.compile(dialect=DIALECT)))
    source, keys = sql_name(difference.renames.live_table(table)), ", ".join(columns)
    grouped = f"SELECT {keys}, count(*) AS n FROM {source} WHERE {' AND '.join(conditions)} GROUP BY {keys}"
    twice = f"{grouped} HAVING count(*) > 1"
    failing = difference.number(f"SELECT coalesce(sum(n - 1), 0) FROM ({twice}) d")
    if not failing:
        return 0, ()
    found = difference.rows(f"{twice} ORDER BY n DESC LIMIT {EXAMPLES}")
    return failing, tuple(", ".join(str(v) for v in r[:-1]) for r in found)


def _drop_index(difference: Difference, table: str, operation: Any, gone: set[str]) -> Iterator[Step]:
    name = str(operation.index_name)
    yield Step(
        Phase.LOOSEN, "drop_index", table, name, f"Drop the index {name}.", (f"DROP INDEX IF EXISTS {sql_name(name)}",)
    )


def _drop_constraint(difference: Difference, table: str, operation: Any, gone: set[str]) -> Iterator[Step]:
    name = str(operation.constraint_name)
    sql = (f"ALTER TABLE {sql_name(table)} DROP CONSTRAINT IF EXISTS {sql_name(name)}",)
    yield Step(Phase.LOOSEN, "drop_key", table, name, f"Drop the constraint {name}.", sql)


def _add_unique(difference: Difference, table: str, operation: Any, gone: set[str]) -> Iterator[Step]:
    constraint = operation.to_constraint()
    columns = ", ".join(difference.live_name(table, str(c)) for c in operation.columns)
    failing = 0
    if not {str(c) for c in operation.columns} & difference.added.get(table, set()):
        source = sql_name(difference.renames.live_table(table))
        query = f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) n FROM {source} GROUP BY {columns}) d"
        failing = difference.number(query)
    names = ", ".join(sql_name(str(c)) for c in operation.columns)
    sql = (f"ALTER TABLE {sql_name(table)} ADD CONSTRAINT {sql_name(str(constraint.name))} UNIQUE ({names})",)
    text = f"Let {', '.join(operation.columns)} be unique in {table}."
    yield Step(Phase.KEY, "add_key", table, str(constraint.name), text, sql, failing=failing)


def _add_foreign_key(difference: Difference, table: str, operation: Any, gone: set[str]) -> Iterator[Step]:
    wanted = difference.metadata.tables[table]
    columns = [str(c) for c in operation.local_cols]
    key = next(k for k in wanted.foreign_key_constraints if list(k.column_keys) == columns)
    statement, name, target = compile_ddl(AddConstraint(key)), str(key.name), str(operation.referent_table)
    failing, examples = 0, tuple[str, ...]()
    if not set(columns) & difference.added.get(table, set()):
        failing, examples = _dangling(difference, table, columns, target)
    text = f"Link {table}.{columns[0]} to {target}."
    later: tuple[str, ...] = ()
    if difference.live.is_big(difference.renames.live_table(table)):
        # the new rows are checked at once, the old ones after the transaction, while people go on writing
        statement += " NOT VALID"
        later = (f"ALTER TABLE {sql_name(table)} VALIDATE CONSTRAINT {sql_name(name)}",)
    yield Step(Phase.KEY, "add_key", table, name, text, (statement,), later, failing=failing, examples=examples)


def _dangling(difference: Difference, table: str, columns: list[str], target: str) -> tuple[int, tuple[str, ...]]:
    """Rows whose link leads nowhere."""
    column = difference.live_name(table, columns[0])
    described = difference.metadata.tables[table].c[columns[0]]
    if not isinstance(described.type, sa.Uuid | sa.Integer):
        return 0, ()
    if target in difference.created:
        condition = f"{column} IS NOT NULL"
    else:
        inside = sql_name(difference.renames.live_table(target))
        condition = f"{column} IS NOT NULL AND {column}::text NOT IN (SELECT id::text FROM {inside})"
    failing = difference.count(table, condition)
    return failing, difference.examples(table, column, condition) if failing else ()


def _renamed_indexes(difference: Difference, table: str, operations: list[Any]) -> tuple[list[Any], list[Step]]:
    """An index that only has another name now (its table or column was renamed) is renamed, not built again."""
    dropped = {_shape(o): o for o in operations if isinstance(o, ops.DropIndexOp)}
    steps, done = [], []
    for operation in operations:
        if not isinstance(operation, ops.CreateIndexOp):
            continue
        earlier = dropped.pop(_shape(operation), None)
        if earlier is not None:
            old, new = str(earlier.index_name), str(operation.index_name)
            sql = (f"ALTER INDEX {sql_name(old)} RENAME TO {sql_name(new)}",)
            steps.append(Step(Phase.LOOSEN, "rename_index", table, new, f"Rename the index {old} to {new}.", sql))
            done += [earlier, operation]
    return [o for o in operations if o not in done], steps


def _shape(operation: Any) -> str:
    """What an index is, whatever its name and its table's."""
    text = compile_ddl(CreateIndex(operation.to_index()))
    definition = text[text.index(" ON ") :].partition(" (")[2]
    return text.split(" INDEX ")[0] + re.sub(r'["() ]', "", definition).lower()


Builder = Callable[[Difference, str, Any, set[str]], Iterator[Step]]
BUILDERS: dict[type[Any], Builder] = {
    ops.AddColumnOp: _add_column,
    ops.DropColumnOp: _drop_column,
    ops.AlterColumnOp: _alter_column,
    ops.CreateIndexOp: _add_index,
    ops.DropIndexOp: _drop_index,
    ops.DropConstraintOp: _drop_constraint,
    ops.CreateUniqueConstraintOp: _add_unique,
    ops.CreateForeignKeyOp: _add_foreign_key,
}
