"""Why the door says no: values that name the field, and that the edge translates for the reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dc_field
from typing import Any

from trellis.model.text import Text


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a write.

    `message` is a gettext msgid with {placeholders} for `params` (a tuple is an enumeration), or a Text from the YAML.
    `field` is a field's key, `lines.2.quantity` inside a line, or None for the record. Codes: required, invalid, range,
    pattern, unique, duplicate, readonly, rule, move, gate, restrict, unknown, forbidden, stale, …
    """

    code: str
    message: str | Text
    field: str | None = None
    params: Mapping[str, Any] = dc_field(default_factory=dict)

    def __str__(self) -> str:
        text = str(self.message)
        params = {k: ", ".join(map(str, v)) if isinstance(v, tuple) else v for k, v in self.params.items()}
        return text.format(**params) if params else text


class Refused(Exception):
    """A write that breaks rules; nothing was changed. Carries every fault that was found, not only the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{f.field}: {f}" if f.field else str(f) for f in faults))
        self.faults = tuple(faults)


class Stale(Refused):
    """The record has changed since it was read; `current` holds the fields that both changed, as they are now.

    `left`: those that others changed and the writer did not, who does not mean to set them back.
    """

    def __init__(
        self, faults: Sequence[Fault], current: Mapping[str, Any], version: int, left: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(faults)
        self.current = current
        self.version = version
        self.left = left


class Missing(Exception):
    """No such record, or none that this person may see: the two are not told apart."""


class Forbidden(Exception):
    """The person may see the record but not do this with it. `action` is the action's key."""

    def __init__(self, entity: str, action: str) -> None:
        super().__init__(f"not allowed: {action} {entity}")
        self.entity = entity
        self.action = action
