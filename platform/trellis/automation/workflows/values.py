"""What steps give to records: formulas are computed, and records that a text names are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from trellis.formula.env import Env, RecordLike
from trellis.formula.types import Ref, Value
from trellis.model.fields.base import Invalid
from trellis.model.given import Given
from trellis.records.transfer.keys import Ambiguous, Links

if TYPE_CHECKING:
    from trellis.model.field import Field
    from trellis.records.session import Session


def evaluated(session: Session, entity: str, values: Mapping[str, Given], env: Env) -> dict[str, Value]:
    """The values by field, as a writer gives them."""
    definition = session.entity(entity)
    return {
        key: settled(session, definition.fields.get(key), given.evaluate(env), written=given.formula is None)
        for key, given in values.items()
    }


def settled(session: Session, field: Field | None, value: Value, *, written: bool) -> Value:
    """A computed or written value as a writer gives it: records in hand as links, `account: ACME` by its key."""
    if isinstance(value, (list, tuple)):
        return [settled(session, field, each, written=written) for each in value]
    if isinstance(value, RecordLike) and not isinstance(value, (Ref, dict)) and value.id is not None:
        return Ref(value.entity, value.id)
    if written and isinstance(value, str) and field is not None and field.type.formula_type().kind == "record":
        return _named(session, field, value)
    return value


def _named(session: Session, field: Field, text: str) -> Value:
    try:
        return Ref(field.type.formula_type().entities[0], UUID(text)) if field.type.formula_type().entities else text
    except ValueError:
        pass
    for entity in field.type.formula_type().entities:
        links = Links(session)
        links.wish(entity, None, text)
        links.prepare()
        try:
            if (found := links.ref(entity, None, text)) is not None:
                return found
        except Ambiguous:
            raise Invalid("link", "“{value}” names several records.", value=text[:60]) from None
    raise Invalid("link", "There is no record “{value}”.", value=text[:60])
