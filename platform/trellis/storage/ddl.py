"""DDL as text: what makes a tenant's schema, and who may do what in it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable

from trellis.storage.audit.chain import seal_statements
from trellis.storage.audit.tables import APPEND_ONLY, READ_ONLY
from trellis.storage.names import sql_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    import sqlalchemy as sa

    from trellis.model.model import Model
    from trellis.storage.tables import Tables

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]

_known: OrderedDict[str, str] = OrderedDict()
_guard = threading.Lock()


def create_all(model: Model, tables: Tables) -> str:
    """Every statement that fills an empty schema, as one text: many tenants are made of the same one."""
    with _guard:
        if (text := _known.get(model.hash)) is None:
            text = _known[model.hash] = ";\n".join(create_statements(tables.metadata.tables.values()))
            while len(_known) > 16:
                _known.popitem(last=False)
        return text


def create_statements(tables: Iterable[sa.Table]) -> list[str]:
    """Tables, then indexes, then the foreign keys, which may go round in circles."""
    tables = list(tables)
    made = [compile_ddl(CreateTable(t, include_foreign_key_constraints=[])) for t in tables]
    indexes = [compile_ddl(CreateIndex(i)) for t in tables for i in sorted(t.indexes, key=lambda i: str(i.name))]
    keys = [compile_ddl(AddConstraint(k)) for t in tables for k in foreign_keys(t)]
    return made + indexes + keys


def foreign_keys(table: sa.Table) -> list[sa.ForeignKeyConstraint]:
    """A table's foreign keys in a steady order."""
    return sorted(table.foreign_key_constraints, key=lambda k: tuple(k.column_keys))


def compile_ddl(element: object) -> str:
    """A DDL element as the text that PostgreSQL gets."""
    return str(element.compile(dialect=DIALECT)).strip()  # type: ignore[attr-defined]


def grant_statements(schema: str, role: str, tables: Tables) -> list[str]:
    """The rights of a tenant's role: its rows, not its tables' shape; the history only grows."""
    where, who = sql_name(schema), sql_name(role)
    statements = [
        f"GRANT USAGE ON SCHEMA {where} TO {who}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {where} TO {who}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {where} TO {who}",
    ]
    for table in tables.metadata.tables.values():
        if table.info.get(APPEND_ONLY):
            taken = "INSERT, UPDATE, DELETE" if table.info.get(READ_ONLY) else "UPDATE, DELETE"
            statements.append(f"REVOKE {taken} ON {where}.{sql_name(table.name)} FROM {who}")
    return [*statements, *seal_statements(schema)]
