"""Who is asking: the person, or the system itself, with roles and reader's settings."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from trellis.formula.reader import Reader


@dataclass(frozen=True)
class Principal:
    """A signed-in person, an API key, or the system (which is bound by rules, but not by permissions)."""

    reader: Reader
    id: UUID | None = None
    name: str = ""
    roles: frozenset[str] = frozenset()
    is_system: bool = False

    @classmethod
    def system(cls, reader: Reader) -> Principal:
        """The platform's own hand: imports of seed data, repairs, automation."""
        return cls(reader=reader, name="Trellis", is_system=True)
