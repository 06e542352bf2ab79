"""The registry of functions: each is declared once, with its signatures, both implementations and its documentation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from trellis.formula import types as t
from trellis.formula.functions.examples import EXAMPLES
from trellis.formula.moments import UNITS
from trellis.formula.nodes.call import Overload, Param
from trellis.formula.types import Type

if TYPE_CHECKING:
    from trellis.formula.checker import Checker
    from trellis.formula.nodes.base import Expr
    from trellis.formula.syntax import CallNode

FAMILIES = ("choosing", "numbers", "text", "dates", "work", "aggregates", "people", "links", "money", "places")
"""The modules beside this one that declare functions; also the sections of the reference."""

TYPES: dict[str, Type] = {
    "text": t.TEXT,
    "number": t.NUMBER,
    "money": t.MONEY,
    "boolean": t.BOOLEAN,
    "date": t.DATE,
    "datetime": t.DATETIME,
    "time": t.TIME,
    "duration": t.DURATION,
    "period": t.PERIOD,
    "location": t.LOCATION,
    "list": t.list_of(t.TEXT),
    "any": t.ANY,
}
LITERALS: dict[str, tuple[str, ...]] = {
    "unit": UNITS,
    "day_unit": tuple(u for u in UNITS if u not in ("minute", "hour")),
    "pattern": (),
}
"""Parameters that are written in the formula as a text: one of these, or (empty) what the function checks itself."""

SpecialCheck = Callable[["Checker", "CallNode"], "Expr"]


@dataclass
class Function:
    """A function of the formula language."""

    name: str
    family: str
    usage: str
    doc: str
    overloads: list[Overload] = field(default_factory=list)
    special: SpecialCheck | None = None
    example: str = ""

    def __call__(
        self,
        signature: str,
        python: Callable[..., t.Value],
        sql: Callable[..., object],
        *,
        env: bool = False,
        blanks: bool = False,
        uses: tuple[str, ...] = (),
        outer: bool = True,
        times: int = 1,
    ) -> Function:
        """Adds a signature: `text, number? -> text`; `number...` takes several."""
        takes, _, gives = signature.partition("->")
        params = tuple(_param(p.strip()) for p in takes.split(",") if p.strip())
        overload = Overload(params, TYPES[gives.strip()], python, sql, env, blanks, uses, outer, times)  # type: ignore[arg-type]
        self.overloads.append(overload)
        return self


FUNCTIONS: dict[str, Function] = {}


def _param(text: str) -> Param:
    found = re.fullmatch(r"(\w+)(\?|\.\.\.)?", text)
    assert found is not None, text
    kind, mark = found.groups()
    many = mark == "..."
    if kind in LITERALS:
        return Param("text", mark == "?", many, kind)
    return Param(kind, mark == "?" or many, many)


def function(name: str, usage: str, doc: str, *, family: str, example: str = "") -> Function:
    """Declares a function; call the result with each signature."""
    made = Function(name, family, usage, doc, example=example)
    FUNCTIONS[name] = made
    return made


def special(
    name: str, usage: str, doc: str, *, family: str, example: str = ""
) -> Callable[[SpecialCheck], SpecialCheck]:
    """Declares a function whose arguments are checked by the decorated function itself."""

    def register(check: SpecialCheck) -> SpecialCheck:
        FUNCTIONS[name] = Function(name, family, usage, doc, special=check, example=example)
        return check

    return register


@cache
def functions() -> dict[str, Function]:
    """All functions by name."""
    for family in FAMILIES:
        import_module(f"trellis.formula.functions.{family}")
    return FUNCTIONS


@dataclass(frozen=True)
class Documented:
    """A function as the reference shows it."""

    name: str
    family: str
    usage: str
    doc: str
    example: str


def reference() -> Iterator[Documented]:
    """Every function, family by family."""
    known = functions()
    for family in FAMILIES:
        for f in known.values():
            if f.family == family:
                yield Documented(f.name, f.family, f.usage, f.doc, f.example or EXAMPLES.get(f.name, ""))
