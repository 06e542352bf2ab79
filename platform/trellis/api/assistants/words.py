"""Refusals in words from which an assistant can mend its call."""

from __future__ import annotations

import re

from flask_babel import gettext as _

from trellis.api.scope import readable, writable
from trellis.config.problem import did_you_mean
from trellis.model.entity import Entity
from trellis.model.fields.choices import ChoiceLike
from trellis.records.refusal import Fault, Forbidden, Missing, Refused, Stale
from trellis.web.context import current_store
from trellis.web.faults import fault_text

MENDED_BY_LOOKING = frozenset({"unknown", "required", "invalid", "choice", "filter"})  # codes of faults
QUOTED = re.compile(r"['“‘](\w+)['”’]")


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
        if entity is not None and any(f.code in MENDED_BY_LOOKING for f in error.faults):
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
    return f"{fault.field}: {text}{_hint(fault, text, entity)}" if entity is not None else f"{fault.field}: {text}"


def _hint(fault: Fault, text: str, entity: Entity) -> str:
    """What would do, of what this caller knows."""
    field = entity.fields.get(fault.field or "")
    known = _known(entity)
    if fault.code == "filter" and (named := QUOTED.search(text)) is not None and named[1] not in known:
        return _in_brackets(did_you_mean(named[1], known))
    if fault.code == "unknown" and fault.field and not fault.params.get("hint"):
        return _in_brackets(did_you_mean(fault.field, known))
    if field is not None and field.key in known and fault.code == "choice" and isinstance(field.type, ChoiceLike):
        return f" (one of: {', '.join(c.key for c in list(field.type.options())[:50])})"
    return ""


def _in_brackets(hint: str) -> str:
    return f" ({hint})" if hint else ""


def _known(entity: Entity) -> list[str]:
    """The fields that the API has for this caller."""
    store = current_store()
    return [f.key for f in (*readable(store, entity), *writable(store, entity))]


def no_entity(key: str, known: list[str]) -> ToolError:
    """That there is no such entity for this caller."""
    return ToolError(f"There is no entity “{key}” ({did_you_mean(key, known)}). list_entities tells which there are.")
