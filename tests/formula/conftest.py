"""The small world, in Python and in the run's database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from tests.formula.world import METADATA, Row, World, small_world

from trellis.formula.reader import Reader
from trellis.storage.database import Database


@pytest.fixture(scope="module")
def connection(database: Database) -> Iterator[sa.Connection]:
    """A connection to tables that hold the small world, and are never committed."""
    with database.engine.connect() as opened:
        opened.execute(sa.text("set time zone 'America/New_York'"))  # what the session says must not matter
        small_world()[0].store(opened)
        yield opened
        opened.rollback()
        METADATA.drop_all(opened)


@pytest.fixture(scope="module")
def world() -> tuple[World, Row, Row, Reader]:
    """The same world in Python: its deal with everything, its empty deal, and who reads."""
    return small_world()
