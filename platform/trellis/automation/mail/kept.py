"""Letters as records: what was sent and received stands on the timeline of what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.formula.types import Ref
from trellis.records.refusal import Missing, Refused

if TYPE_CHECKING:
    from trellis.model.model import Model
    from trellis.records.store import Store

ENTITY = "email_message"
MEANS = "mail"


def is_kept(model: Model) -> bool:
    """Whether letters are kept as records."""
    return ENTITY in model.entities


def keep(
    store: Store, values: Mapping[str, Any], id: UUID | None = None, *, entity: str = ENTITY, means: str = MEANS
) -> Ref | None:
    """Keep a letter, with the values that the Model has fields for; None when it has no place for letters."""
    definition = store.tenant.model.entities.get(entity)
    if definition is None:
        return None
    known: dict[str, Any] = {}
    for key, value in values.items():
        field = definition.fields.get(key)
        if field is None or not field.is_writable or value in (None, "", (), []):
            continue
        longest = getattr(field.type, "max_length", None)
        known[key] = value[:longest] if isinstance(value, str) and longest else value
    if "about" in known and not _may_be_about(store, entity, known["about"]):
        del known["about"]
    return store.create(entity, known, means=means, id=id).ref


def note_state(store: Store, id: UUID, state: str) -> None:
    """Tell a letter's record what became of it."""
    if not is_kept(store.tenant.model) or "state" not in store.tenant.model.entities[ENTITY].fields:
        return
    try:
        store.change(ENTITY, id, {"state": state}, means=MEANS)
    except (Missing, Refused):
        return  # it was deleted meanwhile: there is nothing to tell


def _may_be_about(store: Store, entity: str, ref: Ref) -> bool:
    """Whether letters can be about records of the entity: not every one is everywhere."""
    field = store.tenant.model.entities[entity].fields["about"]
    targets = field.type.formula_type().entities
    return ref.entity in store.tenant.model.entities and (not targets or ref.entity in targets)
