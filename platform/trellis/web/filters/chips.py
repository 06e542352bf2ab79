"""Filter chips as the address carries them: `amount~>~1000`; `a~==~x|b~==~y` is a group of which any may hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

MOST = 20  # chips in one address
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition: a field path, an operator, and what it is compared with."""

    path: str
    operator: str
    operands: tuple[str, ...] = ()

    def text(self) -> str:
        """The chip as the address carries it."""
        parts = [self.path, self.operator]
        if self.operands:
            parts.append(",".join(quote(o, safe="") for o in self.operands))
        return "~".join(quote(p, safe=",%") if at == 2 else quote(p, safe="") for at, p in enumerate(parts))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Conditions of which any may hold; one alone is simply a condition."""

    chips: tuple[Chip, ...]

    def text(self) -> str:
        """The group as the address carries it."""
        return "|".join(chip.text() for chip in self.chips)


def read_chip(text: str) -> Chip | None:
    """A chip from the address; None when it is none."""
    path, _, rest = text.partition("~")
    operator, _, operands = rest.partition("~")
    if not path or not operator or len(text) > LONGEST:
        return None
    values = tuple(unquote(o).replace("\0", "") for o in operands.split(",")) if operands else ()
    return Chip(unquote(path), unquote(operator), values)


def read_chips(texts: Iterable[str]) -> tuple[AnyOf, ...]:
    """The chips of an address, without what cannot be read."""
    groups: list[AnyOf] = []
    for text in list(texts)[:MOST]:
        chips = tuple(chip for part in text.split("|")[:MOST] if (chip := read_chip(part)))
        if chips:
            groups.append(AnyOf(chips))
    return tuple(groups)
