"""Values as templates see them: compared and computed as what they are, shown as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trellis.automation.documents.drawer import Drawer


class Shown:
    """A value that knows how a person reads it."""

    shown: str

    def __str__(self) -> str:
        return self.shown


class Choice(str):
    """A choice: compared by its key, shown by its label."""

    shown: str

    def __str__(self) -> str:
        return self.shown


class Number(Decimal):
    """A number: counts as one, shown as its field shows it."""

    shown: str

    def __str__(self) -> str:
        return self.shown


class Day(date):
    """A day, shown in the language of the paper."""

    shown: str

    def __str__(self) -> str:
        return self.shown


class Moment(datetime):
    """A point in time, shown in the language of the paper."""

    shown: str

    def __str__(self) -> str:
        return self.shown


class Money(Shown):
    """An amount in a currency."""

    def __init__(self, amount: Decimal, currency: str, shown: str) -> None:
        self.amount, self.currency, self.shown = amount, currency, shown

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __add__(self, other: object) -> Money:
        return Money(self.amount + amount_of(other), self.currency, "")

    __radd__ = __add__

    def __sub__(self, other: object) -> Money:
        return Money(self.amount - amount_of(other), self.currency, "")

    def __mul__(self, other: Any) -> Money:
        return Money(self.amount * other, self.currency, "")

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return bool(self.amount == amount_of(other))

    def __lt__(self, other: object) -> bool:
        return bool(self.amount < amount_of(other))

    def __gt__(self, other: object) -> bool:
        return bool(self.amount > amount_of(other))

    def __le__(self, other: object) -> bool:
        return not self > other

    def __ge__(self, other: object) -> bool:
        return not self < other

    __hash__ = None  # type: ignore[assignment]


class Parts(Shown):
    """An address or a name: its parts by name, and the whole of it."""

    def __init__(self, parts: Mapping[str, Any], shown: str) -> None:
        self.parts, self.shown = parts, shown

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.parts.get(name)

    def __html__(self) -> str:
        from markupsafe import escape

        return str(escape(self.shown)).replace("\n", "<br>")


class Picture(Shown):
    """A file of a record; `src` is the address for an `img`."""

    def __init__(self, id: str, name: str) -> None:
        self.src, self.name, self.shown = f"record:{id}", name, name


class Record(Shown):
    """A record that the reader of the paper may read; its values are asked for when the first is looked at."""

    def __init__(
        self, drawer: Drawer, entity: str, id: str, shown: str, values: Mapping[str, Any] | None = None
    ) -> None:
        self._drawer, self._entity, self._id, self._given = drawer, entity, id, values
        self.shown = shown

    @cached_property
    def _values(self) -> Mapping[str, Any]:
        found = self._given
        if found is None:
            found = self._drawer.channel.ask(ask="record", entity=self._entity, id=self._id)
        return {name: self._drawer.value(value) for name, value in found.items()}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and other._id == self._id

    __hash__ = None  # type: ignore[assignment]


class Records:
    """A list of records, asked for when it is looked at."""

    def __init__(self, drawer: Drawer, asked: Mapping[str, Any]) -> None:
        self._drawer, self._asked = drawer, asked

    @cached_property
    def _rows(self) -> list[Record]:
        rows = self._drawer.channel.ask(ask="list", **self._asked)
        return [Record(self._drawer, r["entity"], r["id"], r["shown"], r["values"]) for r in rows]

    def __iter__(self) -> Iterator[Record]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: int) -> Record:
        return self._rows[at]


def amount_of(value: object) -> Any:
    """The number of an amount; anything else as it is."""
    return value.amount if isinstance(value, Money) else value
