"""How entries are chained: canonical text, hashes, and the triggers that seal each entry at its commit.

A deferred trigger runs when the transaction that wrote an entry commits. It takes an advisory lock, reads the chain's
head and adds a link; the lock goes with the commit that follows at once. So entries may be written early in long
transactions, writers wait for each other only for the moment of a commit, and an entry that is rolled back leaves no
gap. The function runs with its owner's rights: the tenant's role can write no link itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from trellis.storage.names import sql_name, sql_text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

GENESIS = "0" * 64
LOCK = 7275  # the advisory lock of a chain's head
TRIGGERS = 5  # of the two tables
_TRIGGERS = """
SELECT count(*) FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname IN ('_audit', '_audit_seal') AND g.tgenabled = 'O'
    AND g.tgname IN ('_audit_sealed', '_audit_kept', '_audit_whole')
"""
SEALED = ("id", "at", "kind", "by", "by_name", "means", "address", "request", "entity", "record", "digest")


def part(value: str | None) -> str:
    """A value with its length, so that no two lists of values give the same text."""
    return "-" if value is None else f"{len(value.encode())}:{value}"


def digest_of(salt: str, label: str | None, details: str | None) -> str:
    """What stands in the chain for the two that an erasure may take away."""
    return sha256((part(salt) + part(label) + part(details)).encode()).hexdigest()


def hash_of(previous: str, number: int, row: Mapping[str, Any]) -> str:
    """The hash of a link: of the one before, its own number and the entry's sealed columns."""
    text = part(previous) + part(str(number)) + "".join(part(_text(row[name])) for name in SEALED)
    return sha256(text.encode()).hexdigest()


def _text(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return None if value is None else str(value)


def seal_statements(schema: str) -> list[str]:
    """The functions and triggers of a tenant's audit log; the same every time, so that every apply gives them anew."""
    where = sql_name(schema)
    audit, seal = f"{where}._audit", f"{where}._audit_seal"
    return [
        _seal_function(where, schema),
        f"DROP TRIGGER IF EXISTS _audit_sealed ON {audit}",
        f"CREATE CONSTRAINT TRIGGER _audit_sealed AFTER INSERT ON {audit} DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW EXECUTE FUNCTION {where}._audit_seal_entry()",
        _keep_function(where),
        f"CREATE OR REPLACE TRIGGER _audit_kept BEFORE UPDATE OR DELETE ON {audit}"
        f" FOR EACH ROW EXECUTE FUNCTION {where}._audit_keep()",
        f"CREATE OR REPLACE TRIGGER _audit_whole BEFORE TRUNCATE ON {audit}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {where}._audit_keep()",
        f"CREATE OR REPLACE TRIGGER _audit_kept BEFORE UPDATE OR DELETE ON {seal}"
        f" FOR EACH ROW EXECUTE FUNCTION {where}._audit_keep()",
        f"CREATE OR REPLACE TRIGGER _audit_whole BEFORE TRUNCATE ON {seal}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {where}._audit_keep()",
        *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in (audit, seal)),
    ]


def watch(connection: Connection, schema: str) -> bool:
    """Whether all the triggers that keep and seal the log are there and on."""
    found = connection.exec_driver_sql(_TRIGGERS, {"schema": schema}).scalar_one()
    return int(found) == TRIGGERS


def _seal_function(where: str, schema: str) -> str:
    values = ["last_hash", "last_number::text", *(_sql_text_of(name) for name in SEALED)]
    canonical = " || ".join(f"coalesce(octet_length({v}) || ':' || {v}, '-')" for v in values)
    return f"""CREATE OR REPLACE FUNCTION {where}._audit_seal_entry() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $seal$
DECLARE last_number bigint; last_hash text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended({sql_text(schema)}, {LOCK}));
    SELECT number, hash INTO last_number, last_hash FROM {where}._audit_seal ORDER BY number DESC LIMIT 1;
    last_number := coalesce(last_number, 0) + 1;
    last_hash := coalesce(last_hash, {sql_text(GENESIS)});
    INSERT INTO {where}._audit_seal (number, entry, previous, hash) VALUES (last_number, NEW.id, last_hash,
        encode(sha256(convert_to({canonical}, 'UTF8')), 'hex'));
    RETURN NULL;
END $seal$"""


def _sql_text_of(name: str) -> str:
    column = f"NEW.{sql_name(name)}"
    if name == "at":
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
    return f"{column}::text"


def _keep_function(where: str) -> str:
    """Refuses whoever it is, the owner too; only label, details and salt may be taken away, all three at once."""
    same = " AND ".join(f"NEW.{sql_name(n)} IS NOT DISTINCT FROM OLD.{sql_name(n)}" for n in SEALED)
    return f"""CREATE OR REPLACE FUNCTION {where}._audit_keep() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $keep$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = '_audit' THEN
        IF NEW.label IS NULL AND NEW.details IS NULL AND NEW.salt IS NULL AND {same} THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'insufficient_privilege';
END $keep$"""
