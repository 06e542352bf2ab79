"""The catalogue's own tables, in the schema `trellis`: which tenants there are, and every revision of each."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "trellis"
metadata = sa.MetaData(schema=SCHEMA)

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("schema", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # active, suspended
    sa.Column("database", sa.Text),  # the address of another database that holds the data; NULL: this one
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
)

revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("tenant", sa.Text, sa.ForeignKey("trellis.tenants.slug", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("layers", JSONB, nullable=False),  # the whole configuration: [{name, folder, files: {path: text}}, …]
    sa.Column("steps", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),  # what was done to the tables
    sa.Column("origin", sa.Text, nullable=False, server_default="files"),  # files | studio: written in the browser
)

# work on old records that a revision asks for (hooks.after_publish): the line goes when all of it is done
followups = sa.Table(
    "followups",
    metadata,
    sa.Column("tenant", sa.Text, sa.ForeignKey("trellis.tenants.slug", ondelete="CASCADE"), primary_key=True),
    sa.Column("before", sa.Integer, primary_key=True),  # the revision by which the old records were written
)

# heads of the tenants' audit logs, as they were at some time: storage/audit/anchors.py
audit_anchors = sa.Table(
    "audit_anchors",
    metadata,
    sa.Column("tenant", sa.Text, sa.ForeignKey("trellis.tenants.slug", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
)
