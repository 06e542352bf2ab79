"""The baseline and the floor over the bench's own tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from flask.testing import FlaskClient

from bench.handwritten.app import create_hand_app
from bench.handwritten.queries import Hand
from bench.handwritten.tables import hand_tables
from trellis.storage.names import sql_name

if TYPE_CHECKING:
    from bench.setting import Bench

_kept: dict[int, Hand] = {}


def hand_of(bench: Bench) -> Hand:
    """The hand-written queries, on an engine of their own with SQLAlchemy's and psycopg's own settings."""
    if id(bench) not in _kept:
        engine = sa.create_engine(bench.database.url, pool_size=8)
        _kept[id(bench)] = Hand(engine, hand_tables(bench.tenant.schema))
    return _kept[id(bench)]


def floor_of(bench: Bench) -> psycopg.Connection[Any]:
    """One plain connection."""
    connection = bench.database.connect_driver()
    connection.execute(f"SET search_path TO {sql_name(bench.tenant.schema)}, pg_catalog")
    return connection


def hand_client(bench: Bench, templates: dict[str, str]) -> FlaskClient:
    """A browser with a session of the hand-written app."""
    from bench.setting import PERSON
    from trellis.identity.sessions import digest, open_session

    client = create_hand_app(hand_of(bench), templates).test_client()
    with client.session_transaction() as session:
        session["secret"] = digest(open_session(bench.tenant, PERSON))  # ours may have another secret by now
    return client
