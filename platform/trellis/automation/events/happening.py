"""One event as listeners get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trellis.model.fields.base import Invalid
from trellis.records.events import SECRET

if TYPE_CHECKING:
    from trellis.formula.reader import Reader
    from trellis.formula.types import Value
    from trellis.model.model import Model


@dataclass(frozen=True)
class Happening:
    """What happened to one record. `changes`: {field: [old, new]} as JSON, whoever may see it."""

    id: int  # grows with time; of one record, in the order of its changes
    at: datetime
    entity: str
    record: UUID
    kind: str  # created, updated, deleted, restored, linked, unlinked, converted, merged
    version: int | None
    means: str
    by: UUID | None
    by_name: str | None
    cause: Any
    depth: int
    batch: UUID | None
    changes: Mapping[str, Any] = field(default_factory=dict)

    def stages(self, model: Model) -> dict[str, tuple[str | None, str | None]]:
        """The stage left and the stage entered, by the field of each pipeline that it moved in."""
        fields = {p.field for p in model.pipelines.values() if p.entity == self.entity}
        return {name: (old, new) for name, (old, new) in self.changes.items() if name in fields}

    def as_json(self) -> dict[str, Any]:
        """The event as the payload of a job."""
        return {
            **self.__dict__,
            "at": self.at.isoformat(),
            "record": str(self.record),
            "by": str(self.by) if self.by else None,
            "batch": str(self.batch) if self.batch else None,
            "changes": dict(self.changes),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Happening:
        """The event of a job's payload."""
        return cls(
            **{
                **stored,
                "at": datetime.fromisoformat(stored["at"]),
                "record": UUID(stored["record"]),
                "by": UUID(stored["by"]) if stored["by"] else None,
                "batch": UUID(stored["batch"]) if stored["batch"] else None,
            }
        )


def read_changes(model: Model, happening: Happening, reader: Reader) -> dict[str, tuple[Value, Value]]:
    """The changes as the fields' own values; what a field no longer takes, and secrets, are left out."""
    fields = model.entities[happening.entity].fields
    found: dict[str, tuple[Value, Value]] = {}
    for name, (old, new) in happening.changes.items():
        field = fields.get(name)
        if field is None or SECRET in (old, new):
            continue
        try:
            found[name] = tuple(None if v is None else field.type.parse(v, reader) for v in (old, new))  # type: ignore[assignment]
        except (Invalid, ValueError, TypeError, KeyError):
            continue
    return found
