"""The tables as a hand writes them down."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR


@dataclass(frozen=True)
class HandTables:
    """One attribute for each table that the baseline uses."""

    contact: sa.Table
    account: sa.Table
    user: sa.Table
    history: sa.Table
    session: sa.Table


def hand_tables(schema: str) -> HandTables:
    """The tables of one schema."""
    metadata = sa.MetaData(schema=schema)
    moment = sa.DateTime(timezone=True)
    contact = sa.Table(
        "contact",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        *(sa.Column(name, moment) for name in ("created_at", "updated_at", "deleted_at")),
        *(sa.Column(name, sa.Uuid) for name in ("created_by", "updated_by", "account", "owner")),
        *(sa.Column(name, sa.Uuid) for name in ("reports_to", "referrer")),
        sa.Column("version", sa.Integer),
        sa.Column("search", TSVECTOR),
        sa.Column("_order", sa.Text),
        *(sa.Column(name, JSONB) for name in ("name", "address", "photo")),
        *(sa.Column(name, sa.Text) for name in ("email", "phone", "mobile", "job_title", "department", "buying_role")),
        *(sa.Column(name, sa.Text) for name in ("language", "wechat", "gender", "description")),
        *(sa.Column(name, sa.Boolean) for name in ("is_primary", "do_not_call", "no_email")),
        sa.Column("birthday", sa.Date),
        sa.Column("tags", ARRAY(sa.Text)),
    )
    account = sa.Table(
        "account",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("industry"),
    )
    user = sa.Table(
        "user",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),
        *(sa.Column(name, sa.Text) for name in ("name", "email", "language", "time_zone")),
        sa.Column("roles", ARRAY(sa.Text)),
        sa.Column("active", sa.Boolean),
        sa.Column("deleted_at", moment),
    )
    history = sa.Table(
        "_history",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("at", moment),
        sa.Column("record", sa.Uuid),
        *(sa.Column(name, sa.Text) for name in ("entity", "kind", "means", "by_name")),
        sa.Column("by", sa.Uuid),
        sa.Column("version", sa.Integer),
        sa.Column("changes", JSONB),
    )
    session = sa.Table(
        "_session",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user", sa.Uuid),
        sa.Column("expires_at", moment),
    )
    return HandTables(contact, account, user, history, session)
