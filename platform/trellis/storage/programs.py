"""The platform tables of programs that call the API: their keys, their requests, answers to be given again."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from trellis.storage.columns import moment
from trellis.storage.names import quoted


def api_key_table(metadata: sa.MetaData) -> sa.Table:
    """A program's key; `digest` is of its secret. It acts as `user`, within its roles and scopes."""
    return sa.Table(
        quoted("_api_key"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("hint", sa.Text, nullable=False),  # the secret's first letters, to tell keys apart
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("user", sa.Uuid, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text)),  # null: whatever the roles allow
        sa.Column("roles", ARRAY(sa.Text)),  # null: all that the person has
        sa.Column("addresses", ARRAY(sa.Text)),  # null: from anywhere
        moment("created_at"),
        sa.Column("created_by", sa.Uuid),
        moment("expires_at", default=False),
        moment("used_at", default=False),
        moment("revoked_at", default=False),
        sa.Index("_api_key_user", "user"),
    )


def idempotency_table(metadata: sa.MetaData) -> sa.Table:
    """The answer to a request that may be sent again: by who sent it and the key it carried."""
    return sa.Table(
        quoted("_idempotency"),
        metadata,
        sa.Column("caller", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),  # of the request: another one with the key is a mistake
        sa.Column("status", sa.Integer),
        sa.Column("headers", JSONB),
        sa.Column("body", sa.LargeBinary),
        moment("created_at"),
        sa.Index("_idempotency_created", "created_at"),
    )


def rate_table(metadata: sa.MetaData) -> sa.Table:
    """One row for each caller. UNLOGGED: a minute's count is worth no disk write, and nothing after a crash."""
    return sa.Table(
        quoted("_rate"),
        metadata,
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),  # the window
        sa.Column("spent", sa.Integer, nullable=False),
        sa.Column("before", sa.Integer, nullable=False),  # in the window before
        sa.Column("given", sa.Integer, nullable=False),  # to the latest who asked
        prefixes=["UNLOGGED"],
    )
