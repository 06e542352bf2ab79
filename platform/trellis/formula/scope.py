"""What names mean where a formula stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from trellis.formula.types import Type

if TYPE_CHECKING:
    from trellis.formula.nodes.base import Expr
    from trellis.formula.syntax import CallNode


class Scope(Protocol):
    """The names a formula may use and their types; the Model gives one for every place that holds a formula.

    `name` answers for plain names: the fields of the record (also inverse lists), the variables of a workflow, and
    `old` and `this` where they exist (both records). `setting` and `param` are asked for as `setting.points`. What
    every formula has (`me`, `my_team`, `is_new`, functions) and the parts of money, name, address and location are
    formula's own.
    """

    @property
    def entity(self) -> str | None:
        """The entity whose record the plain names belong to; None where there is no record."""

    @property
    def shadows(self) -> Collection[str]:
        """The variables that stand before a field of the same name; the others stand behind it."""

    def name(self, name: str) -> Type | None:
        """The type of a plain name, or of `setting.x` or `param.x`; None when there is no such name."""

    def names(self) -> Iterable[str]:
        """Every name that `name` answers for."""

    def roles(self) -> Iterable[str] | None:
        """Every role that there is; None where nobody knows them."""

    def member(self, type: Type, name: str) -> Type | None:
        """The type of a field (or inverse list) of a record: `member(record_of("account"), "industry")`.

        For a link to several entities: the type in those that have it.
        """

    def members(self, type: Type) -> Iterable[str]:
        """Every name that `member` answers for."""

    def columns(self, entity: str, name: str) -> Mapping[str, Type]:
        """The columns of a links field's rows (`via.part`); empty for another list."""

    def tree(self, entity: str) -> str | None:
        """The link that makes a tree of the entity; None when it is none."""


@runtime_checkable
class OwnFunctions(Protocol):
    """A scope that knows functions which formulas elsewhere do not have."""

    def function(self, name: str) -> Callable[[Any, CallNode], Expr] | None:
        """What checks a call of such a function; None when there is no such name."""


class EmptyScope:
    """A scope without a record: only literals, functions and what every formula has."""

    entity: str | None = None
    shadows: Collection[str] = ()

    def name(self, name: str) -> Type | None:
        """Nothing has a name here."""
        return None

    def names(self) -> Iterable[str]:
        """No names."""
        return ()

    def roles(self) -> Iterable[str] | None:
        """Nobody knows."""
        return None

    def member(self, type: Type, name: str) -> Type | None:
        """Records have no fields here."""
        return None

    def members(self, type: Type) -> Iterable[str]:
        """No names."""
        return ()

    def columns(self, entity: str, name: str) -> Mapping[str, Type]:
        """No columns."""
        return {}

    def tree(self, entity: str) -> str | None:
        """No trees."""
        return None
