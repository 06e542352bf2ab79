"""The platform tables about signing in: sessions, tokens, attempts, second factors, identities at other places."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from trellis.storage.columns import MOMENT, NOW, moment
from trellis.storage.names import quoted


def sign_in_table(metadata: sa.MetaData) -> sa.Table:
    """Every attempt to sign in; `user` is null where nobody has the address that was typed."""
    return sa.Table(
        quoted("_sign_in"),
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("user", sa.Uuid),
        sa.Column("event", sa.Text, nullable=False),  # in, refused, locked, out, ended, password, factor-on, …
        sa.Column("means", sa.Text, nullable=False),  # password, ldap, oauth:company, saml:company, link, admin
        sa.Column("address", sa.Text),
        sa.Column("agent", sa.Text),
        sa.Column("by", sa.Uuid),  # an administrator who did it for the person
        sa.Index("_sign_in_user", "user", "id"),
        sa.Index("_sign_in_at", "at"),
    )


def attempt_table(metadata: sa.MetaData) -> sa.Table:
    """How often guessing went wrong lately: by account and by address, so that all processes agree."""
    return sa.Table(
        quoted("_attempt"),
        metadata,
        sa.Column("key", sa.Text, primary_key=True),  # a digest: addresses that nobody has are counted, too
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("until", MOMENT),  # nobody may try before
        sa.Index("_attempt_last", "last_at"),
    )


def factor_table(metadata: sa.MetaData) -> sa.Table:
    """A person's second factor: the secret is sealed; `step` is the last code that was used."""
    return sa.Table(
        quoted("_factor"),
        metadata,
        sa.Column("user", sa.Uuid, primary_key=True),
        sa.Column("secret", sa.Text, nullable=False, info={"sealed": True}),
        sa.Column("step", sa.BigInteger),
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
    )


def recovery_code_table(metadata: sa.MetaData) -> sa.Table:
    """Codes for when the phone is lost, each good once; only digests."""
    return sa.Table(
        quoted("_recovery_code"),
        metadata,
        sa.Column("user", sa.Uuid, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("used_at", MOMENT),
    )


def identity_table(metadata: sa.MetaData) -> sa.Table:
    """Who a person is at another place: what that place calls them, which never changes."""
    return sa.Table(
        quoted("_identity"),
        metadata,
        sa.Column("means", sa.Text, primary_key=True),  # ldap, oauth:company, saml:company
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("user", sa.Uuid, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
        sa.Column("seen_at", MOMENT, nullable=False, server_default=NOW),
        sa.Index("_identity_user", "user"),
    )


def session_table(metadata: sa.MetaData) -> sa.Table:
    """A signed-in browser; `id` is a digest of the secret in its cookie."""
    return sa.Table(
        quoted("_session"),
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user", sa.Uuid),
        sa.Column("data", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
        moment("created_at"),
        moment("seen_at"),
        moment("expires_at", default=False),
        sa.Column("address", sa.Text),
        sa.Column("agent", sa.Text),
        sa.Index("_session_user", "user"),
        sa.Index("_session_expires", "expires_at"),
    )


def token_table(metadata: sa.MetaData) -> sa.Table:
    """A right that is good once and for a while (password reset, invitation); `id` is a digest of the secret."""
    return sa.Table(
        quoted("_token"),
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("user", sa.Uuid),
        sa.Column("data", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
        moment("created_at"),
        moment("expires_at"),
        moment("used_at", default=False),
        sa.Index("_token_user", "user"),
    )
