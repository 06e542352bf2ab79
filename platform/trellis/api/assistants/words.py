"""Refusals in words from which an assistant can mend its call."""

from __future__ import annotations

from flask_babel import gettext as _

from trellis.config.problem import did_you_mean
from trellis.model.entity import Entity
from trellis.model.fields.choices import ChoiceLike
from trellis.records.refusal import Fault, Forbidden, Missing, Refused, Stale
from trellis.web.faults import fault_text


class ToolError(Exception):
    """A call that cannot be done as it was made; the text says why and what to do."""


class RefusedWrite(Refused):
    """A refused write with the entity that it was for, so that the words can name what would do."""

    def __init__(self, refused: Refused, entity: Entity) -> None:
        super().__init__(refused.faults)
        self.entity = entity
        self.is_stale = isinstance(refused, Stale)


def words_of(error: Exception) -> str:
    """What to tell the assistant."""
    if isinstance(error, Refused):
        entity = error.entity if isinstance(error, RefusedWrite) else None
        lines = [f"- {_fault(fault, entity)}" for fault in error.faults]
        if entity is not None and any(f.code in ("unknown", "required", "invalid", "choice") for f in error.faults):
            lines.append(f"describe_entity with entity “{entity.key}” tells its fields, choices and stages.")
        if getattr(error, "is_stale", isinstance(error, Stale)):
            lines.append("Read the record again and repeat the change with its new version.")
        return "\n".join([_("Refused, nothing was changed:"), *lines])
    if isinstance(error, Missing):
        return str(_("There is no such record, or you may not see it."))
    if isinstance(error, Forbidden):
        return str(_("Your key or role does not allow “%(action)s” here.", action=error.action))
    return str(error)


def _fault(fault: Fault, entity: Entity | None) -> str:
    text = fault_text(fault)
    if fault.field is None:
        return text
    field = entity.fields.get(fault.field) if entity is not None else None
    hint = ""
    if entity is not None and field is None and fault.code == "unknown":
        hint = f" ({did_you_mean(fault.field, entity.fields)})"
    elif field is not None and isinstance(field.type, ChoiceLike) and fault.code == "choice":
        hint = f" (one of: {', '.join(c.key for c in list(field.type.options())[:50])})"
    return f"{fault.field}: {text}{hint}"


def no_entity(key: str, known: list[str]) -> ToolError:
    """That there is no such entity for this caller."""
    return ToolError(f"There is no entity “{key}” ({did_you_mean(key, known)}). list_entities tells which there are.")
