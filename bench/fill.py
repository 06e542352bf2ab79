"""A tenant's tables filled in seconds: rows made by the server itself, indexes and foreign keys laid afterwards."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg

from trellis.model import collation
from trellis.records.reading import search
from trellis.storage.names import sql_name

if TYPE_CHECKING:
    from trellis.storage.tenant import Tenant

FIRST = (
    "Anna Ben Chiara David Elif Farid Greta Hugo Ines Jonas Katja Liam Mira Noah Olga Pavel Quentin Rosa Samir Tess"
    " Ugo Vera Wim Xenia Yusuf Zoe Åsa Øystein José Chloé 晓明 丽 建国 秀英 伟 芳"
).split()
STEMS = "Berg Stein Wald Feld Bach Lund Holm Kow Mar Mor Sand Dal Hansen Rossi Silva Novak Müller Garcia 王 李".split()
ENDS = " er mann son ström sen ski ini ova eau ez ic os ley ton".split(" ")
NAMES = 5000
PEOPLE = 20
PER_ACCOUNT = 20  # contacts
INDUSTRIES = ("retail", "manufacturing", "services")

# ids grow with time, as UUIDs of version 7 do
ID = "('01900000-0000-7000-{kind}-' || lpad(to_hex({n}), 12, '0'))::uuid"
MOMENT = "timestamptz '2020-01-01 08:00Z' + i * interval '3 minutes'"


def fill(
    tenant: Tenant, rows: int, first_person: UUID, *, people: int = PEOPLE, roles: Sequence[str] = ("sales-rep",)
) -> None:
    """Fill people, accounts and contacts; each of the people owns as many as the next."""
    accounts = max(1, rows // PER_ACCOUNT)
    with tenant.database.connect_driver() as connection:
        connection.execute(f"SET search_path TO {sql_name(tenant.schema)}, pg_catalog")
        connection.execute(
            "SET maintenance_work_mem = '512MB'; SET statement_timeout = 0; SET synchronous_commit = off"
        )
        _people(connection, first_person, people, roles)
        _names(connection)
        with _bare(connection, tenant.schema, "account"):
            connection.execute(_ACCOUNTS.replace("PEOPLE", str(people)), (accounts,))
        with _bare(connection, tenant.schema, "contact"):
            made = _CONTACTS.replace("ACCOUNTS", str(accounts)).replace("PEOPLE", str(people))
            connection.execute(made, (rows,))
        for table in ("user", "account", "contact"):
            connection.execute(f"VACUUM (ANALYZE) {sql_name(table)}")


def _people(connection: psycopg.Connection, first: UUID, people: int, roles: Sequence[str]) -> None:
    for n in range(people):
        login = connection.execute(
            "INSERT INTO ab_user (id, first_name, last_name, username, email, active) VALUES (%s, %s, '', %s, %s, true)"
            " RETURNING id",
            (n + 1, f"Person {n}", f"p{n}", f"p{n}@bench.example"),
        ).fetchone()
        assert login is not None
        connection.execute(
            'INSERT INTO "user" (id, name, email, roles, active, login) VALUES (%s, %s, %s, %s, true, %s)',
            (UUID(int=first.int + n), f"Person {n}", f"p{n}@bench.example", list(roles), login[0]),
        )


def _names(connection: psycopg.Connection) -> None:
    """A temporary table of names with the words that they are found by."""
    connection.execute("CREATE TEMP TABLE names (n int PRIMARY KEY, name jsonb, plain text, words text, sorted text)")
    chance = random.Random(1)
    with connection.cursor().copy("COPY pg_temp.names FROM STDIN") as copy:
        for n in range(NAMES):
            first, last = chance.choice(FIRST), chance.choice(STEMS)
            if last.isascii():
                last += chance.choice(ENDS)
            name = {"first": first, "last": last}
            words = search.vector_text(search.tokens([f"{first} {last}"]))
            key = collation.name_key(last, first)
            copy.write_row((n, json.dumps(name, ensure_ascii=False), f"{first} {last}", words, key))


_ACCOUNTS = f"""
INSERT INTO account (id, created_at, updated_at, search, _order, name, number, type, industry, status, owner,
                     open_deals)
SELECT {ID.format(kind="a000", n="i")}, {MOMENT}, {MOMENT},
       ($$'company' '$$ || i || $$'$$)::tsvector, 'company ' || i, 'Company ' || i, 'A-' || lpad(i::text, 5, '0'),
       (ARRAY['prospect', 'customer', 'partner'])[1 + i %% 3],
       (ARRAY{list(INDUSTRIES)!r})[1 + i %% 3], 'active', {ID.format(kind="9000", n="1 + i %% PEOPLE")}, 0
FROM generate_series(1, %s) i
"""
_CONTACTS = f"""
INSERT INTO contact (id, created_at, updated_at, created_by, search, _order, name, email, phone, account, job_title,
                     department, buying_role, mobile, is_primary, do_not_call, no_email, birthday, owner, tags,
                     description)
SELECT {ID.format(kind="b000", n="i")}, {MOMENT}, {MOMENT}, {ID.format(kind="9000", n="1 + i %% PEOPLE")},
       (words || $$ 'c$$ || i || $$' 'mail' 'example'$$)::tsvector, sorted, name, 'c' || i || '@mail.example', NULL,
       {ID.format(kind="a000", n="1 + i %% ACCOUNTS")},
       (ARRAY['Buyer', 'Engineer', 'Head of sales', 'Director', 'Assistant', NULL])[1 + i %% 6],
       (ARRAY['Sales', 'Works', NULL])[1 + i %% 3],
       (ARRAY['decision', 'influencer', 'user', 'purchaser', 'finance', NULL, NULL])[1 + i %% 7],
       CASE WHEN i %% 2 = 0 THEN '+49151' || lpad(i::text, 8, '0') END,
       i %% 5 = 0, i %% 11 = 0, false, date '1960-01-01' + i %% 16000,
       {ID.format(kind="9000", n="1 + i %% PEOPLE")},
       CASE WHEN i %% 4 = 0 THEN ARRAY['newsletter'] END,
       CASE WHEN i %% 10 = 0 THEN 'Met at the fair; wants to be called back after the holidays.' END
FROM generate_series(1, %s) i JOIN names ON n = (i * 7919::bigint) %% {NAMES}
"""


@contextmanager
def _bare(connection: psycopg.Connection, schema: str, table: str) -> Iterator[None]:
    """The table without indexes and foreign keys, which are laid anew afterwards."""
    at = f"{sql_name(schema)}.{sql_name(table)}"
    keys = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'",
        (at,),
    ).fetchall()
    indexes: list[tuple[Any, ...]] = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = %s::regclass AND NOT indisprimary",
        (at,),
    ).fetchall()
    for name, _ in keys:
        connection.execute(f"ALTER TABLE {at} DROP CONSTRAINT {sql_name(name)}")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        connection.execute(definition)
    for name, definition in keys:
        connection.execute(f"ALTER TABLE {at} ADD CONSTRAINT {sql_name(name)} {definition}")


def contact_id(n: int) -> UUID:
    """The id of the n-th contact."""
    return UUID(f"01900000-0000-7000-b000-{n:012x}")
