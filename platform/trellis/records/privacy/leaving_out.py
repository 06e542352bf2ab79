"""Restricted processing: lists and figures leave a person out, for everybody but those who decide about such data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from trellis.records.privacy.subjects import is_subject

if TYPE_CHECKING:
    from trellis.model.entity import Entity
    from trellis.records.session import Session

RIGHT = "privacy"  # in `allow:` of a role


def leaving_out(session: Session, entity: Entity, id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool] | None:
    """That the row is of nobody whose data is not to be worked with; None where no row can be, or all are shown.

    They are few: the database finds them once for a statement, and its plan stays as it is without them.
    """
    if session.permit.allows(RIGHT) or not is_subject(entity):
        return None
    table = session.tables.platform.privacy
    found = sa.select(table.c.record).where(table.c.entity == entity.key, table.c.state == "restricted")
    return id != sa.all_(sa.func.array(found.scalar_subquery()))
