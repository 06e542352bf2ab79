"""The difference between the tables that are needed and those that are live, by Alembic's autogenerate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.autogenerate import api
from alembic.autogenerate.compare import _populate_migration_script
from alembic.operations import ops
from alembic.runtime.migration import MigrationContext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection
    from sqlalchemy.engine.reflection import Inspector

    from trellis.storage.live import Live
    from trellis.storage.renames import Renames

PARTS = (
    "columns",
    "pk_constraint",
    "foreign_keys",
    "indexes",
    "unique_constraints",
    "table_comment",
    "check_constraints",
    "table_options",
)


def differences(
    connection: Connection, metadata: sa.MetaData, live: Live, renames: Renames
) -> Sequence[ops.MigrateOperation]:
    """Alembic's operations that make the live tables, once renamed, what the metadata says."""
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True, "version_table": " none "}
    )
    autogenerate = api.AutogenContext(context, metadata)
    autogenerate.__dict__["inspector"] = _renamed_inspector(connection, live, renames)
    script = ops.MigrationScript(rev_id="", upgrade_ops=ops.UpgradeOps([]), downgrade_ops=ops.DowngradeOps([]))
    _populate_migration_script(autogenerate, script)
    assert script.upgrade_ops is not None
    for found in script.upgrade_ops.ops:
        if isinstance(found, ops.ModifyTableOps):
            found.ops = _without_known_indexes(found.ops)
    return [found for found in script.upgrade_ops.ops if not isinstance(found, ops.ModifyTableOps) or found.ops]


def _without_known_indexes(found: Sequence[ops.MigrateOperation]) -> list[ops.MigrateOperation]:
    """The operations but for indexes that are there: a name holds a digest of what the index is.

    PostgreSQL writes long expressions in words of its own, which Alembic takes for others.
    """
    gone = {op.index_name for op in found if isinstance(op, ops.DropIndexOp)}
    made = {op.index_name for op in found if isinstance(op, ops.CreateIndexOp)}
    kept = gone & made
    indexes = (ops.DropIndexOp, ops.CreateIndexOp)
    return [op for op in found if not (isinstance(op, indexes) and op.index_name in kept)]


def _renamed_inspector(connection: Connection, live: Live, renames: Renames) -> Inspector:
    """An inspector that sees the live tables under their new names: Alembic reads them from its cache.

    So a plan with renames looks at the real schema without changing, or locking, anything in it.
    """
    inspector = sa.inspect(connection)
    for part in PARTS:
        found: Mapping[tuple[Any, str], Any] = getattr(inspector, f"get_multi_{part}")()
        renamed = {}
        for (schema, table), description in found.items():
            name = renames.tables.get(table, table)
            renamed[schema, name] = _rename(part, name, description, live, renames)
        inspector.info_cache[f"alembic_{part}"] = renamed
    names = [renames.tables.get(t, t) for t in live.columns]
    inspector.get_table_names = lambda *args, **kwargs: names  # type: ignore[method-assign]
    return inspector


def _rename(part: str, table: str, found: Any, live: Live, renames: Renames) -> Any:
    columns = renames.columns.get(table, {})

    def renamed(names: list[str | None]) -> list[str | None]:
        return [columns.get(n, n) if n else n for n in names]

    if part == "columns":
        return [c | {"name": columns.get(c["name"], c["name"])} for c in found]
    if part == "pk_constraint":
        return found | {"constrained_columns": renamed(found["constrained_columns"])} if found else found
    if part == "unique_constraints":
        return [c | {"column_names": renamed(c["column_names"])} for c in found]
    if part == "foreign_keys":
        return [_rename_key(k, renamed(k["constrained_columns"]), renames) for k in found]
    if part == "indexes":
        return [_rename_index(i, columns) for i in found if i["name"] not in live.broken_indexes]
    return found


def _rename_key(key: Any, constrained: list[str | None], renames: Renames) -> Any:
    target = renames.tables.get(key["referred_table"], key["referred_table"])
    return key | {"constrained_columns": constrained, "referred_table": target}


def _rename_index(index: Any, columns: Mapping[str, str]) -> Any:
    renamed = index | {"column_names": [columns.get(n, n) if n else n for n in index["column_names"]]}
    if "column_sorting" in index:
        renamed["column_sorting"] = {columns.get(n, n): s for n, s in index["column_sorting"].items()}
    return renamed
