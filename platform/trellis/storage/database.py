"""A PostgreSQL database and the engine that talks to it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.engine import make_url

from trellis.storage.embedded import EmbeddedServer
from trellis.storage.prepared import keep_prepared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import URL, Engine

OLDEST_VERSION = 15
NAME = "trellis"  # of the database in the embedded server, and of ourselves in pg_stat_activity
POOL_SIZE = 8
MORE_IN_A_RUSH = 24
COUNTERS = 3
RETIRE_AFTER = 900  # seconds: a backend's caches grow with every tenant that it has touched

SESSION = {
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "120s",
    "timezone": "UTC",
}


class DatabaseUnusable(Exception):
    """The database cannot be used; the message says why and what to do."""


@dataclass(eq=False)
class Database:
    """One PostgreSQL database. Every tenant that lies in it shares the engine and its pool."""

    engine: Engine
    server: EmbeddedServer | None = None
    files: Path | None = None  # the folder with the contents of files, which stand in rows of the database

    @cached_property
    def counters(self) -> Engine:
        """A few connections beside the pool, for what is counted in transactions of its own: whoever has one waits for
        nobody who waits for one, so that few are enough and none is ever missing."""
        return _engine(self.url, pool_size=COUNTERS, max_overflow=0)

    @classmethod
    def open(cls, url: str | None, var: Path, *, settings: Mapping[str, str] | None = None) -> Database:
        """Open the database at `url`, or the embedded PostgreSQL with its data in `var`/postgres.

        Raises DatabaseUnusable.
        """
        if url:
            opened = cls(_engine(_with_driver(url)), files=var / "files")
            try:
                _check(opened)
            except BaseException:
                opened.close()
                raise
            return opened
        try:
            server = EmbeddedServer(var / "postgres", settings)
        except (OSError, subprocess.SubprocessError, AssertionError, RuntimeError) as error:
            raise DatabaseUnusable(_not_started(var / "postgres", error)) from error
        try:
            return cls(_engine(_with_driver(_ensure_database(server, NAME))), server, var / "files")
        except psycopg.OperationalError as error:  # it ended between its start and this
            server.close()
            raise DatabaseUnusable(_not_started(var / "postgres", error)) from error
        except BaseException:
            server.close()
            raise

    @property
    def url(self) -> URL:
        """The address, with the driver in it."""
        return self.engine.url

    def connect_driver(self) -> psycopg.Connection:
        """A connection of one's own outside the pool, in autocommit: for LISTEN, COPY and CREATE INDEX CONCURRENTLY."""
        address = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(address, autocommit=True, application_name=NAME)

    def close(self) -> None:
        """Close every connection, and stop the embedded server if nobody else uses it."""
        self.engine.dispose()
        if "counters" in self.__dict__:
            self.counters.dispose()
        if self.server is not None:
            self.server.close()


def _with_driver(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # not the address itself: there may be a password in it
        raise DatabaseUnusable(
            "DATABASE_URL is no address of a database: it looks like postgresql://user:password@host:5432/name."
        ) from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise DatabaseUnusable(f"Trellis runs on PostgreSQL; DATABASE_URL names {parsed.get_backend_name()}.")
    return parsed.set(drivername="postgresql+psycopg")


_decode = json.JSONDecoder().raw_decode


def _read_json(raw: bytes | str) -> Any:
    """JSON as PostgreSQL writes it. A list reads fifty names: json.loads spends most of its time on what never comes,
    a mark of another encoding and blanks around the value."""
    text = raw if isinstance(raw, str) else raw.decode()
    try:
        value, end = _decode(text)
    except ValueError:  # a column of type json keeps the blanks that were written
        return json.loads(text)
    return value if end == len(text) else json.loads(text)


def _check(database: Database) -> None:
    """Raise DatabaseUnusable for a server that does not answer, or that is too old."""
    try:
        with database.engine.connect() as connection:
            version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    except sa.exc.DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        shown = database.url.set(drivername="postgresql").render_as_string(hide_password=True)
        raise DatabaseUnusable(
            f"The database {shown} cannot be reached: {reason}. Look at DATABASE_URL, and whether the server runs."
        ) from error
    if version // 10000 < OLDEST_VERSION:
        raise DatabaseUnusable(
            f"PostgreSQL {version // 10000} is too old for Trellis: upgrade it to {OLDEST_VERSION} or later."
        )


def _not_started(folder: Path, error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).strip()
    if isinstance(error, subprocess.CalledProcessError):
        command = error.cmd if isinstance(error.cmd, str) else str(error.cmd[0])
        reason = f"{Path(command).name} failed"
    tail = (reason.splitlines() or [type(error).__name__])[0]
    return (
        f"PostgreSQL cannot be started in {folder}: {tail}. The folder must be writable, and its disk must have space;"
        f" {folder / 'log'} says more. Another folder: TRELLIS_VAR=…; another server: DATABASE_URL=…"
    )


def _engine(url: URL, *, pool_size: int = POOL_SIZE, max_overflow: int = MORE_IN_A_RUSH) -> Engine:
    options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=15,
        pool_recycle=RETIRE_AFTER,
        pool_use_lifo=True,  # the quiet ones grow old and are retired
        json_deserializer=_read_json,
        hide_parameters=True,  # the text of an error goes into logs and dead letters: no values of records with it
        connect_args={
            "application_name": NAME,
            "options": options,
            # the same text means other tables, with other types, for another tenant: a statement that is kept
            # prepared would fail with "cached plan must not change result type" (storage/prepared.py keeps a few)
            "prepare_threshold": None,
        },
    )
    keep_prepared(engine)
    return engine


def _ensure_database(server: EmbeddedServer, name: str) -> str:
    """The address of the database in the embedded server; made on the first start.

    Its locale is built in, so that upper and lower case of every script are the same on every machine,
    and texts sort as Python sorts them.
    """
    with psycopg.connect(server.url(), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            connection.execute(
                sql.SQL(
                    "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
                    " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST'"
                ).format(sql.Identifier(name))
            )
    return server.url(name)
