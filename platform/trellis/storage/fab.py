"""Flask-AppBuilder's tables, taken from its own metadata so that an upgrade of it is a plan like any other."""

from __future__ import annotations

import sqlalchemy as sa


def identity_tables(metadata: sa.MetaData) -> None:
    """Add Flask-AppBuilder's ab_* tables to the metadata.

    Its ids draw from sequences called <table>_id_seq, which is what a serial column calls its own: so plain
    serial columns serve its models, and each sequence goes when its table goes.
    """
    # Flask-AppBuilder brings Flask with it: only who needs tables pays for the import
    from flask_appbuilder import Model
    from flask_appbuilder.security.sqla import models  # noqa: F401 - registers the tables

    for source in Model.metadata.sorted_tables:
        if source.name.startswith("ab_"):
            _copy(source, metadata)


def _copy(source: sa.Table, metadata: sa.MetaData) -> None:
    table = sa.Table(source.name, metadata, *(_copy_column(c) for c in source.columns))
    for constraint in source.constraints:
        if isinstance(constraint, sa.ForeignKeyConstraint):
            remote = [f"{e.column.table.name}.{e.column.name}" for e in constraint.elements]
            table.append_constraint(
                sa.ForeignKeyConstraint(constraint.column_keys, remote, ondelete=constraint.ondelete)
            )
        elif isinstance(constraint, sa.UniqueConstraint):
            table.append_constraint(sa.UniqueConstraint(*(c.name for c in constraint.columns)))
    for index in source.indexes:
        sa.Index(index.name, *(table.c[c.name] for c in index.columns), unique=index.unique)


def _copy_column(column: sa.Column[object]) -> sa.Column[object]:
    return sa.Column(column.name, column.type, nullable=column.nullable, primary_key=column.primary_key)
