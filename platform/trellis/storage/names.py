"""Names in the database: always quoted, never longer than PostgreSQL keeps."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy.sql.elements import quoted_name

LONGEST = 63  # bytes: PostgreSQL cuts off what is longer, without a word


def short(name: str) -> str:
    """The name itself, or its beginning and a digest when PostgreSQL would cut it off."""
    if len(name.encode()) <= LONGEST:
        return name
    beginning = name.encode()[: LONGEST - 9].decode(errors="ignore")
    return f"{beginning}_{digest(name)}"


def quoted(name: str) -> quoted_name:
    """A name that SQLAlchemy always puts in quotes, so that it may be any word of SQL."""
    return quoted_name(short(name), True)


def digest(text: str) -> str:
    """Eight characters that stand for the text."""
    return sha256(text.encode()).hexdigest()[:8]


def sql_name(name: str) -> str:
    """A name in double quotes, for DDL written as text."""
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: str) -> str:
    """A text literal, for DDL, which takes no parameters."""
    return "'" + text.replace("'", "''") + "'"
