"""Another key for the installation: everything that is sealed is sealed anew, a piece at a time, while all goes on.

The new key goes before the old one in the file, and every process follows within seconds: what is sealed from then on
is sealed with the new key, and the old one still opens. Then each tenant's sealed values are written anew. Killed in
between, the next run goes on: what has the new key is left alone. Last of all the old key goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.model.sealing import PREFIX, is_current, is_sealed, reseal
from trellis.storage.names import short

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

TOKEN = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_\-]+=*")
AT_ONCE = 200


@dataclass
class Swept:
    """What was found in a tenant: values with another key, and those that no key opens."""

    resealed: int = 0
    lost: int = 0


def sealed_columns(tenant: Tenant) -> Iterator[tuple[sa.Table, sa.Column[Any]]]:
    """Every column with sealed values in it: of fields of type secret, and of the platform's tables."""
    for key, entity in tenant.model.entities.items():
        table = tenant.tables.entity[key]
        for field in entity.fields.values():
            if field.type.name == "secret" and field.stored and (name := short(field.key)) in table.c:
                yield table, table.c[name]
    for table in tenant.tables.platform:
        for column in table.columns:
            if column.info.get("sealed"):
                yield table, column


def sweep(tenant: Tenant) -> Swept:
    """Seal everything with the key that seals now. What somebody changes meanwhile is left as they wrote it."""
    swept = Swept()
    known: dict[str, str] = {}  # what was one value stays one: merges compare what is kept with what is there
    for table, column in sealed_columns(tenant):
        after: tuple[Any, ...] | None = None
        while (after := _sweep_some(tenant, table, column, after, known, swept)) is not None:
            pass
    return swept


def count_old(tenant: Tenant) -> int:
    """How many rows hold a value that an older key opens; what no key opens does not count."""
    found = 0
    with tenant.begin() as connection:
        for _, column in sealed_columns(tenant):
            text = sa.cast(column, sa.Text)
            for (value,) in connection.execute(sa.select(text).where(text.contains(PREFIX, autoescape=True))):
                found += any(not is_current(token) and is_sealed(token) for token in TOKEN.findall(value))
    return found


def _sweep_some(
    tenant: Tenant,
    table: sa.Table,
    column: sa.Column[Any],
    after: tuple[Any, ...] | None,
    known: dict[str, str],
    swept: Swept,
) -> tuple[Any, ...] | None:
    """The next rows of a column, in a transaction of their own; the key of the last one, None at the end."""
    keys = list(table.primary_key.columns)
    text = sa.cast(column, sa.Text)
    query = sa.select(*keys, text.label("_sealed")).where(text.contains(PREFIX, autoescape=True))
    if after is not None:
        query = query.where(
            sa.tuple_(*keys) > sa.tuple_(*(sa.bindparam(None, v, k.type) for k, v in zip(keys, after, strict=True)))
        )
    last: tuple[Any, ...] | None = None
    with tenant.begin() as connection:
        rows = connection.execute(query.order_by(*keys).limit(AT_ONCE)).all()
        for row in rows:
            *found, old = row
            last = tuple(found)
            new = TOKEN.sub(lambda match: _anew(match[0], known, swept), old)
            if new != old:
                same = [k == v for k, v in zip(keys, last, strict=True)]
                change = sa.update(table).where(*same, text == old)
                connection.execute(change.values({column: sa.cast(sa.literal(new, sa.Text), column.type)}))
                swept.resealed += 1
    return last if len(rows) == AT_ONCE else None


def _anew(token: str, known: dict[str, str], swept: Swept) -> str:
    if token not in known:
        try:
            known[token] = reseal(token)
        except ValueError:
            swept.lost += 1
            known[token] = token
    return known[token]
