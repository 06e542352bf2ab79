"""The platform table of what strangers have sent in by public forms."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from trellis.storage.columns import MOMENT
from trellis.storage.names import quoted


def form_entry_table(metadata: sa.MetaData) -> sa.Table:
    """One form sent in. `values` is sealed, and kept only as long as no record holds them."""
    return sa.Table(
        quoted("_form_entry"),
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True),  # of the page that was filled in: each counts once
        sa.Column("form", sa.Text, nullable=False),  # the workflow
        sa.Column("at", MOMENT, nullable=False, server_default=sa.text("now()")),
        sa.Column("state", sa.Text, nullable=False),  # made, waiting, spam, held, expired
        sa.Column("entity", sa.Text),
        sa.Column("record", sa.Uuid),
        sa.Column("source", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),  # utm_…, referrer, language
        sa.Column("values", sa.Text, info={"sealed": True}),
        sa.Column("secret", sa.Text),  # the hash of the link that confirms it
        sa.Column("until", MOMENT),  # when the link ends
        sa.Column("confirmed_at", MOMENT),
        sa.Column("sender", sa.Text),  # a keyed hash of the network address, for the limit alone
        sa.Index("_form_entry_form", "form", "state", "at"),
        sa.Index("_form_entry_sender", "sender", "at"),
        sa.Index("_form_entry_secret", "secret", unique=True, postgresql_where=sa.text("secret IS NOT NULL")),
    )
