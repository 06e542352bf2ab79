"""What a check finds: a value that says what is wrong, where, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from trellis.config.phrase import Phrase, phrase

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file; line and column count from 1, as editors do. `layer` names the layer the file belongs to."""

    file: str
    line: int = 1
    column: int = 1
    layer: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of a check.

    Codes: E1xx YAML, E2xx shape of one document, E3xx references between documents, E4xx formulas,
    E5xx database, W6xx advice. `path` is the dotted path inside the document.
    """

    code: str
    message: str
    mark: Mark | None = None
    path: str = ""
    hint: str = ""

    @property
    def is_error(self) -> bool:
        return self.code.startswith("E")


def instead(name: str) -> Phrase:
    """The hint that another name is meant."""
    return phrase("did you mean '{meant}'?", meant=name)


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """The hint for a name that does not exist: the nearest known name, else the known names when they are few."""
    names = sorted(set(known))
    near = get_close_matches(wrong, names, n=1, cutoff=0.6)
    if near:
        return instead(near[0])
    if 0 < len(names) <= 10:
        return phrase("expected {names}", names=names)
    return ""
