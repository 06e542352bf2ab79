"""The names of a formula over a group of records: a report's measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from trellis.formula.scope import Scope
from trellis.formula.types import Type


class RowsScope:
    """What a measure may name: params and settings outside of aggregates, the records' fields inside of them."""

    entity: str | None = None
    shadows: tuple[str, ...] = ()

    def __init__(self, inner: Scope) -> None:
        self._inner = inner
        self.rows = inner.entity

    def name(self, name: str) -> Type | None:
        """Params and settings."""
        return self._inner.name(name) if "." in name else None

    def names(self) -> Iterable[str]:
        """Every name that stands outside of an aggregate."""
        return [n for n in self._inner.names() if "." in n]

    def roles(self) -> Iterable[str] | None:
        """Every role."""
        return self._inner.roles()

    def member(self, type: Type, name: str) -> Type | None:
        """A field of a record."""
        return self._inner.member(type, name)

    def members(self, type: Type) -> Iterable[str]:
        """Every name of a record."""
        return self._inner.members(type)

    def columns(self, entity: str, name: str) -> Mapping[str, Type]:
        """The columns of a links field's rows."""
        return self._inner.columns(entity, name)

    def tree(self, entity: str) -> str | None:
        """The link that makes a tree."""
        return self._inner.tree(entity)
