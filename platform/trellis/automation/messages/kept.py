"""Short messages as records: what was sent and received stands on the timeline of what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.automation.mail import kept as letters
from trellis.formula.types import Ref
from trellis.records.refusal import Missing, Refused

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.records.store import Store

ENTITY = "text_message"
MEANS = "message"


def is_kept(model: Model) -> bool:
    """Whether short messages are kept as records."""
    return ENTITY in model.entities


def keep(store: Store, values: Mapping[str, Any], id: UUID | None = None) -> Ref | None:
    """Keep a message, with the values that the Model has fields for; None where it has no place for messages."""
    return letters.keep(store, values, id, entity=ENTITY, means=MEANS)


def note_state(store: Store, id: UUID, state: str) -> None:
    """Tell a message's record what became of it."""
    entity = store.tenant.model.entities.get(ENTITY)
    if entity is None or "state" not in entity.fields:
        return
    try:
        store.change(ENTITY, id, {"state": state}, means=MEANS)
    except (Missing, Refused):
        return  # it was deleted meanwhile
