"""The normal forms of `model.matching` as SQL, and the indexes that duplicates are found by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

from trellis.formula.sql.texts import lower
from trellis.model import matching
from trellis.storage.indexes import add_held_index, add_live_index, add_lookup
from trellis.storage.names import short

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.types import TypeEngine

    from trellis.model.entity import Entity
    from trellis.model.field import Field
    from trellis.model.model import Model

REACHED = ("email", "phone")
C = "C"  # the collation of normal forms: they are compared letter by letter


class _Written(sa.ColumnElement[Any]):
    """A constant as it is written in SQL: a parameter would hide from PostgreSQL that an index holds the expression.

    (A literal_column would do, but an Index takes the first column that it finds for its own.)
    """

    inherit_cache = True
    __visit_name__ = "trellis_written"
    _traverse_internals = [("written", InternalTraversal.dp_string)]  # noqa: RUF012

    def __init__(self, written: str, type_: TypeEngine[Any]) -> None:
        self.written = written
        self.type = type_


@compiles(_Written)
def _write(element: _Written, compiler: SQLCompiler, **_: Any) -> str:
    return element.written


def _constant(text: str) -> sa.ColumnElement[str]:
    return _Written("E'" + text.replace("\\", "\\\\").replace("'", "''") + "'", sa.Text())


def _replaced(value: sa.ColumnElement[Any], pattern: str, by: str = "", flags: str = "") -> sa.ColumnElement[Any]:
    parts = [value, _constant(pattern), _constant(by), *([_constant(flags)] if flags else [])]
    return sa.func.regexp_replace(*parts, type_=sa.Text())


def _or(value: sa.ColumnElement[Any], other: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The value, unless it is empty."""
    return sa.func.coalesce(sa.func.nullif(value, _constant("")), other, type_=sa.Text())


def _without_blanks(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.replace(value, _constant(" "), _constant(""), type_=sa.Text())


def _spaced(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    folded = lower(sa.func.pg_catalog.normalize(value, _constant("NFKC")))
    return sa.func.btrim(_replaced(folded, matching.BETWEEN, " ", "g"), _constant(" "), type_=sa.Text())


def _words(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return _without_blanks(_spaced(value))


def _company(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    spaced = _spaced(value)
    padded = _constant(" ").op("||", return_type=sa.Text())(spaced)
    bare = _or(_without_blanks(_replaced(padded, matching.FORMS_AT_END)), _without_blanks(spaced))
    bare = _or(_replaced(bare, matching.CJK_FORMS_AT_START), bare)
    return _or(_replaced(bare, matching.CJK_FORMS_AT_END), bare)


def _url(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    lowered = lower(value)
    return _replaced(_replaced(lowered, matching.URL_START), matching.URL_END)


def _domain(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return _replaced(_replaced(lower(value), matching.URL_START), matching.AFTER_HOST)


def _name(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    parts = [
        sa.func.coalesce(value.op("->>", return_type=sa.Text())(_constant(p)), _constant("")) for p in matching.PERSON
    ]
    together: sa.ColumnElement[Any] = parts[0]
    for part in parts[1:]:
        together = together.op("||", return_type=sa.Text())(_constant(" ")).op("||", return_type=sa.Text())(part)
    return _words(together)


_FORMS: Mapping[str, Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]] = {
    "text": _company,
    "url": _url,
    "name": _name,
    "email": lower,
}


def normal(field: Field, column: sa.ColumnElement[Any], how: matching.How = "normal") -> sa.ColumnElement[Any]:
    """A field's column as it is compared."""
    form = matching.form_of(field)
    if how == "exact" or form == "plain":
        return _text(_words(column)) if how == "similar" and isinstance(column.type, sa.String) else column
    return _text(_domain(column) if how == "domain" else _FORMS[form](column))


def _text(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A normal form of limited length, ordered letter by letter."""
    return sa.func.left(value, _Written(str(matching.LONGEST), sa.Integer()), type_=sa.Text()).collate(C)


def backwards(value: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A normal form read from its end: two names that begin differently are neighbours there."""
    return sa.func.reverse(value, type_=sa.Text()).collate(C)


def compared(model: Model) -> Mapping[str, dict[tuple[str, matching.How], None]]:
    """The fields of each entity that rules compare, its own and other entities', and how."""
    found: dict[str, dict[tuple[str, matching.How], None]] = defaultdict(dict)
    for entity in model.entities.values():
        for rule in entity.dedupe:
            for target, names in rule.targets(entity.key):
                for match in rule.match:
                    found[target][names[match.field], match.how] = None
    return found


def reached(entity: Entity) -> Mapping[str, dict[tuple[str, matching.How], None]]:
    """The addresses and numbers of an entity whose owner is looked for when a message comes in: those searched by."""
    found = (f.key for f in entity.stored_fields() if f.type.name in REACHED and f.search)
    return {entity.key: dict.fromkeys((name, "normal") for name in found)}


def add_match_indexes(model: Model, tables: Mapping[str, sa.Table]) -> None:
    """Add the indexes of normal forms; a field that is compared as it is has its index already, or gets one."""
    rules = compared(model)
    for key, entity in model.entities.items():
        table = tables[key]
        for name in (name for name, _how in reached(entity)[key]):
            if (every := table.c.get(short(f"{name}_all"))) is not None:
                add_held_index(table, f"{name}_held", every)
        for name, how in {**rules.get(key, {}), **reached(entity)[key]}:
            field = entity.fields.get(name)
            if field is None or not field.is_stored or short(name) not in table.c:
                continue
            column = table.c[short(name)]
            value = normal(field, column, how)
            if value is column:
                add_lookup(entity, table, field)
                continue
            add_live_index(table, f"{name}_domain" if how == "domain" else f"{name}_match", value)
            if how == "similar":
                add_live_index(table, f"{name}_match_end", backwards(value))
