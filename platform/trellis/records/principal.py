"""Who is asking: the person, or the system itself, with roles and reader's settings."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from trellis.formula.reader import Reader


@dataclass(frozen=True, slots=True)
class Scopes:
    """What an API key is limited to: `deal:read`, `deal:write`, `*:read`, `task:create`."""

    allowed: frozenset[str]

    def cover(self, entity: str, action: str) -> bool:
        """Whether a scope names the action with the entity; `write` is every action but reading and exporting."""
        words = (action,) if action in _NOT_WRITING else (action, "write")
        return any(f"{who}:{word}" in self.allowed for who in (entity, "*") for word in words)


_NOT_WRITING = ("read", "export")


@dataclass(frozen=True)
class Principal:
    """A signed-in person, an API key, or the system (which is bound by rules, but not by permissions)."""

    reader: Reader
    id: UUID | None = None
    name: str = ""
    roles: frozenset[str] = frozenset()
    is_system: bool = False
    scopes: Scopes | None = None  # of an API key: what of its person's rights it may use; None: all

    @classmethod
    def system(cls, reader: Reader) -> Principal:
        """The platform's own hand: imports of seed data, repairs, automation."""
        return cls(reader=reader, name="Trellis", is_system=True)
